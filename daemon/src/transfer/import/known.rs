//! Runs of an archive that are here already.

use fanlight_shared::event::Numbered;
use fanlight_shared::id::RunId;
use fanlight_shared::run::Run;
use serde::Serialize;

use super::Refused;
use crate::store::record::{RunPart, RunRecord, forget_start};
use crate::store::{Store, StoreError};

/// A run that is here, and is compared with that of an archive.
pub(super) struct Here {
    run: Run,
    events: std::vec::IntoIter<Numbered>,
    same: bool,
}

/// What is here of a run of an archive.
pub(super) enum Found {
    Nothing,
    Run(Box<Here>),
    /// Assets, with the row of the run, which was deleted.
    Assets,
}

/// Returns what is here of the run with this id.
pub(super) fn find(store: &Store, id: RunId) -> Result<Found, Refused> {
    match store.run_record(id) {
        Ok(RunRecord { run, .. }) => {
            let mut events = store.events(id, 0, i64::MAX as u64)?;
            events.iter_mut().for_each(|event| forget_start(&mut event.event));
            Ok(Found::Run(Box::new(Here { run, events: events.into_iter(), same: true })))
        }
        Err(StoreError::NotFound(_)) if store.is_deleted(id)? => Ok(Found::Assets),
        Err(StoreError::NotFound(_)) => Ok(Found::Nothing),
        Err(error) => Err(error.into()),
    }
}

impl Here {
    /// Compares a part of the other run with this one. What a person may change is not compared, and neither is what depends on
    /// the home.
    pub(super) fn compare(&mut self, part: &RunPart) {
        self.same &= match part {
            RunPart::Run(record) => {
                let (one, other) = (&self.run, &record.run);
                one.version == other.version
                    && one.submitted_at == other.submitted_at
                    && one.submission == other.submission
                    && is_same(&one.params, &other.params)
                    && one.state == other.state
            }
            RunPart::Event(event) => {
                self.events.next().is_some_and(|it| it.seq == event.seq && is_same(&it.event, &event.event))
            }
            _ => true,
        };
    }

    /// Returns its name here.
    ///
    /// # Errors
    /// The other one has other content: a sentence to follow the name of that one.
    pub(super) fn finish(mut self) -> Result<String, String> {
        let name = self.run.name();
        if self.same && self.events.next().is_none() {
            return Ok(name);
        }
        Err(format!("which has the id of {name} here, but other content"))
    }
}

/// Returns whether two values are stored as the same. Unlike in a comparison of the values, NaN equals itself.
fn is_same<T: Serialize>(one: &T, other: &T) -> bool {
    let text = |value| serde_json::to_string(value).ok();
    text(one).is_some_and(|one| text(other).is_some_and(|other| one == other))
}
