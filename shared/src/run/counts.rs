//! The number of runs in each state.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RunStatus;

/// The number of runs in each state.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Counts {
    /// Runs that wait.
    pub queued: u32,
    /// Runs that run.
    pub running: u32,
    /// Runs that wait for a person.
    pub parked: u32,
    /// Runs that are being cancelled.
    pub cancelling: u32,
    /// Runs that completed.
    pub completed: u32,
    /// Runs that failed.
    pub failed: u32,
    /// Runs that a person cancelled.
    pub cancelled: u32,
}

impl Counts {
    /// Returns the count of a state.
    pub fn of(&mut self, status: RunStatus) -> &mut u32 {
        match status {
            RunStatus::Queued => &mut self.queued,
            RunStatus::Running => &mut self.running,
            RunStatus::Parked => &mut self.parked,
            RunStatus::Cancelling => &mut self.cancelling,
            RunStatus::Completed => &mut self.completed,
            RunStatus::Failed => &mut self.failed,
            RunStatus::Cancelled => &mut self.cancelled,
        }
    }

    /// Adds the runs of another count.
    pub fn add(&mut self, other: &Self) {
        self.queued += other.queued;
        self.running += other.running;
        self.parked += other.parked;
        self.cancelling += other.cancelling;
        self.completed += other.completed;
        self.failed += other.failed;
        self.cancelled += other.cancelled;
    }

    /// Returns the number of runs that have not ended.
    #[must_use]
    pub fn open(&self) -> u32 {
        self.queued + self.running + self.parked + self.cancelling
    }

    /// Returns the number of runs that have started and not ended.
    #[must_use]
    pub fn under_way(&self) -> u32 {
        self.running + self.parked + self.cancelling
    }

    /// Returns the number of all runs.
    #[must_use]
    pub fn all(&self) -> u32 {
        self.open() + self.completed + self.failed + self.cancelled
    }
}
