//! Follows what an agent writes, and reports it: `stream` knows the dialects.

mod stream;

use std::fs;

use super::failure;
use super::folder::Folder;
use super::tail::Tail;
use crate::attempt::Attempt;
use crate::services::{Report, Reporter, Stream as LogStream};
use crate::supervisor::log;
use stream::MAX_LINE;
pub(super) use stream::{Dialect, Stream};

/// The most output that is read, in bytes.
pub(super) const MAX_OUTPUT: u64 = 64 << 20;

/// Reads the output of an agent as it grows.
pub(super) struct AgentReader {
    pub(super) stream: Stream,
    tail: Tail,
    reporter: Option<Reporter>,
    /// Whether the rest was read.
    ended: bool,
}

impl AgentReader {
    pub(super) fn new(dialect: Dialect, model: Option<String>) -> Self {
        Self {
            stream: Stream::new(dialect, model),
            tail: Tail::new(MAX_LINE, MAX_OUTPUT),
            reporter: None,
            ended: false,
        }
    }

    /// Reads what is new. Blocks.
    pub(super) fn read(&mut self, attempt: &Attempt, folder: &Folder) {
        let Self { stream, tail, .. } = self;
        if let Err(refusal) = tail.read(folder.path(), "stdout", &mut |line| stream.take(&line)) {
            tracing::warn!(attempt = %attempt.id, %refusal, "the output of an agent can't be read");
        }
        self.report(attempt, folder);
    }

    /// Reads the rest of an agent that has ended, and what it wrote to its standard error, up to `end` of its log. Blocks.
    pub(super) fn finish(&mut self, attempt: &Attempt, folder: &Folder, end: u64) {
        // Outputs are collected again when there is space.
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        self.read(attempt, folder);
        let Self { stream, tail, .. } = self;
        tail.finish(&mut |line| stream.take(&line));
        self.report(attempt, folder);
        let stderr = failure::stderr(folder.path(), end);
        let text = String::from_utf8_lossy(&stderr).into_owned();
        let reporter = self.reporter(attempt, folder);
        if !text.is_empty() {
            reporter.take(Report::Text { stream: LogStream::Log, text });
        }
        reporter.finish();
    }

    /// Returns the cost so far, if it is known.
    pub(super) fn cost_usd(&self) -> Option<f64> {
        self.reporter.as_ref()?.cost_usd()
    }

    fn report(&mut self, attempt: &Attempt, folder: &Folder) {
        let reports = self.stream.reports();
        if !reports.is_empty() {
            let reporter = self.reporter(attempt, folder);
            reports.into_iter().for_each(|report| reporter.take(report));
        }
    }

    fn reporter(&mut self, attempt: &Attempt, folder: &Folder) -> &Reporter {
        self.reporter.get_or_insert_with(|| {
            let said = folder.said();
            // An earlier daemon began it; all of it is written again from the agent's output.
            for entry in fs::read_dir(&said).into_iter().flatten().flatten() {
                let _ = fs::remove_file(entry.path());
            }
            Reporter::new(attempt.clone(), &said)
        })
    }
}

/// Returns the end of the log of what an agent said.
pub(super) fn end(folder: &Folder) -> u64 {
    log::read(&folder.said(), u64::MAX, 1).map_or(0, |part| part.end)
}
