//! The backlog: rows that the engine has decided and the store has not committed yet.

use tokio::sync::watch;

/// The most rows that wait: the engine decides faster than any disk writes, and the backlog is in memory.
pub(super) const MAX_ROWS: usize = 8192;

/// The approximate number of rows that wait.
#[derive(Clone, Default)]
pub(super) struct Backlog {
    rows: watch::Sender<usize>,
}

/// Rows that wait, until dropped.
pub(super) struct Waits {
    rows: watch::Sender<usize>,
    count: usize,
}

impl Backlog {
    /// Adds rows that wait.
    pub(super) fn add(&self, count: usize) -> Waits {
        self.rows.send_modify(|rows| *rows += count);
        Waits { rows: self.rows.clone(), count }
    }

    /// Returns whether decisions that can wait should wait.
    pub(super) fn is_long(&self) -> bool {
        *self.rows.borrow() >= MAX_ROWS
    }

    /// Waits until it is short again.
    pub(super) async fn shortens(&self) {
        // We hold the sender, so this can't fail.
        let _ = self.rows.subscribe().wait_for(|rows| *rows < MAX_ROWS).await;
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.rows.send_modify(|rows| *rows -= self.count);
    }
}
