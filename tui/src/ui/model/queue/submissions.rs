//! Submissions that are not acknowledged yet. A form comes back if its own request fails, and a request whose response was
//! lost is repeated with its keys, so that the daemon returns the runs that exist.

use std::collections::HashMap;

use crate::ui::effect::Effect;
use crate::ui::message::Why;
use crate::ui::model::component::Layer;

/// The maximum number of lost requests that are remembered.
const MAX_LOST: usize = 100;

/// Submissions that are not acknowledged yet.
#[derive(Debug, Default)]
pub(in crate::ui) struct Submissions {
    /// The forms, by the keys of their requests.
    forms: HashMap<String, Layer>,
    /// Requests that failed because the daemon was away: their runs may exist.
    lost: Vec<Effect>,
}

impl Submissions {
    /// Keeps the form of a request until there is a response.
    pub(in crate::ui) fn submit(&mut self, request: &Effect, form: impl Into<Layer>) {
        if let Some(key) = request.request_key() {
            self.forms.insert(key.to_owned(), form.into());
        }
    }

    /// Returns a request with the keys of an equal one that was lost, or as it is.
    #[must_use]
    pub(in crate::ui) fn again(&self, request: Effect) -> Effect {
        self.lost.iter().find_map(|lost| repeated(&request, lost)).unwrap_or(request)
    }

    /// Takes that the request with this key is done. Returns whether its response was lost before.
    pub(in crate::ui) fn done(&mut self, key: &str) -> bool {
        self.forms.remove(key);
        let before = self.lost.len();
        self.lost.retain(|request| request.request_key() != Some(key));
        self.lost.len() < before
    }

    /// Takes that a request failed. Returns its form, if it has one.
    pub(in crate::ui) fn failed(&mut self, request: &Effect, why: Why) -> Option<Layer> {
        let key = request.request_key()?;
        self.lost.retain(|lost| lost.request_key() != Some(key));
        if why == Why::Away {
            if self.lost.len() == MAX_LOST {
                self.lost.remove(0);
            }
            self.lost.push(request.clone());
        }
        self.forms.remove(key)
    }
}

/// Returns a request with the keys of an earlier one, if both ask for the same.
#[must_use]
pub(in crate::ui) fn repeated(request: &Effect, earlier: &Effect) -> Option<Effect> {
    let mut same = request.clone();
    match (&mut same, earlier) {
        (Effect::Start(now), Effect::Start(before)) => {
            now.start.request_key.clone_from(&before.start.request_key);
            // The text is read again before it is sent, and its version is a part of the key.
            let mut of_text = now.clone();
            of_text.start.document.clone_from(&before.start.document);
            (of_text == *before).then_some(same)
        }
        (Effect::Fork(now), Effect::Fork(before)) => {
            for (now, before) in now.iter_mut().zip(before) {
                now.request_key.clone_from(&before.request_key);
            }
            (same == *earlier).then_some(same)
        }
        (Effect::Resume(now), Effect::Resume(before)) => {
            now.request_key.clone_from(&before.request_key);
            (same == *earlier).then_some(same)
        }
        _ => None,
    }
}
