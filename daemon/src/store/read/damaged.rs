//! Runs whose stored events are damaged: they are shown as far as they can be read, and named.

use fanlight_shared::event::{Numbered, RunUpdate, StateEvent};
use fanlight_shared::id::RunId;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;
use fanlight_shared::time::Time;

use super::events::{new_state, readable_events};
use crate::store::{Store, StoreError};

impl Store {
    /// Returns the state of a run. If its events are damaged, the state has those before the damage, ends as the run is
    /// listed, and has an error that says what is damaged. Blocks.
    ///
    /// # Errors
    /// There is no such run.
    pub fn readable_state(&self, id: RunId) -> Result<RunState, StoreError> {
        let run = self.listed(id)?;
        match self.run_state(run.id) {
            Err(StoreError::Unreadable(why)) => self.damaged_state(run, &why),
            other => other,
        }
    }

    /// Returns what is damaged in the events of each run, as sentences that name the runs. Reads all events. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn damaged_runs(&self) -> Result<Vec<String>, StoreError> {
        let ids = self.read(|db| {
            let mut query = db.prepare_cached("SELECT id FROM run WHERE status <> 6 ORDER BY key")?;
            let ids = query.query_map([], |row| row.get(0).map(RunId::from_bytes))?;
            Ok(ids.collect::<Result<Vec<_>, _>>()?)
        })?;
        let mut damaged = Vec::new();
        for id in ids {
            let run = match self.listed(id) {
                // It was deleted meanwhile.
                Err(StoreError::NotFound(_)) => continue,
                found => found?,
            };
            let name = run.name();
            match self.run_state(run.id) {
                Err(StoreError::Unreadable(why)) => damaged.push(format!(
                    "{name} is damaged: {why}; run its workflow again, and remove it with `fanlight delete '{name}'`"
                )),
                Ok(_) | Err(StoreError::NotFound(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(damaged)
    }

    fn damaged_state(&self, run: Run, why: &str) -> Result<RunState, StoreError> {
        let mut state = self.read(|db| {
            let (key, mut state, name) = new_state(db, run.id)?;
            for event in readable_events(db, key, &name)?.0 {
                state.fold(&event);
            }
            Ok(state)
        })?;
        let error =
            run.error.unwrap_or_else(|| format!("this run is damaged: {why}; its outputs are still there"));
        if run.state.is_ended() && !state.status.is_ended() {
            let update = RunUpdate::new(run.state, run.ended_at.unwrap_or_else(Time::now));
            state.fold(&Numbered { seq: state.seq + 1, event: StateEvent::RunUpdate(update) });
        }
        state.error = Some(error);
        Ok(state)
    }
}
