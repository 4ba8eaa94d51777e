//! The state of the queue pane: its runs by section, the cursor, the marks.
//!
//! [`sections`] keeps the position of each run, [`sweeps`] what is known of sweeps, [`tally`] the states of their runs,
//! [`rows`] the rows from top to bottom, [`feed`] reads ended runs page by page,
//! [`numbers`] the numbers that runs output, [`submissions`] the forms of runs that are not acknowledged yet, [`thumbs`] the
//! picture of a run.

pub(in crate::ui) mod feed;
mod filter;
pub(in crate::ui) mod numbers;
mod order;
pub(in crate::ui) mod rows;
pub(in crate::ui) mod sections;
pub(in crate::ui) mod submissions;
pub(in crate::ui) mod sweeps;
mod tally;
pub(in crate::ui) mod thumbs;

use std::collections::HashSet;

use fanlight_shared::id::RunId;
use fanlight_shared::run::RunStatus;

use super::Model;
pub use filter::Filter;
pub use order::Sort;

/// A section of the pane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Section {
    /// Runs that hold a slot.
    Running,
    /// Runs that wait.
    Enqueued,
    /// Runs that completed or failed.
    Done,
    /// Cancelled runs.
    Cancelled,
}

impl Section {
    /// All, from top to bottom.
    pub const ALL: [Self; 4] = [Self::Running, Self::Enqueued, Self::Done, Self::Cancelled];

    /// Returns the section of runs in this state; every state has exactly one.
    #[must_use]
    pub fn of(state: RunStatus) -> Self {
        match state {
            RunStatus::Running | RunStatus::Parked | RunStatus::Cancelling => Self::Running,
            RunStatus::Queued => Self::Enqueued,
            RunStatus::Completed | RunStatus::Failed => Self::Done,
            RunStatus::Cancelled => Self::Cancelled,
        }
    }

    /// Returns its heading.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::Enqueued => "Enqueued",
            Self::Done => "Done",
            Self::Cancelled => "Cancelled",
        }
    }
}

/// Returns the run under the cursor.
#[must_use]
pub fn current_run(model: &Model) -> Option<RunId> {
    match rows::current(model) {
        Some(rows::Row::Run(run)) => Some(run),
        Some(rows::Row::Heading(_) | rows::Row::Sweep(_)) | None => None,
    }
}

/// The target of the cursor; it stays on its run when rows are added or removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// A heading.
    Section(Section),
    /// A folded sweep.
    Sweep(sweeps::SweepId),
    /// A run.
    Run(RunId),
}

/// The state of the queue pane.
#[derive(Debug)]
pub struct Queue {
    pub(in crate::ui) sections: sections::Sections,
    pub(in crate::ui) feeds: feed::Feeds,
    pub(in crate::ui) numbers: numbers::Numbers,
    pub(in crate::ui) thumbs: thumbs::Thumbs,
    /// `None` until the user moves it: then it is on the run in focus, or on the first one.
    pub(in crate::ui) cursor: Option<At>,
    /// Its last row, for when its target is gone.
    pub(in crate::ui) row: usize,
    pub(in crate::ui) folded: [bool; 4],
    pub(in crate::ui) marks: HashSet<RunId>,
    pub(in crate::ui) submissions: submissions::Submissions,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            sections: sections::Sections::default(),
            feeds: feed::Feeds::default(),
            numbers: numbers::Numbers::default(),
            thumbs: thumbs::Thumbs::default(),
            cursor: None,
            row: 0,
            folded: [false, false, false, true],
            marks: HashSet::new(),
            submissions: submissions::Submissions::default(),
        }
    }
}

impl Queue {
    /// Returns whether a section shows its heading only.
    #[must_use]
    pub fn is_folded(&self, section: Section) -> bool {
        self.folded[section as usize]
    }

    /// Returns the runs that are marked.
    #[must_use]
    pub fn marked(&self) -> &HashSet<RunId> {
        &self.marks
    }

    /// Removes all marks.
    pub fn unmark(&mut self) {
        self.marks.clear();
    }
}
