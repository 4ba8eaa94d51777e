//! Colours and glyphs: the one theme of the headless commands. `STYLE.md` says what they mean.

use std::io::IsTerminal as _;

use anstyle::{AnsiColor, Style};
use fanlight_shared::run::{NodeStatus, RunStatus};

/// The meaning of a piece of text.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    /// Ordinary text.
    Plain,
    /// A heading.
    Strong,
    /// Less important.
    Dim,
    /// Something to do.
    Accent,
    /// Something waits.
    Waiting,
    /// Something runs.
    Running,
    /// Something ended well.
    Completed,
    /// Something ended badly.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// Something every client should know.
    Warning,
}

impl Role {
    /// Returns the role of a run's state.
    pub(crate) fn of_run(status: RunStatus) -> Self {
        match status {
            RunStatus::Queued => Self::Waiting,
            RunStatus::Running => Self::Running,
            RunStatus::Completed => Self::Completed,
            RunStatus::Failed => Self::Failed,
            RunStatus::Parked => Self::Warning,
            RunStatus::Cancelling | RunStatus::Cancelled => Self::Cancelled,
        }
    }

    /// Returns the role of a node's state.
    pub(crate) fn of_node(status: NodeStatus) -> Self {
        match status {
            NodeStatus::Waiting | NodeStatus::Ready => Self::Waiting,
            NodeStatus::Running => Self::Running,
            NodeStatus::Completed | NodeStatus::Cached => Self::Completed,
            NodeStatus::Failed => Self::Failed,
            NodeStatus::Skipped => Self::Dim,
            NodeStatus::Cancelled => Self::Cancelled,
        }
    }

    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Dim | Self::Waiting => Style::new().dimmed(),
            Self::Accent => colour(AnsiColor::Cyan),
            Self::Running => colour(AnsiColor::Blue),
            Self::Completed => colour(AnsiColor::Green),
            Self::Failed => colour(AnsiColor::Red),
            Self::Cancelled | Self::Warning => colour(AnsiColor::Yellow),
        }
    }
}

/// Returns the glyph of a run's state. A running run has a spinner instead, see [`SPINNER`].
pub(crate) fn run_glyph(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Queued => "○",
        RunStatus::Running => "▶",
        RunStatus::Parked => "‖",
        RunStatus::Cancelling => "◌",
        RunStatus::Completed => "✓",
        RunStatus::Failed => "✗",
        RunStatus::Cancelled => "⊘",
    }
}

/// Returns the glyph of a node's state.
pub(crate) fn node_glyph(status: NodeStatus) -> &'static str {
    match status {
        NodeStatus::Waiting => "○",
        NodeStatus::Ready => "◔",
        NodeStatus::Running => "▶",
        NodeStatus::Completed => "✓",
        NodeStatus::Cached => "≡",
        NodeStatus::Failed => "✗",
        NodeStatus::Skipped => "–",
        NodeStatus::Cancelled => "⊘",
    }
}

/// The glyphs of [`RunStatus::Running`] while it is drawn live.
pub(crate) const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// Whether an output has colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// Returns the styles for standard output.
    pub(crate) fn stdout() -> Self {
        Self { on: colours_wanted() && std::io::stdout().is_terminal() }
    }

    /// Returns the styles for standard error.
    pub(crate) fn stderr() -> Self {
        Self { on: colours_wanted() && std::io::stderr().is_terminal() }
    }

    /// Returns the paint without colours.
    pub(crate) fn none() -> Self {
        Self { on: false }
    }

    /// Returns whether it does.
    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    /// Returns the text in the colour of its role.
    pub(crate) fn apply(self, role: Role, text: &str) -> String {
        if !self.on || role == Role::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = role.style();
        format!("{style}{text}{style:#}")
    }
}

/// Returns whether the environment allows colours; `NO_COLOR` and `TERM=dumb` always apply.
fn colours_wanted() -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_none() && set("TERM").is_none_or(|term| term != "dumb")
}
