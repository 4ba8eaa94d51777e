//! The run in focus. The projection has the rules of focus; the old run stays visible until the snapshot of the new one
//! arrives.

use std::sync::Arc;

use fanlight_shared::id::RunId;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;
use fanlight_shared::workflow::Workflow;

use super::Model;
use crate::ui::document::{Purpose, Source};
use crate::ui::effect::Effect;
use crate::ui::graph::Layout;

/// The shown run. Its state is in the projection.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The run.
    pub run: RunId,
    /// The workflow file it was submitted with, once read.
    pub workflow: Option<Arc<Workflow>>,
    /// The layout of that file's graph, once computed.
    pub layout: Option<Arc<Layout>>,
}

/// The shown run, with its state.
#[derive(Clone, Copy, Debug)]
pub struct Lens<'a> {
    /// As lists show it.
    pub run: &'a Run,
    /// The fold of its events.
    pub state: &'a RunState,
    /// The workflow file it was submitted with, once read.
    pub workflow: Option<&'a Arc<Workflow>>,
    /// The layout of that file's graph, once computed.
    pub layout: Option<&'a Arc<Layout>>,
}

impl Lens<'_> {
    /// Returns whether the run asks a person something.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.run.asks.is_some()
    }
}

impl Model {
    /// Returns the shown run, with its telemetry.
    #[must_use]
    pub fn lens(&self) -> Option<Lens<'_>> {
        let shown = self.shown.as_ref()?;
        let (run, state) = self.projection.watched(shown.run)?;
        Some(Lens { run, state, workflow: shown.workflow.as_ref(), layout: shown.layout.as_ref() })
    }

    /// Returns the run in focus.
    #[must_use]
    pub fn focus(&self) -> Option<RunId> {
        self.projection.focus(self.workflow_id()?)
    }

    /// Returns whether the lens stays where it is.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.workflow_id().is_some_and(|workflow| self.projection.pinned(workflow).is_some())
    }

    /// Returns whether there is more than one run, so that the shown run must be named.
    #[must_use]
    pub fn is_one_of_many(&self) -> bool {
        self.projection.runs().nth(1).is_some()
    }

    /// Moves the lens to a run and pins it there; opens its workflow first if that is another one.
    pub fn pin(&mut self, run: RunId) -> Vec<Effect> {
        let Some(workflow) = self.projection.run(run).map(|run| run.workflow_id) else {
            self.pinning = Some(run);
            return vec![Effect::GetRun(run)];
        };
        self.projection.pin(run);
        if self.workflow_id() == Some(workflow) {
            return Vec::new();
        }
        self.open(Source::Stored(workflow), Purpose::Open)
    }
}
