//! `metrics:` of a command: numbers that it writes to a file or to its output, read as it writes them.
//!
//! - `table`: the lines of CSV and of JSON; `pattern`: lines of output that match a pattern; `tensorboard`: event files

mod pattern;
mod table;
mod tensorboard;

use std::fs::{self, File};
use std::path::PathBuf;

use fanlight_shared::workflow::{MetricSource, Metrics};

use super::event::CommandEvent;
use super::folder::Folder;
use super::tail::{Line, Tail};
use super::{collect, text};
use crate::rooted::Entry;
use pattern::Pattern;
use table::Table;
use tensorboard::EventFiles;

/// The longest line that is read, in bytes.
const MAX_LINE: usize = 256 * 1024;
/// The most bytes of standard output that are read.
pub(super) const MAX_BYTES: u64 = 64 * 1024 * 1024;
/// The most bytes of a file that are read.
const MAX_FILE_BYTES: u64 = 512 * 1024 * 1024;
/// The most problems of a source that the log explains; the others are only counted.
const MAX_EXPLAINED: u64 = 5;

/// A source of metrics, and how far it was read.
pub(super) struct Source {
    of: Metrics,
    tail: Tail,
    lines: Lines,
    notes: Notes,
}

enum Lines {
    Table(Table),
    Pattern(Pattern),
    Events(EventFiles),
}

/// What is wrong with a source, for the log of the node.
struct Notes {
    /// The name of the source.
    of: String,
    lines: Vec<String>,
    count: u64,
}

impl Notes {
    fn say(&mut self, problem: &str) {
        self.add(format!("metrics: {}: {problem}", self.of));
    }

    /// Adds a line that names its file itself.
    fn add(&mut self, line: String) {
        self.count += 1;
        if self.count <= MAX_EXPLAINED {
            self.lines.push(line);
        }
    }
}

impl Source {
    pub(super) fn new(of: &Metrics) -> Self {
        let lines = match &of.source {
            MetricSource::File(path) => Lines::Table(Table::new(of, path.ends_with(".tsv"))),
            MetricSource::Stdout(pattern) => Lines::Pattern(Pattern::new(pattern)),
            MetricSource::TensorBoard(_) => Lines::Events(EventFiles::default()),
        };
        let name = match &of.source {
            MetricSource::File(path) | MetricSource::TensorBoard(path) => format!("`{}`", text::line(path)),
            MetricSource::Stdout(_) => "stdout".to_owned(),
        };
        let notes = Notes { of: name, lines: Vec::new(), count: 0 };
        Self { of: of.clone(), tail: Tail::new(MAX_LINE, most(of)), lines, notes }
    }

    /// Returns whether it is a file, whose growth nobody announces.
    pub(super) fn is_file(&self) -> bool {
        matches!(self.of.source, MetricSource::File(_) | MetricSource::TensorBoard(_))
    }

    /// Reads what is new.
    pub(super) fn read(
        &mut self,
        folder: &Folder,
        dir: Option<&PathBuf>,
        visit: &mut dyn FnMut(CommandEvent),
    ) {
        let Self { of, tail, lines, notes } = self;
        if let (Lines::Events(events), MetricSource::TensorBoard(path)) = (&mut *lines, &of.source) {
            return events.read(folder, dir, path.as_ref(), of, notes, visit);
        }
        let mut take = |line: Line<'_>| lines.take(&line, of, notes, visit);
        let read = match &of.source {
            MetricSource::Stdout(_) => tail.read(folder.path(), "stdout", &mut take),
            MetricSource::File(path) => match find(folder, dir, path) {
                None => return,
                Some(file) => tail.read_file(file, &mut take),
            },
            MetricSource::TensorBoard(_) => return,
        };
        if let Err(refusal) = read {
            notes.say(&format!("it can't be read: {refusal}"));
        }
    }

    /// Reads the last line when the command has ended, and returns what was wrong.
    pub(super) fn finish(&mut self, visit: &mut dyn FnMut(CommandEvent)) -> Vec<String> {
        let Self { of, tail, lines, notes } = self;
        tail.finish(&mut |line| lines.take(&line, of, notes, visit));
        let nothing = match lines {
            Lines::Table(table) => table.nothing(),
            Lines::Pattern(pattern) => pattern.nothing(),
            Lines::Events(events) => {
                events.finish(notes);
                events.nothing(of)
            }
        };
        let name = &notes.of;
        let nothing = nothing.map(|why| format!("metrics: {name} {why}"));
        let more = (notes.count > MAX_EXPLAINED)
            .then(|| format!("metrics: {name} has {} such problems in all", notes.count));
        notes.lines.drain(..).chain(more).chain(nothing).collect()
    }
}

/// Returns how many bytes of a source are read at most.
fn most(of: &Metrics) -> u64 {
    match of.source {
        MetricSource::Stdout(_) => MAX_BYTES,
        MetricSource::File(_) | MetricSource::TensorBoard(_) => MAX_FILE_BYTES,
    }
}

impl Lines {
    fn take(
        &mut self,
        line: &Line<'_>,
        of: &Metrics,
        notes: &mut Notes,
        visit: &mut dyn FnMut(CommandEvent),
    ) {
        let line = match line {
            Line::Whole(line) => String::from_utf8_lossy(line),
            // Its first line names the columns again.
            Line::Again => {
                if let Self::Table(table) = self {
                    table.begin_again();
                }
                return;
            }
            Line::TooLong => {
                return notes.say(&format!("a line is longer than {} KiB and is left out", MAX_LINE >> 10));
            }
            Line::TooMuch => {
                return notes.say(&format!("only the first {} MiB are read", most(of) >> 20));
            }
        };
        match self {
            Self::Table(table) => table.take(&line, of, notes, visit),
            // Bars of progress return to the beginning of their line.
            Self::Pattern(pattern) => line.split('\r').for_each(|line| pattern.take(line, of, notes, visit)),
            Self::Events(_) => {}
        }
    }
}

/// Returns the file, once this attempt has written it.
fn find(folder: &Folder, dir: Option<&PathBuf>, path: &str) -> Option<File> {
    let places = collect::previewed(folder, dir.map(PathBuf::as_path)).ok()?;
    let Entry::File(file) = collect::find(&places, path.as_ref()).ok()?.entry else { return None };
    (!is_earlier(folder, &file)).then_some(file)
}

/// Returns whether a file was written before this attempt: a folder of `dir:` may still have that of an earlier one.
fn is_earlier(folder: &Folder, file: &File) -> bool {
    let begun = fs::metadata(folder.path()).and_then(|meta| meta.created()).ok();
    let written = file.metadata().and_then(|meta| meta.modified()).ok();
    begun.zip(written).is_some_and(|(begun, written)| written < begun)
}

/// Returns the number in a text; `None` if there is none.
fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    // Commas, brackets and signs of units follow numbers in lines of output.
    text.parse().ok().or_else(|| text.trim_end_matches([',', ';', ']', ')', '%', '.']).parse().ok())
}

/// Returns the step in a text.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn step(text: &str) -> Option<u64> {
    let number = number(text)?;
    let whole = number >= 0.0 && number.fract() == 0.0 && number <= fanlight_shared::metric::MAX_STEP as f64;
    whole.then_some(number as u64)
}

/// Returns the report of a metric.
fn metric(name: &str, value: f64, step: Option<u64>, of: &Metrics) -> CommandEvent {
    let goal = of.goals.get(name).copied();
    CommandEvent::Metric { name: name.to_owned(), value, unit: None, step, time: None, goal }
}

#[cfg(test)]
mod tests;
