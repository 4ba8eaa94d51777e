//! Runs of an archive that are here already.

use fanlight_shared::event::Numbered;
use fanlight_shared::id::RunId;
use fanlight_shared::run::Run;

use super::Refused;
use crate::store::record::{RunPart, forget_start};
use crate::store::{Store, StoreError};

/// A run that is here, and is compared with that of an archive.
pub(super) struct Here {
    run: Run,
    events: std::vec::IntoIter<Numbered>,
    same: bool,
}

/// Returns the run with this id, if it is here.
///
/// # Errors
/// It was deleted, but assets of it are left.
pub(super) fn find(store: &Store, id: RunId) -> Result<Option<Here>, Refused> {
    match store.listed(id) {
        Ok(run) => {
            let mut events = store.events(id, 0, i64::MAX as u64)?;
            events.iter_mut().for_each(|event| forget_start(&mut event.event));
            Ok(Some(Here { run, events: events.into_iter(), same: true }))
        }
        Err(StoreError::NotFound(_)) => match store.deleted_run(id)? {
            Some(name) => Err(Refused::Archive(format!(
                "holds a run that was deleted here as {name} while its assets stayed; delete these first"
            ))),
            None => Ok(None),
        },
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
                    && one.params == other.params
                    && one.state == other.state
            }
            RunPart::Event(event) => self.events.next().as_ref() == Some(event),
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
