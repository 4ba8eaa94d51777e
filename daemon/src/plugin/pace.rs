//! How fast the output of a process is read: one that writes more waits, and holds nobody else up.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// The most lines or pieces, and the most bytes, that are read in a [`WINDOW`].
const MAX_PIECES: u32 = 500;
const MAX_BYTES: usize = 4 << 20;
const WINDOW: Duration = Duration::from_millis(100);

/// How much was read in the current window.
pub(super) struct Pace {
    begin: Instant,
    pieces: u32,
    bytes: usize,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { begin: Instant::now(), pieces: 0, bytes: 0 }
    }

    /// Counts a piece, and waits for the next window if there was too much. Returns whether it waited.
    pub(super) async fn take(&mut self, bytes: usize) -> bool {
        if self.begin.elapsed() >= WINDOW {
            (self.begin, self.pieces, self.bytes) = (Instant::now(), 0, 0);
        }
        self.pieces += 1;
        self.bytes += bytes;
        let too_much = self.pieces > MAX_PIECES || self.bytes > MAX_BYTES;
        if too_much {
            sleep_until(self.begin + WINDOW).await;
        }
        too_much
    }
}
