//! Coding agents: their own command lines, run without a terminal under the supervisor like any command.
//!
//! What an agent writes is read line by line into the reports that all nodes have: `stream` knows the dialects, `read`
//! follows one. `prepare` lays out its folder and its command, which `record.sh` runs between two looks at that folder,
//! and `finish` turns all of it into outputs.

mod finish;
mod prepare;
mod read;
mod stream;

use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::value::{Value, Values};

use super::folder::Folder;
use crate::attempt::Attempt;
use crate::node_type::NodeType;
pub(super) use finish::finish;
pub(super) use prepare::prepare;
pub(super) use read::AgentReader;
use stream::Dialect;

/// The most output that is read, in bytes.
const MAX_OUTPUT: u64 = 64 << 20;

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

    /// Returns the user's folder that it works in; `None` for one of its own.
    fn dir(&self, attempt: &Attempt) -> Result<Option<PathBuf>, String> {
        let Some(folder) = self.given("folder") else { return Ok(None) };
        let project = attempt.run.project.as_deref();
        let path = match project {
            Some(project) => project.join(folder),
            None if folder.starts_with('/') => folder.into(),
            None => {
                return Err(format!(
                    "the folder `{folder}` is relative, but this workflow was submitted without a file"
                ));
            }
        };
        if path.is_dir() {
            Ok(Some(path))
        } else {
            Err(format!("`folder`: there is no folder {}", path.display()))
        }
    }
}

impl Folder {
    /// Returns the folder with the record of what an agent changes.
    fn record(&self) -> PathBuf {
        self.path().join("record")
    }
}
