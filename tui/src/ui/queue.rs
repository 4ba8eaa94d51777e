//! The queue pane: Running, Enqueued, Done, Cancelled.
//!
//! [`sections`] keeps the position of each run, [`feed`] reads ended runs page by page, [`numbers`] the numbers that
//! runs output, [`thumbs`] the picture of a run, [`ask`] the questions before actions on runs.

mod ask;
mod feed;
mod filter;
mod numbers;
mod order;
mod rows;
mod sections;
#[cfg(test)]
mod tests;
mod thumbs;
mod unconfirmed;
pub mod update;
pub mod view;

use std::collections::HashSet;

use fanlight_shared::id::RunId;
use fanlight_shared::run::RunStatus;

use super::layer::form::Form;
use super::model::Model;
use super::pane::pane;
pub use filter::Filter;
pub use order::Sort;

pane! {
    /// The queue pane.
    QueuePane Queue
}

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
        Some(rows::Row::Heading(_)) | None => None,
    }
}

/// The target of the cursor; it stays on its run when rows are added or removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum At {
    /// A heading.
    Section(Section),
    /// A run.
    Run(RunId),
}

/// The state of the queue pane.
#[derive(Debug)]
pub struct Queue {
    pub(super) sections: sections::Sections,
    pub(super) feeds: feed::Feeds,
    pub(super) numbers: numbers::Numbers,
    pub(super) thumbs: thumbs::Thumbs,
    /// `None` until the user moves it: then it is on the run in focus.
    pub(super) cursor: Option<At>,
    /// Its last row, for when its target is gone.
    pub(super) row: usize,
    pub(super) folded: [bool; 4],
    pub(super) marks: HashSet<RunId>,
    /// The form of a submission that is not acknowledged yet; it opens again if the submission is refused.
    pub(super) submitted: Option<Box<Form>>,
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
            submitted: None,
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

    /// Keeps the form of a submission until it is acknowledged.
    pub fn submit(&mut self, form: Form) {
        self.submitted = Some(Box::new(form));
    }
}
