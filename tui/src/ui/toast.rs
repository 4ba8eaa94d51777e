//! Short messages at the top right, and the list of all of them. PLACEHOLDER body.

use fanlight_shared::time::Time;

/// How serious a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tone {
    /// Something was done.
    Good,
    /// Something to know.
    Note,
    /// Something went wrong; stays until it is dismissed.
    Bad,
}

/// A short message.
#[derive(Clone, PartialEq, Debug)]
pub struct Toast {
    /// How serious it is.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
    /// When it came.
    pub at: Time,
}

/// The messages on screen, and all that ever came (the newest 500).
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Toasts {
    /// On screen, oldest first, at most three.
    pub shown: Vec<Toast>,
    /// All, oldest first.
    pub all: Vec<Toast>,
}

impl Toasts {
    /// Shows a message.
    pub fn add(&mut self, tone: Tone, text: impl Into<String>, at: Time) {
        let toast = Toast { tone, text: text.into(), at };
        self.shown.push(toast.clone());
        self.all.push(toast);
    }
}
