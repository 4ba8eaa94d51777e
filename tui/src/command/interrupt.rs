//! Counts Ctrl-C instead of letting it end the process.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;
use crate::output::silence;

/// Whether a command counts Ctrl-C.
static COUNTED: AtomicBool = AtomicBool::new(false);

/// Waits for a Ctrl-C while the daemon doesn't respond: it can be told nothing, so the command ends.
pub(crate) async fn left() -> Failure {
    let mut silent = silence::is_silent();
    // The sender is never dropped.
    let _ = silent.wait_for(|silent| *silent).await;
    let Ok(mut ctrl_c) = signal(SignalKind::interrupt()) else { return std::future::pending().await };
    while ctrl_c.recv().await.is_some() {
        // From now on Ctrl-C ends no command by itself.
        if *silent.borrow() || !COUNTED.load(Ordering::Relaxed) {
            return Failure::interrupted();
        }
    }
    std::future::pending().await
}

/// Counts Ctrl-C.
pub(super) struct Interrupt {
    signal: Signal,
    count: u32,
}

impl Interrupt {
    /// Starts counting. From now on Ctrl-C doesn't end the process by itself.
    pub(super) fn new() -> Result<Self, Failure> {
        let signal = signal(SignalKind::interrupt())
            .map_err(|error| Failure::failed(format!("Ctrl-C can't be caught: {error}")))?;
        COUNTED.store(true, Ordering::Relaxed);
        Ok(Self { signal, count: 0 })
    }

    /// Waits for the next Ctrl-C. Returns how many there were so far.
    pub(super) async fn next(&mut self) -> u32 {
        if self.signal.recv().await.is_none() {
            std::future::pending::<()>().await;
        }
        self.count += 1;
        self.count
    }

    /// Waits until there were this many.
    pub(super) async fn reaches(&mut self, count: u32) {
        while self.count < count {
            self.next().await;
        }
    }

    /// Returns whether there was one.
    pub(super) fn received(&self) -> bool {
        self.count > 0
    }
}
