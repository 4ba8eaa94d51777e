//! Output for people and programs: the only place that writes to stdout and stderr.

pub(crate) mod amount;
pub(crate) mod ask;
pub(crate) mod json;
pub(crate) mod live;
pub(crate) mod markdown;
pub(crate) mod progress;
pub(crate) mod question;
mod sending;
pub(crate) mod silence;
pub(crate) mod style;
pub(crate) mod table;

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal as _, Write};

use fanlight_shared::problem::Problem;
use fanlight_shared::sanitise;

use crate::ascii;
use crate::failure::Failure;
pub(crate) use sending::{Sending, be_silent};
use style::{Paint, Role};

/// Returns a text for people, in ASCII if their terminal shows nothing else.
pub(crate) fn for_people(text: &str) -> Cow<'_, str> {
    if ascii::is_wanted() { ascii::text(text) } else { Cow::Borrowed(text) }
}

/// Writes a line to stderr. A closed stderr is ignored.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", for_people(line));
}

/// Shows problems of a workflow file on stderr, each with its line and a caret.
pub(crate) fn problems(name: &str, document: &str, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    note(fanlight_shared::document::report::render_problems(problems, name, document).trim_end());
}

/// Shows on stderr why a command failed.
pub(crate) fn failure(failure: &Failure) {
    let paint = Paint::stderr();
    let (error, hint) = failure.parts();
    for (role, word, text) in [(Role::Failed, "error:", error), (Role::Accent, "hint:", hint)] {
        if let Some(text) = text {
            note(&format!("{} {}", paint.apply(role, word), sanitise::plain(text)));
        }
    }
}

/// Standard output. A closed pipe ends the command with success.
pub(crate) struct Out {
    writer: BufWriter<io::Stdout>,
    terminal: bool,
    /// Whether lines are ASCII only. Programs get the text unchanged unless the user asked for ASCII: a changed path
    /// would be another path.
    ascii: bool,
}

impl Out {
    /// Returns the standard output of this process.
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        let ascii = ascii::is_asked_for() || (terminal && ascii::is_wanted());
        Self { writer: BufWriter::with_capacity(32 * 1024, stdout), terminal, ascii }
    }

    /// Returns whether it is a terminal.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Returns the columns of the terminal, if it is one.
    pub(crate) fn columns(&self) -> Option<usize> {
        self.terminal.then(|| live::terminal_size().0)
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Failure> {
        let line = if self.ascii { ascii::text(line) } else { Cow::Borrowed(line) };
        self.bytes(line.as_bytes())?;
        self.bytes(b"\n")
    }

    /// Writes a line of JSON.
    pub(crate) fn json(&mut self, line: &str) -> Result<(), Failure> {
        let line = if self.ascii { ascii::json(line) } else { Cow::Borrowed(line) };
        self.bytes(line.as_bytes())?;
        self.bytes(b"\n")
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.writer.write_all(bytes).map_err(|error| broken(&error))
    }

    /// Flushes the output.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        self.writer.flush().map_err(|error| broken(&error))
    }
}

fn broken(error: &io::Error) -> Failure {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return Failure::pipe_closed();
    }
    Failure::failed(format!("the output can't be written: {error}"))
}
