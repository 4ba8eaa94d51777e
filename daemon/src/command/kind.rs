//! A command, or a coding agent, which becomes one.

use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::workflow::Metrics;

use super::agent::{self, Agent};
use super::finish;
use super::folder::Folder;
use super::prepare::{Resources, prepare};
use super::reader::Reader;
use crate::attempt::{Attempt, Outcome};
use crate::executor::CommandWork;
use crate::file_error::FileError;
use crate::supervisor::client::{Exit, StartSpec};

/// What an execution runs.
#[derive(Clone)]
pub(super) enum CommandKind {
    Command(Arc<CommandWork>),
    /// It becomes a command when it is prepared.
    Agent(Arc<Agent>),
}

impl CommandKind {
    /// Returns the folder in which outputs are looked for, besides the private one.
    pub(super) fn dir(&self, folder: &Folder) -> Option<PathBuf> {
        match self {
            Self::Command(work) => folder.dir(work.dir.as_ref()),
            Self::Agent(_) => None,
        }
    }

    /// Returns where the command writes numbers besides its events.
    pub(super) fn metrics(&self) -> &[Metrics] {
        match self {
            Self::Command(work) => &work.metrics,
            Self::Agent(_) => &[],
        }
    }

    /// Returns the agent, if it is one.
    pub(super) fn agent(&self) -> Option<&Agent> {
        match self {
            Self::Command(_) => None,
            Self::Agent(agent) => Some(agent),
        }
    }

    /// Lays out the folder of an attempt.
    ///
    /// # Errors
    /// Something can't be written, or the program can't be started.
    pub(super) fn prepare(
        &self,
        attempt: &Attempt,
        folder: &Folder,
        resources: &Resources<'_>,
    ) -> Result<StartSpec, FileError> {
        match self {
            Self::Command(work) => prepare(attempt, work, folder, resources),
            Self::Agent(agent) => agent::prepare(agent, attempt, folder, resources),
        }
    }

    /// Collects the outputs of an attempt that ended.
    ///
    /// # Errors
    /// [`FileError::Full`]: see [`finish::finish`].
    pub(super) fn finish(
        &self,
        attempt: &Attempt,
        resources: &Resources<'_>,
        reader: &mut Reader,
        exit: &Exit,
        give_up: bool,
    ) -> Result<Outcome, FileError> {
        match self {
            Self::Command(work) => finish::finish(attempt, work, resources, reader, exit, give_up),
            Self::Agent(agent) => agent::finish(agent, attempt, resources, reader, exit, give_up),
        }
    }
}
