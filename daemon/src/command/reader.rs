//! Reads the output of a running command: progress, last line, metrics and previews. Blocks briefly.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use fanlight_shared::metric::SYSTEM;
use fanlight_shared::value::Value;
use indexmap::IndexMap;

use super::agent_output::AgentReader;
use super::collect;
use super::event::CommandEvent;
use super::folder::Folder;
use super::metrics::Source;
use super::osc::Scanner;
use super::pace::Pace;
use super::report::Report;
use super::{shown, text};
use crate::attempt::Attempt;
use crate::media;
use crate::rooted::Entry;
use crate::secret::Secrets;
use crate::series::TooMany;
use crate::services::Predictions;
use crate::store::blob::{Blobs, Published};
use crate::supervisor::log::{self, StreamTag};

/// How much is read at once, in bytes. If a log grows faster, only its end is read: only the newest lines are shown
/// anyway.
const MAX_READ_BYTES: u64 = 64 * 1024;
/// How much of a stream's end is kept for its last line, in bytes.
const MAX_TAIL_BYTES: usize = 4 * 1024;
/// The least time between two previews; each is hashed and written.
const PREVIEW_INTERVAL: Duration = Duration::from_secs(1);
/// The largest preview, in bytes; larger ones are ignored.
const MAX_PREVIEW: u64 = 16 * 1024 * 1024;
/// The most ports with previews.
const MAX_PREVIEWS: usize = 16;

/// Reads the log and the events of one attempt as they grow.
pub(super) struct Reader {
    attempt: Attempt,
    pub(super) folder: Folder,
    dir: Option<PathBuf>,
    blobs: Blobs,
    /// The reports of the command.
    pub(super) report: Report,
    predictions: Predictions,
    /// Where it writes numbers besides its events.
    pub(super) sources: Vec<Source>,
    /// What it writes, if it is an agent.
    pub(super) agent: Option<AgentReader>,
    /// Events that wait to be sent.
    pub(super) pace: Pace,
    offset: u64,
    streams: [StreamEnd; 2],
    previews: Previews,
    /// The first metric too many, until the log says so.
    too_many: Option<String>,
}

/// The end of a stream.
#[derive(Default)]
struct StreamEnd {
    scanner: Scanner,
    bytes: Vec<u8>,
}

#[derive(Default)]
struct Previews {
    wanted: IndexMap<String, String>,
    /// The newest preview of each port; holding it keeps its bytes.
    held: IndexMap<String, Published>,
    last: Option<Instant>,
}

impl Reader {
    pub(super) fn new(attempt: Attempt, folder: Folder, dir: Option<PathBuf>, blobs: Blobs) -> Self {
        let report = Report::masking(attempt.secrets.clone());
        Self {
            attempt,
            folder,
            dir,
            blobs,
            report,
            predictions: Predictions::default(),
            sources: Vec::new(),
            agent: None,
            pace: Pace::default(),
            offset: 0,
            streams: Default::default(),
            previews: Previews::default(),
            too_many: None,
        }
    }

    /// Returns the cost that was reported so far.
    pub(super) fn cost_usd(&self) -> Option<f64> {
        let of_agent = self.agent.as_ref().and_then(AgentReader::cost_usd);
        let costs = [self.report.cost_usd, of_agent];
        costs.into_iter().flatten().reduce(|one, other| one + other)
    }

    /// Returns the secrets of the command.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.attempt.secrets
    }

    /// Sets the folder in which an adopted command was laid out, and the one in which it works.
    pub(super) fn set_folder(&mut self, folder: Folder, dir: Option<PathBuf>) {
        (self.folder, self.dir) = (folder, dir);
    }

    /// Sets the secrets with which an adopted command was started.
    pub(super) fn set_secrets(&mut self, secrets: Secrets) {
        self.report.secrets = secrets.clone();
        self.attempt.secrets = secrets;
    }

    /// Reads what is new in the events file, and in the log up to `end`.
    pub(super) fn read(&mut self, end: u64) {
        match &mut self.agent {
            Some(agent) => agent.read(&self.attempt, &self.folder),
            None => self.read_log(end),
        }
        self.read_events();
        self.read_sources();
        self.publish_previews();
    }

    /// Returns whether it reads files that grow without anybody being told.
    pub(super) fn reads_files(&self) -> bool {
        self.sources.iter().any(Source::is_file)
    }

    fn read_sources(&mut self) {
        let Self { attempt, folder, dir, report, predictions, pace, sources, too_many, .. } = self;
        for source in sources {
            source.read(folder, dir.as_ref(), &mut |mut event| {
                mask(&report.secrets, &mut event);
                shown::event(attempt, predictions, &event).into_iter().for_each(|event| pace.push(event));
                record(attempt, &event, too_many);
            });
        }
        self.note_too_many();
    }

    /// Reads the rest of the sources of an attempt that has ended, and says what was wrong with them.
    fn finish_sources(&mut self) {
        self.read_sources();
        let Self { attempt, report, predictions, pace, sources, too_many, .. } = self;
        // Outputs are collected again when there is space.
        for mut source in std::mem::take(sources) {
            let secrets = report.secrets.clone();
            let notes = source.finish(&mut |mut event| {
                mask(&secrets, &mut event);
                shown::event(attempt, predictions, &event).into_iter().for_each(|event| pace.push(event));
                record(attempt, &event, too_many);
            });
            notes.iter().for_each(|note| report.note(note));
        }
        self.note_too_many();
    }

    /// Reads the rest when the attempt has ended.
    pub(super) fn finish(&mut self, end: u64) {
        match &mut self.agent {
            Some(agent) => agent.finish(&self.attempt, &self.folder, end),
            None => self.read_log(end),
        }
        self.read_events();
        let Self { attempt, report, predictions, pace, too_many, .. } = self;
        report.finish(&mut |event| {
            shown::event(attempt, predictions, event).into_iter().for_each(|event| pace.push(event));
            record(attempt, event, too_many);
        });
        self.note_too_many();
        self.finish_sources();
    }

    fn read_log(&mut self, end: u64) {
        if end <= self.offset {
            return;
        }
        let from = end.saturating_sub(MAX_READ_BYTES).max(self.offset);
        if from > self.offset {
            self.streams = Default::default();
        }
        self.offset = from;
        let mut progress = None;
        let mut newest = None;
        while self.offset < end {
            let limit = u32::try_from(end - self.offset).unwrap_or(u32::MAX);
            let Ok(part) = log::read(self.folder.path(), self.offset, limit) else { break };
            for (tag, bytes) in &part.pieces {
                let number = usize::from(*tag == StreamTag::Stderr);
                let stream = &mut self.streams[number];
                progress = stream.push(bytes).or(progress);
                newest = Some(number);
            }
            if part.next <= self.offset {
                break;
            }
            self.offset = part.next;
        }
        if let Some(fraction) = progress {
            self.pace.push(shown::progress(&self.attempt, fraction, None));
        }
        let last_line = newest.and_then(|number| text::last_line(&self.streams[number].bytes));
        self.pace.push(shown::log(&self.attempt, end, last_line));
    }

    fn read_events(&mut self) {
        let Self { attempt, folder, report, predictions, pace, previews, too_many, .. } = self;
        report.read(folder, &mut |event| {
            if let CommandEvent::Preview { name, path } = event {
                if previews.wanted.len() < MAX_PREVIEWS || previews.wanted.contains_key(name) {
                    previews.wanted.insert(name.clone(), path.clone());
                }
            } else if let Some(event) = shown::event(attempt, predictions, event) {
                pace.push(event);
            }
            record(attempt, event, too_many);
        });
        self.note_too_many();
    }

    /// Says once that the command has too many metrics.
    fn note_too_many(&mut self) {
        if let Some(name) = self.too_many.take() {
            self.report.note(&format!("warn: {}", TooMany::line(&name)));
        }
    }

    fn publish_previews(&mut self) {
        let too_soon = self.previews.last.is_some_and(|last| last.elapsed() < PREVIEW_INTERVAL);
        if self.previews.wanted.is_empty() || too_soon {
            return;
        }
        self.previews.last = Some(Instant::now());
        for (port, path) in std::mem::take(&mut self.previews.wanted) {
            match self.preview(&path) {
                Ok((value, published)) => {
                    self.previews.held.insert(port.clone(), published);
                    self.pace.push(shown::preview(&self.attempt, port, value));
                }
                Err(problem) => self.report.note(&format!("preview `{port}`: {problem}")),
            }
        }
    }

    fn preview(&self, path: &str) -> Result<(Value, Published), String> {
        let places = collect::previewed(&self.folder, self.dir.as_deref())?;
        let collect::FoundEntry { entry, name, .. } = collect::find(&places, path.as_ref())?;
        let Entry::File(file) = entry else { return Err(format!("`{}` is a folder", text::line(path))) };
        let bytes = file.metadata().map_err(|error| error.to_string())?.len();
        if bytes > MAX_PREVIEW {
            return Err(format!("`{name}` is larger than {} MiB", MAX_PREVIEW >> 20));
        }
        self.secrets().check_file(&file)?;
        let (media, published) = media::publish(&self.blobs, file, &name)?;
        Ok((Value::from(media), published))
    }
}

/// Masks secrets in the name of a metric.
fn mask(secrets: &Secrets, event: &mut CommandEvent) {
    if let CommandEvent::Metric { name, .. } = event
        && let Some(masked) = secrets.masked(name)
    {
        *name = masked;
    }
}

/// Records a metric.
fn record(attempt: &Attempt, event: &CommandEvent, too_many: &mut Option<String>) {
    let Some(measured) = event.measurement().filter(|it| !it.name.starts_with(SYSTEM)) else { return };
    let name = measured.name.clone();
    if let Err(TooMany { first: true }) = attempt.recorder.add(measured) {
        *too_many = Some(name);
    }
}

impl StreamEnd {
    fn push(&mut self, bytes: &[u8]) -> Option<Option<f64>> {
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > MAX_TAIL_BYTES {
            self.bytes.drain(..self.bytes.len() - MAX_TAIL_BYTES);
        }
        self.scanner.push(bytes)
    }
}

#[cfg(test)]
mod tests;
