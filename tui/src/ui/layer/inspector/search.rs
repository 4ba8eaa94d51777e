//! The search in a page.

use super::Inspector;
use crate::ui::layer::prompt::Prompt;
use crate::ui::model::Model;
use crate::ui::model::component::Step;

impl Inspector {
    /// Goes to the next line that contains the search text.
    pub(super) fn find(&mut self, model: &Model, forward: bool) {
        let wanted = self.search.to_lowercase();
        let page = self.page(model);
        let count = page.len();
        if wanted.is_empty() || count == 0 {
            return;
        }
        let holds = |at: &usize| page.text(*at).to_lowercase().contains(&wanted);
        let places = 1..=count;
        let found = if forward {
            places.map(|step| (self.top + step) % count).find(holds)
        } else {
            places.map(|step| (self.top + count - step) % count).find(holds)
        };
        if let Some(found) = found {
            self.top = found;
            self.follow = false;
        }
    }

    /// Asks for the text to search for.
    pub(super) fn ask_search(&self) -> Step {
        let set = |model: &mut Model, text: &str| {
            let mut layers = std::mem::take(&mut model.layers);
            if let Some(inspector) = layers.last_mut().and_then(|layer| layer.downcast_mut::<Self>()) {
                inspector.search = text.to_owned();
                inspector.top = inspector.top.saturating_sub(1);
                inspector.find(model, true);
            }
            model.layers = layers;
            Ok(Vec::new())
        };
        Step::open(Prompt::new("Search", self.search.clone(), set).into())
    }
}
