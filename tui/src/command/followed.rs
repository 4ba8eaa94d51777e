//! The runs of a command after they were followed, and whether that is success.

use fanlight_shared::client::Client;
use fanlight_shared::client::projection::{Projection, Row};
use fanlight_shared::run::RunStatus;
use fanlight_shared::sweep::Pause;

use super::interrupt::Interrupt;
use crate::failure::Failure;

/// The runs after they were followed.
pub(super) struct Followed {
    /// The runs that still exist.
    pub(super) projection: Projection,
    /// The connection, which may be a new one.
    pub(super) client: Client,
    /// The names of the runs that were deleted without having been seen to complete.
    pub(super) deleted: Vec<String>,
    /// How many of the runs that were cancelled a pruner ended, as it should.
    pub(super) pruned: usize,
}

impl Followed {
    /// Succeeds if every run completed. A run that has not ended waits for a person.
    pub(super) fn verdict(&self, interrupt: &Interrupt) -> Result<(), Failure> {
        if interrupt.received() {
            return Err(Failure::interrupted());
        }
        match &self.deleted[..] {
            [] => {}
            [name] => return Err(Failure::failed(format!("{name} was deleted while it was followed"))),
            names => {
                let count = names.len();
                return Err(Failure::failed(format!("{count} runs were deleted while they were followed")));
            }
        }
        let cancelled = self.projection.count(|status| status == RunStatus::Cancelled);
        match verdict(&self.projection) {
            Err(_) if cancelled > 0 && cancelled <= self.pruned && self.only_cancelled() => Ok(()),
            verdict => verdict,
        }
    }

    /// Returns whether every run completed or was cancelled.
    fn only_cancelled(&self) -> bool {
        let fine = |status| matches!(status, RunStatus::Completed | RunStatus::Cancelled);
        self.projection.count(|status| !fine(status)) == 0
    }
}

/// Succeeds if every run completed. A run that has not ended waits for a person, or its sweep is paused.
pub(super) fn verdict(projection: &Projection) -> Result<(), Failure> {
    let held =
        |row: Row<'_>| Some((row.run.sweep.clone()?, projection.pause(row.run).filter(Pause::is_limit)?));
    let mut waiting = projection.rows().filter(|row| row.run.state == RunStatus::Queued);
    if let Some((sweep, pause)) = waiting.find_map(held) {
        let failure = Failure::failed(format!("the sweep `{sweep}` is paused: {pause}"));
        return Err(failure.hint(format!("`fanlight sweep continue '{sweep}'` lets its other runs start")));
    }
    if projection.count(|status| status.is_ended() && status != RunStatus::Completed) > 0 {
        return Err(Failure::run_failed());
    }
    if !projection.is_over() {
        return Err(Failure::parked());
    }
    Ok(())
}
