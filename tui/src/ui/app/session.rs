//! The UI without a terminal: the model, the link to the daemon and background work. The event loop adds a terminal,
//! tests add a buffer.

use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::home::Home;

use super::work::Work;
use crate::host::Host;
use crate::ui::effect::Effect;
use crate::ui::link::Link;
use crate::ui::message::Message;
use crate::ui::model::Model;
use crate::ui::update::update;

/// How many results may come before notifications that wait. Results come first, because those of a lost connection
/// belong before the news of the next one; but they must not keep the news of the loss waiting forever.
const MAX_RESULTS: usize = 256;

/// The UI without a terminal.
#[derive(Debug)]
pub struct Session {
    /// The model.
    pub model: Model,
    link: Link,
    pub(super) work: Work,
    /// How many results have come since the last notification.
    results: usize,
}

impl Session {
    /// Starts connecting to the daemon of a home; `exe` starts a daemon if none runs. Must be called within a runtime.
    #[must_use]
    pub fn new(home: Home, exe: PathBuf, model: Model) -> Self {
        Self::of(home, exe, None, model)
    }

    /// Does the same as [`Session::new`]; a `host` has the home, if it is another computer.
    pub(crate) fn of(home: Home, exe: PathBuf, host: Option<Arc<Host>>, model: Model) -> Self {
        let link = Link::begin(home.clone(), exe, host);
        let work = Work::new(home, link.client(), model.pictures.drawing());
        Self { model, link, work, results: 0 }
    }

    /// Applies a message. The returned effects still have to be carried out.
    pub fn update(&mut self, message: Message) -> Vec<Effect> {
        let effects = update(&mut self.model, message);
        self.link.expect_events(self.model.expects_events());
        effects
    }

    /// Starts to carry out effects; returns those that need the terminal.
    pub fn carry_out(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut of_terminal = Vec::new();
        for effect in effects {
            match effect {
                Effect::Watch(watch) => self.link.watch(watch),
                effect if effect.is_of_terminal() => of_terminal.push(effect),
                effect => self.work.begin(effect),
            }
        }
        of_terminal
    }

    /// Returns the next message; `None` once the link is gone.
    pub async fn next_message(&mut self) -> Option<Message> {
        if let Some(message) = self.waiting_message() {
            return Some(message);
        }
        tokio::select! {
            done = self.work.recv() => Some(done),
            notification = self.link.recv() => notification,
        }
    }

    /// Returns a message, if one is waiting.
    pub fn waiting_message(&mut self) -> Option<Message> {
        if self.results < MAX_RESULTS
            && let Some(done) = self.work.try_recv()
        {
            self.results += 1;
            return Some(done);
        }
        self.results = 0;
        self.link.try_recv().or_else(|| self.work.try_recv())
    }
}
