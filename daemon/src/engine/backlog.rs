//! The backlog: rows that the engine decided and the store has not committed yet.

use tokio::sync::watch;

/// More rows than this don't wait: the engine decides faster than any disk writes, and what waits is all in memory.
pub(super) const MAX_ROWS: usize = 8192;

/// How many rows wait, roughly.
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
    /// These rows wait from now on.
    pub(super) fn add(&self, count: usize) -> Waits {
        self.rows.send_modify(|rows| *rows += count);
        Waits { rows: self.rows.clone(), count }
    }

    /// Whether nothing more is to be decided that can wait.
    pub(super) fn is_long(&self) -> bool {
        *self.rows.borrow() >= MAX_ROWS
    }

    /// Waits until it is not long any more.
    pub(super) async fn shortens(&self) {
        // The sender is ours, so there is no error.
        let _ = self.rows.subscribe().wait_for(|rows| *rows < MAX_ROWS).await;
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        self.rows.send_modify(|rows| *rows -= self.count);
    }
}
