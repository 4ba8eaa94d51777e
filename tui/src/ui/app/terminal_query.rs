//! Queries the terminal on its own thread, and passes on the keys that are typed meanwhile.

use crossterm::event::KeyEvent;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::ui::picture::query::{self, Replies};

/// Somebody listens.
#[derive(Debug)]
pub(super) struct TerminalQuery {
    heard: UnboundedReceiver<Input>,
}

/// What was heard.
#[derive(Debug)]
pub(super) enum Input {
    /// A key.
    Key(KeyEvent),
    /// All replies; the query has ended.
    Replies(Replies),
}

impl TerminalQuery {
    /// Starts to listen; the query was sent before.
    pub(super) fn listen() -> Self {
        let (out, heard) = unbounded_channel();
        // Not a thread of the runtime, which would wait for it at the end.
        std::thread::spawn(move || {
            let replies = query::listen(|key| {
                let _ = out.send(Input::Key(key));
            });
            let _ = out.send(Input::Replies(replies));
        });
        Self { heard }
    }

    /// Returns the next input. Pending for ever if no query is running.
    pub(super) async fn heard(asked: &mut Option<Self>) -> Option<Input> {
        match asked {
            Some(asked) => asked.heard.recv().await,
            None => std::future::pending().await,
        }
    }
}
