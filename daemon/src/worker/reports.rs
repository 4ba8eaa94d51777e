//! Inside a worker process: what a node says, on its way to the daemon.
//!
//! Reports wait here until the next frame, 30 times a second: of those that replace each other only the newest goes, and
//! text that is appended goes together. What waits is bounded, so a node that floods waits for its own pipe, and nobody
//! else does.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fanlight_shared::id::BlobHash;

use super::frame::{self, Response};
use crate::node_type::{MadeFiles, NewFile};
use crate::services::{Carrier, Report};

/// The time between two frames.
const SEND_INTERVAL: Duration = Duration::from_millis(33);
/// How many bytes wait at most before a node that says more waits too.
const MAX_WAITING_BYTES: usize = 256 << 10;

/// The reports that wait for the next frame; shared by every clone.
#[derive(Clone, Default)]
pub(super) struct Reports {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    reports: Vec<Report>,
    /// The place of the text to which further text is appended, if nothing else for the log was said since.
    open_text: Option<usize>,
    bytes: usize,
    made: MadeFiles,
    /// Counts requests, so that what a thread says that outlives its request is not taken for the next one's.
    request: u64,
    /// No more reports are taken.
    closed: bool,
}

/// Where the node of one request says something.
struct OfRequest {
    reports: Reports,
    request: u64,
}

impl Carrier for OfRequest {
    fn report(&self, report: Report) {
        self.reports.add(self.request, report);
    }
}

impl Reports {
    /// Locks it. Each change leaves it consistent, so a poisoned lock is harmless.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.inner.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the next request, whose node makes these files.
    pub(super) fn begin(&self, made: MadeFiles) -> Box<dyn Carrier> {
        let mut waiting = self.waiting();
        let request = waiting.request + 1;
        *waiting = Waiting { request, made, closed: waiting.closed, ..Waiting::default() };
        Box::new(OfRequest { reports: self.clone(), request })
    }

    fn add(&self, request: u64, report: Report) {
        let mut waiting = self.waiting();
        while waiting.bytes > MAX_WAITING_BYTES && !waiting.closed && waiting.request == request {
            waiting = self.inner.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        if !waiting.closed && waiting.request == request {
            waiting.add(report);
            self.inner.changed.notify_all();
        }
    }

    /// Writes what waits.
    pub(super) fn flush(&self, writer: &mut impl Write) -> io::Result<()> {
        let (reports, made) = {
            let mut waiting = self.waiting();
            (waiting.bytes, waiting.open_text) = (0, None);
            (std::mem::take(&mut waiting.reports), waiting.made.clone())
        };
        self.inner.changed.notify_all();
        if reports.is_empty() {
            return Ok(());
        }
        let files = files_of(&reports, &made);
        // A report that is too long for a frame is not worth the node.
        let Ok(bytes) = frame::encode(&Response::Said { reports, files }) else { return Ok(()) };
        writer.write_all(&bytes)?;
        writer.flush()
    }

    /// Writes what waits, again and again, until it is closed.
    pub(super) fn send(&self, writer: &Mutex<impl Write>) {
        loop {
            let begin = Instant::now();
            {
                let mut waiting = self.waiting();
                while waiting.reports.is_empty() && !waiting.closed {
                    waiting = self.inner.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
                }
                if waiting.closed {
                    return;
                }
            }
            let mut open = writer.lock().unwrap_or_else(PoisonError::into_inner);
            if self.flush(&mut *open).is_err() {
                return self.close();
            }
            drop(open);
            let waiting = self.waiting();
            let left = SEND_INTERVAL.saturating_sub(begin.elapsed());
            let _ = self.inner.changed.wait_timeout_while(waiting, left, |waiting| {
                !waiting.closed && waiting.bytes <= MAX_WAITING_BYTES
            });
        }
    }

    /// Ends the waits and drops further reports.
    pub(super) fn close(&self) {
        self.waiting().closed = true;
        self.inner.changed.notify_all();
    }
}

impl Waiting {
    fn add(&mut self, report: Report) {
        let same = |known: &&mut Report| match (&**known, &report) {
            (Report::Progress { .. }, Report::Progress { .. }) => true,
            (Report::Partial { port, .. }, Report::Partial { port: other, .. }) => port == other,
            _ => false,
        };
        let size = report.size();
        if let Some(known) = self.reports.iter_mut().find(same) {
            self.bytes = (self.bytes + size).saturating_sub(known.size());
            *known = report;
            return;
        }
        let open = self.open_text.and_then(|place| self.reports.get_mut(place));
        if let (Some(Report::Text { stream: last, text: so_far }), Report::Text { stream, text }) =
            (open, &report)
            && last == stream
        {
            so_far.push_str(text);
            self.bytes += text.len();
            return;
        }
        match report {
            Report::Text { .. } => self.open_text = Some(self.reports.len()),
            // The log of the node shows them in their order among texts.
            Report::Plan(_) | Report::Task { .. } | Report::ToolCall { .. } | Report::ToolResult { .. } => {
                self.open_text = None;
            }
            Report::Progress { .. }
            | Report::Metric(_)
            | Report::Partial { .. }
            | Report::Cost(_)
            | Report::Prediction(_) => {}
        }
        self.bytes += size;
        self.reports.push(report);
    }
}

/// Returns the new files that partial outputs refer to.
fn files_of(reports: &[Report], made: &MadeFiles) -> BTreeMap<BlobHash, NewFile> {
    let media = reports.iter().filter_map(|report| match report {
        Report::Partial { value, .. } => Some(value.media()),
        _ => None,
    });
    let made = made.files();
    media.flatten().filter_map(|media| Some((media.hash, made.get(&media.hash)?.clone()))).collect()
}

#[cfg(test)]
mod tests;
