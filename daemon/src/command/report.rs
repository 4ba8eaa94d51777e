//! The reports of a command in `$FANLIGHT_EVENTS`: reads the lines as they are written, in bounded memory.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::event::{self, CommandEvent, MAX_LINE};
use super::folder::Folder;
use super::tail::{Line, Tail};
use crate::secret::Secrets;

/// The most bytes of the file that are read.
const MAX_BYTES: u64 = 512 * 1024 * 1024;
/// The most outputs and metrics that are kept.
const MAX_NAMES: usize = 256;
/// The most lines for the log, and the most bytes of them.
const MAX_NOTES: usize = 1_000;
const MAX_NOTE_BYTES: usize = 256 * 1024;
/// The most bad lines that are explained; the others are only counted.
const MAX_EXPLAINED: u64 = 5;

/// The value of an output as a command reported it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Reported {
    /// A value.
    Value(Json),
    /// A file or folder.
    Path(String),
    /// Something that contains a secret.
    Secret,
}

/// The reports so far.
#[derive(Debug)]
pub(super) struct Report {
    /// Outputs by name.
    pub(super) outputs: IndexMap<String, Reported>,
    /// The reported cost.
    pub(super) cost_usd: Option<f64>,
    /// The secrets of the command, which are masked in what it reports.
    pub(super) secrets: Secrets,
    /// Lines for the log.
    notes: Vec<String>,
    note_bytes: usize,
    bad: u64,
    /// Whether the command wrote more than is read.
    cut: bool,
    tail: Tail,
}

impl Default for Report {
    fn default() -> Self {
        Self::masking(Secrets::default())
    }
}

impl Report {
    /// Returns no reports yet; in those that follow these secrets are masked.
    pub(super) fn masking(secrets: Secrets) -> Self {
        let (outputs, notes) = Default::default();
        let tail = Tail::new(MAX_LINE, MAX_BYTES);
        Self { outputs, cost_usd: None, secrets, notes, note_bytes: 0, bad: 0, cut: false, tail }
    }

    /// Reads what is new and calls `visit` with each event, including outputs, costs and log lines.
    pub(super) fn read(&mut self, folder: &Folder, visit: &mut dyn FnMut(&CommandEvent)) {
        let mut tail = std::mem::replace(&mut self.tail, Tail::new(MAX_LINE, MAX_BYTES));
        let read = tail.read(folder.files(), "events.jsonl", &mut |line| self.take(&line, visit));
        self.tail = tail;
        if let Err(refusal) = read {
            let known = self.notes.iter().any(|it| it.contains("$FANLIGHT_EVENTS can't be read"));
            if !known {
                self.note(&format!("$FANLIGHT_EVENTS can't be read: {refusal}"));
            }
        }
    }

    /// Reads the rest when the attempt has ended: an unterminated last line counts, and bad lines are reported.
    pub(super) fn finish(&mut self, visit: &mut dyn FnMut(&CommandEvent)) {
        let mut tail = std::mem::replace(&mut self.tail, Tail::new(MAX_LINE, MAX_BYTES));
        tail.finish(&mut |line| self.take(&line, visit));
        self.tail = tail;
        if self.bad > MAX_EXPLAINED {
            self.note(&format!("{} lines of $FANLIGHT_EVENTS in all were ignored", self.bad));
        }
    }

    /// Returns the lines for the log.
    pub(super) fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Adds a line for the log.
    pub(super) fn note(&mut self, text: &str) {
        // Before it is cut, which could leave a part of a secret.
        let text = super::text::line(self.secrets.masked(text).as_deref().unwrap_or(text));
        if self.notes.len() < MAX_NOTES && self.note_bytes + text.len() < MAX_NOTE_BYTES {
            self.note_bytes += text.len();
            self.notes.push(text);
        }
    }

    /// Returns what is wrong if the command wrote more than is read: what it reported last is not known.
    pub(super) fn check_whole(&self) -> Result<(), String> {
        match self.cut {
            false => Ok(()),
            true => Err(format!(
                "the command wrote more than {} MiB to $FANLIGHT_EVENTS, and what it reported after that was not read; \
                 report less often, or write metrics to a file and name it under `metrics:`",
                MAX_BYTES >> 20
            )),
        }
    }

    fn take(&mut self, line: &Line<'_>, visit: &mut dyn FnMut(&CommandEvent)) {
        match line {
            Line::Whole(line) => self.line(line, visit),
            // Its lines are further reports.
            Line::Again => {}
            Line::TooLong => self.bad_line(&format!("it is longer than {} KiB", MAX_LINE / 1024)),
            Line::TooMuch => {
                self.cut = true;
                self.note(&format!("only the first {} MiB of $FANLIGHT_EVENTS are read", MAX_BYTES >> 20));
            }
        }
    }

    fn line(&mut self, line: &[u8], visit: &mut dyn FnMut(&CommandEvent)) {
        if line.trim_ascii().is_empty() {
            return;
        }
        let event = event::json_of(line).and_then(|mut json| {
            let masked = self.secrets.mask_json(&mut json);
            Ok((event::of_json(json)?, masked))
        });
        match event {
            Ok((event, masked)) => {
                self.keep(&event, masked);
                // A masked output is not what the command reported.
                if !(masked && matches!(event, CommandEvent::Output { .. })) {
                    visit(&event);
                }
            }
            Err(reason) => self.bad_line(&reason),
        }
    }

    fn bad_line(&mut self, reason: &str) {
        self.bad += 1;
        if self.bad <= MAX_EXPLAINED {
            self.note(&format!("a line of $FANLIGHT_EVENTS was ignored: {reason}"));
        }
    }

    fn keep(&mut self, event: &CommandEvent, masked: bool) {
        match event {
            CommandEvent::Output { name, .. }
                if ["stdout", "exit_code", "status"].contains(&name.as_str()) =>
            {
                self.bad_line(&format!("the output `{name}` is Fanlight's own"));
            }
            CommandEvent::Output { name, value, path } => {
                if self.outputs.len() >= MAX_NAMES && !self.outputs.contains_key(name) {
                    self.bad_line(&format!("there are more than {MAX_NAMES} outputs"));
                } else if masked {
                    self.outputs.insert(name.clone(), Reported::Secret);
                } else if let Some(value) = value {
                    self.outputs.insert(name.clone(), Reported::Value(value.clone()));
                } else if let Some(path) = path {
                    self.outputs.insert(name.clone(), Reported::Path(path.clone()));
                }
            }
            CommandEvent::Cost { usd } | CommandEvent::Prediction { cost_usd: Some(usd), .. } => {
                *self.cost_usd.get_or_insert(0.0) += usd;
            }
            CommandEvent::Log { level, message } => self.note(&format!("{}: {message}", level.word())),
            CommandEvent::Progress { .. }
            | CommandEvent::Preview { .. }
            | CommandEvent::Metric { .. }
            | CommandEvent::Plan { .. }
            | CommandEvent::Task { .. }
            | CommandEvent::ToolCall { .. }
            | CommandEvent::ToolResult { .. }
            | CommandEvent::Prediction { cost_usd: None, .. } => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanlight_shared::id::AttemptId;
    use std::fs;
    use std::io::Write as _;

    struct Fixture {
        _temp: tempfile::TempDir,
        folder: Folder,
        report: Report,
    }

    fn fixture() -> Fixture {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::of(temp.path(), AttemptId::new());
        folder.make().unwrap();
        Fixture { _temp: temp, folder, report: Report::default() }
    }

    impl Fixture {
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
    fn each_line_is_read_once_when_it_is_complete() {
        let mut fixture = fixture();
        fixture.append("{\"type\":\"cost\",\"usd\":0.25}\n{\"type\":\"cost\",");
        assert_eq!(fixture.read(), 1);
        assert_eq!(fixture.read(), 0);
        fixture.append("\"usd\":0.25}\n{\"type\":\"prediction\",\"provider\":\"p\",\"model\":\"m\",\"cost_usd\":0.25}\n\n{\"type\":\"output\",\"name\":\"a\",\"value\":1}");
        assert_eq!(fixture.read(), 2);
        fixture.report.finish(&mut |_| {});
        assert_eq!(fixture.report.cost_usd, Some(0.75));
        assert_eq!(fixture.report.outputs["a"], Reported::Value(1.into()));
    }

    #[test]
    fn bad_lines_are_counted_and_otherwise_ignored() {
        let mut fixture = fixture();
        for _ in 0..20 {
            fixture.append("oops\n");
        }
        fixture.append("{\"type\":\"tomorrow\"}\n{\"type\":\"output\",\"name\":\"stdout\",\"value\":1}\n");
        fixture.append("{\"type\":\"log\",\"level\":\"warn\",\"message\":\"a\\u001b[2Jb\"}\n");
        fixture.read();
        fixture.report.finish(&mut |_| {});
        let notes = fixture.report.notes();
        assert_eq!(notes.len(), 7, "{notes:?}");
        assert!(notes.contains(&"warn: ab".to_owned()), "{notes:?}");
        assert!(notes[6].starts_with("22 lines"), "{notes:?}");
        assert!(fixture.report.outputs.is_empty());
    }

    #[test]
    fn an_endless_line_takes_bounded_memory_and_hides_nothing_after_it() {
        let mut fixture = fixture();
        for _ in 0..10 {
            fixture.append(&"x".repeat(MAX_LINE));
            fixture.read();
            assert!(fixture.report.tail.line.len() <= MAX_LINE);
        }
        fixture.append("\n{\"type\":\"cost\",\"usd\":1}\n");
        assert_eq!(fixture.read(), 1);
        assert!(fixture.report.notes()[0].contains("longer than"));
    }

    #[test]
    fn a_rewritten_file_is_read_from_its_beginning() {
        let mut fixture = fixture();
        fixture.append("{\"type\":\"progress\",\"value\":0.25}\n");
        assert_eq!(fixture.read(), 1);
        fs::write(fixture.folder.events(), "{\"type\":\"progress\"}\n").unwrap();
        assert_eq!(fixture.read(), 1);
    }

    #[test]
    fn a_link_or_a_fifo_in_place_of_the_file_is_not_read() {
        let mut fixture = fixture();
        std::os::unix::fs::symlink("/etc/passwd", fixture.folder.events()).unwrap();
        assert_eq!(fixture.read() + fixture.read(), 0);
        assert_eq!(fixture.report.notes().len(), 1);
        fs::remove_file(fixture.folder.events()).unwrap();
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, fixture.folder.events(), mode).unwrap();
        assert_eq!(fixture.read(), 0);
    }

    #[test]
    fn a_command_that_wrote_more_than_is_read_fails() {
        let mut fixture = fixture();
        fixture.append("{\"type\":\"cost\",\"usd\":1}\n");
        fixture.read();
        assert_eq!(fixture.report.check_whole(), Ok(()));
        fixture.report.take(&Line::TooMuch, &mut |_| {});
        assert!(fixture.report.check_whole().unwrap_err().contains("more than 512 MiB"));
    }
}
