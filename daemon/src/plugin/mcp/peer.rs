//! An MCP server as a peer of the protocol: a process, or one that is reached over HTTP.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::Value as Json;

use super::http::HttpPeer;
use crate::mcp::McpLog;
use crate::plugin::process::{Failure, Process};

/// How long a process may take to end after its stdin was closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);
/// The most bytes of its stderr that are logged, and the longest line.
const MAX_STDERR_BYTES: usize = 256 << 10;
const MAX_LINE_BYTES: usize = 4 << 10;

/// A server.
pub(super) enum Peer {
    Process(Process, Arc<Stderr>),
    Http(Box<HttpPeer>),
}

impl Peer {
    /// Asks it something that takes at most `most`.
    pub(super) async fn ask(&self, method: &str, params: &Json, most: Duration) -> Result<Json, Failure> {
        match self {
            Self::Process(process, _) => process.ask(method, params, most).await,
            Self::Http(http) => http.ask(method, params, most).await,
        }
    }

    /// Tells it something, which it accepts within `most`.
    pub(super) async fn notify(&self, method: &str, params: &Json, most: Duration) -> Result<(), Failure> {
        match self {
            Self::Process(process, _) => {
                process.notify(method, params);
                Ok(())
            }
            Self::Http(http) => http.notify(method, params, most).await,
        }
    }

    /// Ends it: a process sees the end of its stdin first.
    pub(super) async fn close(&self) {
        match self {
            Self::Process(process, stderr) => {
                process.stop(CLOSE_TIMEOUT).await;
                stderr.end();
            }
            Self::Http(http) => http.close().await,
        }
    }
}

/// Brings the stderr of a server to the log of the node, line by line.
pub(super) struct Stderr {
    name: String,
    log: McpLog,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The line that is not complete.
    line: String,
    bytes: usize,
}

impl Stderr {
    pub(super) fn new(name: &str, log: McpLog) -> Self {
        Self { name: name.to_owned(), log, state: Mutex::default() }
    }

    /// Takes more of it.
    pub(super) fn take(&self, text: &str) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        for part in text.split_inclusive('\n') {
            if state.bytes > MAX_STDERR_BYTES {
                return;
            }
            state.bytes += part.len();
            state.line.push_str(part);
            if part.ends_with('\n') || state.line.len() > MAX_LINE_BYTES {
                self.flush(&mut state);
            }
            if state.bytes > MAX_STDERR_BYTES {
                self.flush(&mut state);
                (self.log)(&format!("{}: (the rest of its stderr is left out)", self.name));
            }
        }
    }

    /// Logs what has no end of a line.
    fn end(&self) {
        self.flush(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn flush(&self, state: &mut State) {
        let line = std::mem::take(&mut state.line);
        if !line.trim().is_empty() {
            (self.log)(&format!("{}: {}", self.name, line.trim_end()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(texts: &[&str]) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&lines);
        let stderr =
            Stderr::new("clock", Arc::new(move |line: &str| log.lock().unwrap().push(line.to_owned())));
        texts.iter().for_each(|text| stderr.take(text));
        stderr.end();
        lines.lock().unwrap().clone()
    }

    #[test]
    fn stderr_is_logged_line_by_line_with_the_name_of_the_server() {
        assert_eq!(logged(&["one\ntw", "o\n\nthree"]), ["clock: one", "clock: two", "clock: three"]);
    }

    #[test]
    fn a_flood_on_stderr_is_bounded_and_says_so() {
        let lines = logged(&vec!["x".repeat(1000).as_str(); 1000]);
        let bytes: usize = lines.iter().map(String::len).sum();
        assert!(bytes < MAX_STDERR_BYTES + 2 * MAX_LINE_BYTES, "{bytes}");
        assert_eq!(lines.last().unwrap(), "clock: (the rest of its stderr is left out)");
    }
}
