//! What a command has reported so far by `$FANLIGHT_EVENTS`: reads the lines as they come, in bounded memory.

use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::event::{self, CommandEvent, LONGEST_LINE};
use super::folder::Folder;
use crate::rooted::{Refusal, open_own};

/// Nothing behind this is read.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
/// More outputs, metrics and the like are not kept.
const MOST_NAMES: usize = 256;
/// More lines for the log are not kept, nor more bytes of them.
const MOST_NOTES: usize = 1_000;
const MOST_NOTE_BYTES: usize = 256 * 1024;
/// Of so many bad lines it is said what is wrong with them; the others are counted.
const MOST_NAMED: u64 = 5;

/// What a command said an output is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reported {
    /// A value.
    Value(Json),
    /// A file or folder.
    Path(String),
}

/// What has been reported.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Outputs by name.
    pub(super) outputs: IndexMap<String, Reported>,
    /// What was spent, if anything was said of it.
    pub(super) cost_usd: Option<f64>,
    /// Lines for the log.
    notes: Vec<String>,
    note_bytes: usize,
    bad: u64,
    tail: Tail,
}

/// How far the file has been read.
#[derive(Debug, Default)]
struct Tail {
    inode: u64,
    offset: u64,
    total: u64,
    line: Vec<u8>,
    /// The line is too long: it is left out to its end.
    skip: bool,
}

impl Report {
    /// Reads what is new and tells each event in turn, outputs, costs and lines for the log included.
    pub(super) fn read(&mut self, folder: &Folder, tell: &mut dyn FnMut(&CommandEvent)) {
        if let Err(refusal) = self.read_new(folder, tell) {
            let known = self.notes.iter().any(|it| it.contains("$FANLIGHT_EVENTS can't be read"));
            if !known {
                self.note(&format!("$FANLIGHT_EVENTS can't be read: {refusal}"));
            }
        }
    }

    /// The attempt has ended: a last line without its end counts, and bad lines are told.
    pub(super) fn finish(&mut self, tell: &mut dyn FnMut(&CommandEvent)) {
        let line = std::mem::take(&mut self.tail.line);
        if !self.tail.skip {
            self.line(&line, tell);
        }
        self.tail.skip = false;
        if self.bad > MOST_NAMED {
            self.note(&format!("{} lines of $FANLIGHT_EVENTS in all were ignored", self.bad));
        }
    }

    /// The lines for the log.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// A line for the log.
    pub(super) fn note(&mut self, text: &str) {
        let text = super::text::line(text);
        if self.notes.len() < MOST_NOTES && self.note_bytes + text.len() < MOST_NOTE_BYTES {
            self.note_bytes += text.len();
            self.notes.push(text);
        }
    }

    fn read_new(&mut self, folder: &Folder, tell: &mut dyn FnMut(&CommandEvent)) -> Result<(), Refusal> {
        let mut file = match open_own(folder.path(), "events.jsonl") {
            Err(Refusal::Absent) => return Ok(()),
            other => other?,
        };
        let meta = file.metadata()?;
        if meta.ino() != self.tail.inode || meta.len() < self.tail.offset {
            // A new file, or one that was written with `>` instead of `>>`: it begins again.
            self.tail = Tail { inode: meta.ino(), total: self.tail.total, ..Tail::default() };
        }
        if meta.len() == self.tail.offset || self.tail.total >= MOST_BYTES {
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.tail.offset))?;
        let mut chunk = vec![0; LONGEST_LINE];
        loop {
            let count = match file.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            self.tail.offset += count as u64;
            self.tail.total += count as u64;
            self.bytes(&chunk[..count], tell);
            if self.tail.total >= MOST_BYTES {
                self.note(&format!("only the first {} MiB of $FANLIGHT_EVENTS are read", MOST_BYTES >> 20));
                return Ok(());
            }
        }
    }

    fn bytes(&mut self, bytes: &[u8], tell: &mut dyn FnMut(&CommandEvent)) {
        let mut parts = bytes.split(|it| *it == b'\n');
        let last = parts.next_back().unwrap_or_default();
        for part in parts {
            self.append(part);
            let line = std::mem::take(&mut self.tail.line);
            if !std::mem::take(&mut self.tail.skip) {
                self.line(&line, tell);
            }
        }
        self.append(last);
    }

    fn append(&mut self, part: &[u8]) {
        if self.tail.skip {
            return;
        }
        if self.tail.line.len() + part.len() > LONGEST_LINE {
            self.tail.line = Vec::new();
            self.tail.skip = true;
            self.bad_line(&format!("it is longer than {} KiB", LONGEST_LINE / 1024));
            return;
        }
        self.tail.line.extend_from_slice(part);
    }

    fn line(&mut self, line: &[u8], tell: &mut dyn FnMut(&CommandEvent)) {
        if line.trim_ascii().is_empty() {
            return;
        }
        match event::parse(line) {
            Ok(event) => {
                self.keep(&event);
                tell(&event);
            }
            Err(reason) => self.bad_line(&reason),
        }
    }

    fn bad_line(&mut self, reason: &str) {
        self.bad += 1;
        if self.bad <= MOST_NAMED {
            self.note(&format!("a line of $FANLIGHT_EVENTS was ignored: {reason}"));
        }
    }

    fn keep(&mut self, event: &CommandEvent) {
        match event {
            CommandEvent::Output { name, .. }
                if ["stdout", "exit_code", "status"].contains(&name.as_str()) =>
            {
                self.bad_line(&format!("the output `{name}` is Fanlight's own"));
            }
            CommandEvent::Output { name, value, path } => {
                if self.outputs.len() >= MOST_NAMES && !self.outputs.contains_key(name) {
                    self.bad_line(&format!("there are more than {MOST_NAMES} outputs"));
                } else if let Some(value) = value {
                    self.outputs.insert(name.clone(), Reported::Value(value.clone()));
                } else if let Some(path) = path {
                    self.outputs.insert(name.clone(), Reported::Path(path.clone()));
                }
            }
            CommandEvent::Cost { usd } => *self.cost_usd.get_or_insert(0.0) += usd,
            CommandEvent::Log { level, message } => self.note(&format!("{}: {message}", level.word())),
            CommandEvent::Progress { .. } | CommandEvent::Preview { .. } | CommandEvent::Metric { .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanlight_shared::id::AttemptId;
    use std::fs;
    use std::io::Write as _;

    struct Desk {
        _temp: tempfile::TempDir,
        folder: Folder,
        report: Report,
    }

    fn desk() -> Desk {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::of(temp.path(), AttemptId::new());
        folder.make().unwrap();
        Desk { _temp: temp, folder, report: Report::default() }
    }

    impl Desk {
        fn append(&self, text: &str) {
            let mut file = fs::File::options().append(true).create(true).open(self.folder.events()).unwrap();
            file.write_all(text.as_bytes()).unwrap();
        }
        fn read(&mut self) -> usize {
            let mut count = 0;
            self.report.read(&self.folder, &mut |_| count += 1);
            count
        }
    }

    #[test]
    fn lines_are_read_once_and_when_they_are_whole() {
        let mut desk = desk();
        desk.append("{\"type\":\"cost\",\"usd\":0.25}\n{\"type\":\"cost\",");
        assert_eq!(desk.read(), 1);
        assert_eq!(desk.read(), 0);
        desk.append("\"usd\":0.5}\n\n{\"type\":\"output\",\"name\":\"a\",\"value\":1}");
        assert_eq!(desk.read(), 1);
        desk.report.finish(&mut |_| {});
        assert_eq!(desk.report.cost_usd, Some(0.75));
        assert_eq!(desk.report.outputs["a"], Reported::Value(1.into()));
    }

    #[test]
    fn bad_lines_are_counted_and_do_no_harm() {
        let mut desk = desk();
        for _ in 0..20 {
            desk.append("oops\n");
        }
        desk.append("{\"type\":\"tomorrow\"}\n{\"type\":\"output\",\"name\":\"stdout\",\"value\":1}\n");
        desk.append("{\"type\":\"log\",\"level\":\"warn\",\"message\":\"a\\u001b[2Jb\"}\n");
        desk.read();
        desk.report.finish(&mut |_| {});
        let notes = desk.report.notes();
        assert_eq!(notes.len(), 7, "{notes:?}");
        assert!(notes.contains(&"warn: ab".to_owned()), "{notes:?}");
        assert!(notes[6].starts_with("22 lines"), "{notes:?}");
        assert!(desk.report.outputs.is_empty());
    }

    #[test]
    fn an_endless_line_takes_no_memory_and_hides_nothing_behind_it() {
        let mut desk = desk();
        for _ in 0..10 {
            desk.append(&"x".repeat(LONGEST_LINE));
            desk.read();
            assert!(desk.report.tail.line.len() <= LONGEST_LINE);
        }
        desk.append("\n{\"type\":\"cost\",\"usd\":1}\n");
        assert_eq!(desk.read(), 1);
        assert!(desk.report.notes()[0].contains("longer than"));
    }

    #[test]
    fn a_file_that_was_written_anew_is_read_anew() {
        let mut desk = desk();
        desk.append("{\"type\":\"progress\",\"value\":0.25}\n");
        assert_eq!(desk.read(), 1);
        fs::write(desk.folder.events(), "{\"type\":\"progress\"}\n").unwrap();
        assert_eq!(desk.read(), 1);
    }

    #[test]
    fn a_link_or_a_fifo_in_its_place_is_not_read() {
        let mut desk = desk();
        std::os::unix::fs::symlink("/etc/passwd", desk.folder.events()).unwrap();
        assert_eq!(desk.read() + desk.read(), 0);
        assert_eq!(desk.report.notes().len(), 1);
        fs::remove_file(desk.folder.events()).unwrap();
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, desk.folder.events(), mode).unwrap();
        assert_eq!(desk.read(), 0);
    }
}
