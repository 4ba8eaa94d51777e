//! Runs that a running node starts, as the node sees them. What starts them is the engine, so it is behind a trait.

use std::sync::{Arc, OnceLock};

use fanlight_shared::event::Prediction;
use fanlight_shared::id::RunId;
use fanlight_shared::node_type::NodeTypeSpec;
use fanlight_shared::value::Values;
use fanlight_shared::workflow::Workflow;
use futures_util::future::BoxFuture;

use crate::attempt::{Attempt, Outcome};

/// The workflow of such a run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Source {
    /// A file that its own run was submitted with, by the name that the node gives it.
    File(String),
    /// A document of the node itself. All runs of one `tool` of a node are runs of one workflow.
    Document {
        /// Its text.
        text: String,
        /// The name of the tool.
        tool: String,
    },
}

/// How such a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Its outputs are the fields of the only value, `outputs`.
    pub(crate) outcome: Outcome,
    /// What it has taken from models, by model.
    pub(crate) predictions: Vec<Prediction>,
}

/// Starts runs for nodes.
pub(crate) trait StartRuns: Send + Sync {
    /// Returns a node type that this daemon knows.
    fn node_type(&self, name: &str) -> Option<NodeTypeSpec>;

    /// Returns a workflow that a run was submitted with. Blocks.
    ///
    /// # Errors
    /// It was submitted without this file.
    fn workflow(&self, run: RunId, file: &str) -> Result<Workflow, String>;

    /// Starts a run for an attempt, and waits for its end. The cancel of the attempt cancels it, and its end is waited for
    /// too. While it runs the attempt has no place in the pools of the config, which the run may need.
    fn run(&self, attempt: Attempt, source: Source, params: Values) -> BoxFuture<'static, Ended>;
}

/// What starts runs, once there is an engine. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct ChildRuns {
    starts: Arc<OnceLock<Arc<dyn StartRuns>>>,
}

impl ChildRuns {
    /// Sets what starts them, once.
    pub(crate) fn set(&self, starts: Arc<dyn StartRuns>) {
        let _ = self.starts.set(starts);
    }

    /// Returns what starts them.
    ///
    /// # Errors
    /// There is no engine.
    pub(crate) fn get(&self) -> Result<&Arc<dyn StartRuns>, String> {
        self.starts.get().ok_or_else(|| "no runs can be started here".to_owned())
    }
}
