//! The projection of a client, and the daemon's side of the story.

mod any_order;
mod lens;
mod model;
mod news;

use indexmap::IndexMap;

use super::*;
use crate::id::{SubmissionId, Version};
use crate::run::RunStatus;
use crate::time::Time;

/// Returns a waiting run.
fn run(workflow_id: WorkflowId, number: u32) -> Run {
    Run {
        id: RunId::new(),
        workflow: "poster".into(),
        number,
        label: String::new(),
        state: RunStatus::Queued,
        params: IndexMap::new(),
        params_short: false,
        submitted_at: Time(0),
        started_at: None,
        ended_at: None,
        error: None,
        workflow_id,
        title: "Poster".into(),
        version: Version::of(""),
        submission: SubmissionId::new(),
        index: 0,
        start_order: None,
        resumed_from: None,
        parent: None,
        nodes_done: 0,
        spent: crate::spent::Spent::default(),
        nodes: 1,
        position: None,
        asks: None,
        waits_for: None,
        paused: None,
        sweep: None,
        concurrency: None,
        priority: 0,
    }
}

/// Applies an event of the registry.
fn hear(projection: &mut Projection, event: DaemonEvent) -> Vec<Change> {
    projection.apply(&mut Notification::Daemon { seq: 1, event })
}

/// Applies a snapshot of the registry. Returns the runs that are missing in it.
fn hear_all(projection: &mut Projection, runs: Vec<Run>, queue: Queue) -> Vec<RunId> {
    projection.apply(&mut Notification::Registry {
        seq: 1,
        runs,
        runs_left: 0,
        queue,
        paused: indexmap::IndexMap::new(),
        banners: Vec::new(),
    });
    projection.missing().collect()
}

/// A client's projection and the daemon's side of the story.
struct Story {
    projection: Projection,
    workflow: WorkflowId,
    runs: Vec<Run>,
    clock: u32,
}

impl Story {
    fn new() -> Self {
        Self { projection: Projection::default(), workflow: WorkflowId::new(), runs: Vec::new(), clock: 0 }
    }

    /// Returns the waiting runs of a submission.
    fn submit(&mut self, count: usize) -> Vec<RunId> {
        let submission = SubmissionId::new();
        (0..count)
            .map(|index| {
                let number = self.runs.len() as u32 + 1;
                let run = Run { submission, index: index as u32, ..run(self.workflow, number) };
                let id = run.id;
                self.runs.push(run);
                self.tell(id);
                id
            })
            .collect()
    }

    fn tell(&mut self, id: RunId) {
        let run = Box::new(self.row(id));
        hear(&mut self.projection, DaemonEvent::RunUpdate { run });
    }

    fn set(&mut self, id: RunId, state: RunStatus) {
        self.happens(id, state);
        self.tell(id);
    }

    /// Changes a run without an event.
    fn happens(&mut self, id: RunId, state: RunStatus) {
        self.clock += 1;
        let at = Some(Time(self.clock.into()));
        let run = self.runs.iter_mut().find(|run| run.id == id).unwrap();
        run.state = state;
        if state == RunStatus::Running {
            (run.started_at, run.start_order) = (at, Some(self.clock.into()));
        }
        if state.is_ended() {
            run.ended_at = at;
        }
    }

    /// Returns the current run.
    fn row(&self, id: RunId) -> Run {
        self.runs.iter().find(|run| run.id == id).unwrap().clone()
    }

    fn start(&mut self, id: RunId) {
        self.set(id, RunStatus::Running);
    }
    fn complete(&mut self, id: RunId) {
        self.set(id, RunStatus::Completed);
    }
    fn cancel(&mut self, id: RunId) {
        self.set(id, RunStatus::Cancelled);
    }
    fn delete(&mut self, id: RunId) {
        self.runs.retain(|run| run.id != id);
        hear(&mut self.projection, DaemonEvent::RunDelete { workflow_id: self.workflow, run_id: id });
    }
    /// Submits and starts one run.
    fn run(&mut self) -> RunId {
        let id = self.submit(1)[0];
        self.start(id);
        id
    }
    fn focus(&self) -> Option<RunId> {
        self.projection.focus(self.workflow)
    }
}
