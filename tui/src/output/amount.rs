//! How much of something is done, on a terminal: one line on stderr, drawn in place.

use std::io::{IsTerminal as _, Write as _};
use std::time::Instant;

use super::live::REDRAW_INTERVAL;
use crate::text;

/// The bytes that have been moved, of all. Draws nothing unless stderr is a terminal.
pub(crate) struct Amount {
    what: &'static str,
    total: u64,
    done: u64,
    drawn: Option<Instant>,
    on: bool,
}

impl Amount {
    /// Begins with nothing; `what` is a participle such as "exported".
    pub(crate) fn new(what: &'static str) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        let on = std::io::stderr().is_terminal() && !dumb;
        Self { what, total: 0, done: 0, drawn: None, on }
    }

    /// Sets how many bytes there are.
    pub(crate) fn of(&mut self, total: u64) {
        self.total = total;
    }

    /// Adds bytes.
    pub(crate) fn add(&mut self, bytes: u64) {
        self.done += bytes;
        if !self.on || self.drawn.is_some_and(|drawn| drawn.elapsed() < REDRAW_INTERVAL) {
            return;
        }
        self.drawn = Some(Instant::now());
        let percent = (self.done.min(self.total) * 100).checked_div(self.total);
        let percent = percent.map(|percent| format!(", {percent} %")).unwrap_or_default();
        let _ =
            write!(std::io::stderr().lock(), "\r\u{1b}[K{} {}{percent}", self.what, text::size(self.done));
        let _ = std::io::stderr().flush();
    }
}

impl Drop for Amount {
    fn drop(&mut self) {
        if self.drawn.is_some() {
            let _ = write!(std::io::stderr().lock(), "\r\u{1b}[K");
        }
    }
}
