//! The end of the daemon: waiting runs stay where they are while running ones are cancelled.

use std::time::Duration;

use fanlight_shared::rpc::{RpcError, runs};
use tokio::sync::mpsc;

use super::Engine;
use super::message::Message;

impl Engine {
    /// Cancels all running runs before the daemon ends, and waits for their end. No waiting run takes their slots: those stay
    /// for the next daemon.
    ///
    /// # Errors
    /// Some have not ended after `patience`, or their end can't be stored. Then the daemon goes on, and waiting runs start.
    pub async fn cancel_to_end(&self, patience: Duration) -> Result<(), RpcError> {
        let closed = ClosedQueue::new(&self.messages);
        let mut activity = self.activity();
        self.cancel(runs::Cancel { running: true, ..runs::Cancel::default() }).await?;
        let ended = activity.wait_for(|activity| activity.running + activity.following == 0);
        if tokio::time::timeout(patience, ended).await.is_err() {
            return Err(RpcError::refused(format!(
                "some runs have not ended {} seconds after they were cancelled; the daemon continues",
                patience.as_secs()
            )));
        }
        closed.keep();
        Ok(())
    }
}

/// Keeps waiting runs where they are until it is dropped.
pub(super) struct ClosedQueue<'a>(&'a mpsc::UnboundedSender<Message>);

impl<'a> ClosedQueue<'a> {
    pub(super) fn new(messages: &'a mpsc::UnboundedSender<Message>) -> Self {
        let _ = messages.send(Message::Close(true));
        Self(messages)
    }

    /// Keeps them there for good.
    fn keep(self) {
        std::mem::forget(self);
    }
}

impl Drop for ClosedQueue<'_> {
    fn drop(&mut self) {
        let _ = self.0.send(Message::Close(false));
    }
}
