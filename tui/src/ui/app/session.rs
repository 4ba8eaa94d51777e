//! The UI without its terminal: the model, the link to the daemon, slow work. The loop puts a terminal around it, tests a
//! buffer.

use std::path::PathBuf;

use fanlight_shared::home::Home;

use super::work::Work;
use crate::ui::effect::Effect;
use crate::ui::link::Link;
use crate::ui::message::Message;
use crate::ui::model::Model;
use crate::ui::update::update;

/// The UI without its terminal.
#[derive(Debug)]
pub struct Session {
    /// All that is known.
    pub model: Model,
    link: Link,
    pub(super) work: Work,
}

impl Session {
    /// Starts to connect to the daemon of a home; `exe` starts one where none runs. Must be called within a runtime.
    #[must_use]
    pub fn new(home: Home, exe: PathBuf, model: Model) -> Self {
        let link = Link::begin(home.clone(), exe);
        let work = Work::new(home, link.client(), model.pictures.drawing());
        Self { model, link, work }
    }

    /// Takes a step. What it asks for is still to be carried out.
    pub fn update(&mut self, message: Message) -> Vec<Effect> {
        update(&mut self.model, message)
    }

    /// Starts to carry out what a step asked for; returns what only a terminal can do.
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

    /// What happens next; `None` once the link is gone.
    pub async fn next_message(&mut self) -> Option<Message> {
        tokio::select! {
            biased;
            done = self.work.recv() => Some(done),
            notification = self.link.recv() => notification,
        }
    }

    /// What happened already, if something did.
    pub fn waiting_message(&mut self) -> Option<Message> {
        self.work.try_recv().or_else(|| self.link.try_recv())
    }
}
