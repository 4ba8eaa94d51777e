//! Requests that wait for their commit, and for what they deleted to be gone for good.

use std::sync::mpsc::channel;

use super::{After, Batch, Committed, Op, Store, StoreError, closed};

impl Store {
    /// Writes ops as one request and waits for the commit. Blocks.
    pub(crate) fn commit_blocking(&self, ops: Vec<Op>) -> Result<Committed, StoreError> {
        let (send, receive) = channel();
        let after: After = Box::new(move |answer| {
            let _ = send.send(answer);
        });
        self.write(Batch { ops, after: Some(after), ..Batch::default() });
        let committed = receive.recv().unwrap_or_else(|_| Err(closed()))?;
        self.sync_deleted(&committed);
        Ok(committed)
    }

    /// Writes ops as one request and waits for the commit.
    ///
    /// # Errors
    /// The error of the writer.
    pub async fn commit(&self, ops: Vec<Op>) -> Result<Committed, StoreError> {
        let (send, receive) = tokio::sync::oneshot::channel();
        let after: After = Box::new(move |answer| {
            let _ = send.send(answer);
        });
        self.write(Batch { ops, after: Some(after), ..Batch::default() });
        let committed = receive.await.unwrap_or_else(|_| Err(closed()))?;
        if committed.deleted_blobs.is_empty() {
            return Ok(committed);
        }
        let store = self.clone();
        let synced = tokio::task::spawn_blocking(move || {
            store.sync_deleted(&committed);
            committed
        });
        synced.await.map_err(|error| StoreError::Other(error.to_string()))
    }

    /// Makes deletions durable before their caller is told of them: else a power loss brings the files back, and the
    /// database does not know them. The writer does not wait for it, and so nobody else does.
    fn sync_deleted(&self, committed: &Committed) {
        if let Err(error) = self.blobs().sync_unlinked(&committed.deleted_blobs) {
            tracing::warn!("a power loss may bring deleted files back: {error}");
        }
    }
}
