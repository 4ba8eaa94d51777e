//! Workflow files: their sources, requests to read them, the result, and submissions.

use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::id::WorkflowId;
use fanlight_shared::problem::Problem;
use fanlight_shared::rpc::runs;
use fanlight_shared::workflow::Workflow;

/// The source of a workflow.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Source {
    /// A file.
    File(PathBuf),
    /// The newest version that the daemon stores. Its file is read where that still exists.
    Stored(WorkflowId),
    /// Compiled in.
    Example(String),
    /// A new file, written from an example first; it must not exist.
    New {
        /// The example's name.
        example: String,
        /// The file.
        path: PathBuf,
    },
}

/// Why a workflow is read; returned with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// To preview it. Nothing else changes.
    Preview,
    /// It is on screen, and its file may have changed.
    Refresh,
    /// To put it on screen.
    Open,
    /// To put it on screen with the form that starts runs.
    Form,
}

/// A request to read a workflow.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    /// Where it is read from.
    pub source: Source,
    /// Why.
    pub purpose: Purpose,
}

/// A workflow file as it was read.
#[derive(Clone, Debug)]
pub struct Document {
    /// Where it was read from: a file, what the daemon stores, or an example.
    pub source: Source,
    /// Where it lies, canonical; of an example where it would be put to run it; `None` for a stored version without
    /// a file.
    pub path: Option<PathBuf>,
    /// The name of the example it is, if it is one.
    pub example: Option<String>,
    /// The workflow it belongs to, where that is known.
    pub workflow_id: Option<WorkflowId>,
    /// Its name for people: that of its file or example.
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
    /// The workflow, if it can run.
    pub workflow: Option<Arc<Workflow>>,
    /// The problems that the check found.
    pub problems: Vec<Problem>,
}

impl Document {
    /// Returns the name that the workflow gives itself, else that of its file or example.
    #[must_use]
    pub fn title(&self) -> &str {
        self.workflow.as_ref().and_then(|workflow| workflow.name.as_deref()).unwrap_or(&self.name)
    }

    /// Returns the file it was read from, if it was a file.
    #[must_use]
    pub fn file(&self) -> Option<&PathBuf> {
        match &self.source {
            Source::File(path) => Some(path),
            Source::Stored(_) | Source::Example(_) | Source::New { .. } => None,
        }
    }

    /// Returns `poster.yaml can't run, it has 2 problems: …`, if it can't run.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        if self.workflow.is_some() {
            return None;
        }
        let count = self.problems.len();
        let plural = if count == 1 { "" } else { "s" };
        let first = self.problems.first().map(|it| format!(": {it}")).unwrap_or_default();
        Some(format!("{} can't run, it has {count} problem{plural}{first}", self.name))
    }
}

/// A submission of runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Submission {
    /// The request. The text of a file is read again before it is sent, and its version becomes a part of the key.
    pub start: runs::Start,
    /// Where its document was read from.
    pub source: Source,
}
