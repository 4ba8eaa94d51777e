//! What a command adds to a node: its shell, its outputs, its metrics and what its result depends on.

use indexmap::IndexMap;

use super::dir::Changes;
use crate::metric::Goal;
use crate::problem::Span;
use crate::template::Template;
use crate::types::Type;

/// The interpreter of a script.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Shell {
    /// `bash -eo pipefail` if bash is installed, else `sh -e`.
    #[default]
    Default,
    /// `bash -eo pipefail`.
    Bash,
    /// `sh -e`.
    Sh,
    /// `python3`, else `python`.
    Python,
    /// This program with these arguments, the script's path last.
    Program(Vec<String>),
}

impl Shell {
    /// Returns the name of its program; `None` if it depends on what is installed.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Default => None,
            Self::Bash => Some("bash"),
            Self::Sh => Some("sh"),
            Self::Python => Some("python"),
            Self::Program(words) => words.first().map(String::as_str),
        }
    }
}

/// `remember:`: what the result of a command depends on besides the command itself and its inputs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Remember {
    /// Patterns of files below the folder of the workflow file.
    pub files: Vec<String>,
    /// Names of variables that the command gets from the daemon. Those of the submitter and `env:` count anyway.
    pub env: Vec<String>,
    /// Names of programs that it starts. Its own program or shell counts anyway.
    pub tools: Vec<String>,
}

/// One of `metrics:`: numbers that a command writes to a file or to its output.
#[derive(Clone, PartialEq, Debug)]
pub struct Metrics {
    /// Where it writes them.
    pub source: MetricSource,
    /// The columns of a file, or the scalars of event files, that are metrics; empty for all with numbers.
    pub columns: Vec<String>,
    /// The column or group with the step.
    pub step: Option<String>,
    /// The directions in which metrics get better.
    pub goals: IndexMap<String, Goal>,
}

impl Metrics {
    /// Returns the column or group with the step.
    #[must_use]
    pub fn step_name(&self) -> &str {
        self.step.as_deref().unwrap_or(Self::STEP)
    }

    /// The column or group with the step, unless another one is named.
    pub const STEP: &str = "step";
}

/// Where a command writes numbers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum MetricSource {
    /// A file below its folder, as CSV or JSON lines.
    File(String),
    /// Lines of its output that match this regular expression, whose named groups are metrics.
    Stdout(String),
    /// The event files of TensorBoard below a folder below its own.
    TensorBoard(String),
}

/// A declared output of a command.
#[derive(Clone, PartialEq, Debug)]
pub struct CommandOutput {
    /// The source of its value.
    pub source: OutputSource,
    /// Its type.
    pub ty: Type,
    /// The file name under which media is stored, instead of the file's own; a text once the node starts.
    pub name: Option<Template>,
    /// Of a `glob:` under `dir:`: whether to include files that the command left unchanged.
    pub take_unchanged: bool,
    /// Its place in the file.
    pub span: Span,
}

impl CommandOutput {
    /// Returns the file name under which media is stored, if it is known.
    #[must_use]
    pub fn file_name(&self) -> Option<&str> {
        match &self.name {
            Some(Template::Literal(value)) => value.as_text(),
            _ => None,
        }
    }

    /// Returns whether a text is a file name without folders.
    #[must_use]
    pub fn is_file_name(text: &str) -> bool {
        !matches!(text, "" | "." | "..")
            && text.len() <= 255
            && !text.contains(|it: char| it == '/' || it.is_control())
    }
}

/// The source of a command's output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OutputSource {
    /// One file or folder below the work folder.
    Path(String),
    /// The matching files below the work folder, as a list in name order.
    Glob(String),
    /// A field of stdout as JSON: names and indexes separated by dots; `.` is the whole document.
    Json(String),
    /// The value that the command reports under this name in `$FANLIGHT_EVENTS`.
    Event,
    /// What the command changed in its own copy or work tree.
    Changes(Changes),
}
