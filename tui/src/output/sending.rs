//! The progress of a file that is sent to another computer, on a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use fanlight_shared::sanitise;

use crate::text;

/// Smaller files are sent without a word.
const MIN_BYTES: u64 = 1024 * 1024;

/// Set while the terminal is the UI's.
static SILENT: AtomicBool = AtomicBool::new(false);

/// Shows no progress from now on.
pub(crate) fn be_silent() {
    SILENT.store(true, Ordering::Relaxed);
}

/// A file that is being sent.
#[derive(Debug)]
pub(crate) struct Sending {
    name: String,
    bytes: u64,
    shown: bool,
}

impl Sending {
    /// Begins to send a file.
    pub(crate) fn new(path: &Path, bytes: u64) -> Self {
        let name = sanitise::line(&path.file_name().unwrap_or_default().to_string_lossy());
        let shown = bytes >= MIN_BYTES && std::io::stderr().is_terminal() && !SILENT.load(Ordering::Relaxed);
        Self { name, bytes, shown }
    }

    /// Shows how much has arrived.
    pub(crate) fn arrived(&mut self, bytes: u64) {
        if self.shown {
            let line = format!("sending {}: {} of {}", self.name, text::size(bytes), text::size(self.bytes));
            let line = super::for_people(&line).into_owned();
            let _ = write!(std::io::stderr(), "\r\x1b[K{line}").and_then(|()| std::io::stderr().flush());
        }
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}
