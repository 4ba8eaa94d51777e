//! What people and programs read: the only place that writes to stdout and stderr.

pub(crate) mod ask;
pub(crate) mod json;
pub(crate) mod live;
pub(crate) mod markdown;
pub(crate) mod progress;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod text;

use std::io::{self, BufWriter, IsTerminal as _, Write};

use fanlight_shared::problem::Problem;

use crate::failure::Failure;

/// Says something on stderr. Nobody listening there is no reason to stop.
pub(crate) fn note(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{line}");
}

/// Shows problems of a workflow file on stderr, each with its line and a caret.
pub(crate) fn problems(name: &str, document: &str, problems: &[Problem]) {
    if problems.is_empty() {
        return;
    }
    note(fanlight_shared::document::report::render_problems(problems, name, document).trim_end());
}

/// Standard output. A closed pipe ends the command with success.
pub(crate) struct Out {
    writer: BufWriter<io::Stdout>,
    terminal: bool,
}

impl Out {
    /// The standard output of this process.
    pub(crate) fn new() -> Self {
        let stdout = io::stdout();
        let terminal = stdout.is_terminal();
        Self { writer: BufWriter::with_capacity(32 * 1024, stdout), terminal }
    }

    /// Whether a person looks at it.
    pub(crate) fn is_terminal(&self) -> bool {
        self.terminal
    }

    /// Writes a line.
    pub(crate) fn line(&mut self, line: &str) -> Result<(), Failure> {
        self.bytes(line.as_bytes())?;
        self.bytes(b"\n")
    }

    /// Writes bytes as they are.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.writer.write_all(bytes).map_err(|error| broken(&error))
    }

    /// Hands over what was written so far.
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
