//! Coding agents: their own command lines, run without a terminal under the supervisor like any command.
//!
//! What an agent writes is read line by line into the reports that all nodes have; see `agent_output`. `prepare` lays out its folder and its command, which `record.sh` runs between two looks at that folder,
//! and `finish` turns all of it into outputs.

mod finish;
mod prepare;

use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::check_revision;

use super::agent_output::{AgentReader, Dialect};
use crate::attempt::Attempt;
use crate::executor::WorkDir;
use crate::node_type::NodeType;
pub(super) use finish::finish;
pub(super) use prepare::prepare;

/// The work of an agent. An adopted one lacks the inputs that are built from secrets.
#[derive(Debug)]
pub(super) struct Agent {
    native: Arc<NodeType>,
    inputs: Values,
}

impl Agent {
    pub(super) fn new(native: Arc<NodeType>, inputs: Values) -> Self {
        Self { native, inputs }
    }

    /// Returns the reader of what it writes.
    pub(super) fn reader(&self) -> AgentReader {
        AgentReader::new(self.dialect(), self.given("model").map(str::to_owned))
    }

    fn dialect(&self) -> Dialect {
        self.given("agent").and_then(Dialect::of).unwrap_or(Dialect::Plain)
    }

    /// Returns an optional text that is not blank.
    fn given(&self, name: &str) -> Option<&str> {
        self.inputs.get(name).and_then(Value::as_text).filter(|text| !text.trim().is_empty())
    }

    /// Returns whether the folder that it works in is made of nothing of the user's but `project`.
    fn has_own_folder(&self) -> bool {
        self.given("folder").is_none() && self.given("worktree").is_none()
    }

    /// Returns whether the folder that it works in is a copy or a work tree, of which only the patch remains.
    fn works_in_a_copy(&self) -> bool {
        self.given("worktree").is_some() || matches!(self.inputs.get("copy"), Some(Value::Bool(true)))
    }

    /// Returns the folder that it works in; `None` for an empty one or a copy of `project`.
    fn dir(&self, attempt: &Attempt) -> Result<Option<WorkDir>, String> {
        let folder = self.given("folder").map(|folder| user_folder(folder, attempt)).transpose()?;
        let copies = matches!(self.inputs.get("copy"), Some(Value::Bool(true)));
        match (self.given("worktree"), copies, folder) {
            (Some(_), true, _) => Err("`copy` and `worktree` exclude each other".into()),
            (Some(revision), false, folder) => {
                check_revision(revision).map_err(|why| format!("`worktree`: {why}"))?;
                let repo = folder.map_or_else(|| user_folder(".", attempt), Ok)?;
                Ok(Some(WorkDir::Worktree { repo, revision: revision.to_owned() }))
            }
            (None, true, Some(from)) => Ok(Some(WorkDir::Copy { from, exclude: Vec::new() })),
            (None, true, None) => Err("`copy` needs the `folder` that is copied".into()),
            (None, false, folder) => Ok(folder.map(WorkDir::Shared)),
        }
    }
}

/// Returns an existing folder of the user.
fn user_folder(folder: &str, attempt: &Attempt) -> Result<PathBuf, String> {
    let path = match attempt.run.project.as_deref() {
        Some(project) => project.join(folder),
        None if folder.starts_with('/') => folder.into(),
        None => {
            return Err(format!(
                "the folder `{folder}` is relative, but this workflow was submitted without a file"
            ));
        }
    };
    if path.is_dir() { Ok(path) } else { Err(format!("`folder`: there is no folder {}", path.display())) }
}
