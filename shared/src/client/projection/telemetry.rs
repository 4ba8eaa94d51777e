//! The states of runs that are watched.

use super::{Change, Projection};
use crate::event::{LiveEvent, Numbered, StateEvent};
use crate::id::RunId;
use crate::rpc::watch::{Since, Watch};
use crate::run::{Run, RunStatus};
use crate::run_state::{Folded, Items, RunState};

/// The state of a run that is watched.
#[derive(Clone, Debug)]
pub(super) struct Telemetry {
    state: RunState,
    /// Events are missing in it: it changes no more until the next snapshot.
    has_gap: bool,
    /// As lists showed the run, once it is deleted.
    deleted: Option<Box<Run>>,
}

impl Telemetry {
    pub(super) fn run_was_deleted(&mut self, run: &Run) {
        self.deleted = Some(Box::new(run.clone()));
    }
}

/// A run that is followed.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// As lists show it.
    pub run: &'a Run,
    /// Its full state, once that came.
    pub state: Option<&'a RunState>,
}

impl<'a> Row<'a> {
    /// Returns the numbers of done nodes and of all nodes.
    #[must_use]
    pub fn nodes(self) -> (usize, usize) {
        match self.state {
            Some(state) => (state.nodes_done(), state.nodes.len()),
            None => (self.run.nodes_done as usize, self.run.nodes as usize),
        }
    }

    /// Returns the label, unless it only repeats the title of the workflow.
    #[must_use]
    pub fn label(self) -> &'a str {
        if self.run.label == self.run.title { "" } else { &self.run.label }
    }
}

impl Projection {
    /// Takes over a run with its state: from a snapshot, or from a response.
    pub fn put(&mut self, run: Run, state: RunState) -> Option<Change> {
        let id = run.id;
        if !self.follows(id) || self.deleted.contains(&id) {
            return None;
        }
        let before = self.runs.get(&id).map(|run| run.state);
        self.add_one(run);
        let older = |known: &Telemetry| !known.has_gap && known.state.seq > state.seq;
        if !self.telemetry.get(&id).is_some_and(older) {
            self.telemetry.insert(id, Telemetry { state, has_gap: false, deleted: None });
        }
        self.catch_up(id);
        self.change(id, before)
    }

    pub(super) fn take_items(&mut self, id: RunId, seq: u64, node: &str, items: Items) -> Option<Change> {
        let telemetry = self.telemetry.get_mut(&id).filter(|it| it.state.seq == seq && !it.has_gap)?;
        telemetry.state.take_items(node, items);
        self.updated(id)
    }

    pub(super) fn fold(&mut self, id: RunId, event: &Numbered) -> Option<Change> {
        let telemetry = self.telemetry.get_mut(&id).filter(|it| !it.has_gap)?;
        if telemetry.state.fold(event) == Folded::Gap {
            telemetry.has_gap = true;
            return Some(Change::Gap(id));
        }
        let before = self.runs.get(&id).map(|run| run.state);
        if matches!(event.event, StateEvent::RunUpdate(_)) {
            self.catch_up(id);
        }
        self.change(id, before)
    }

    pub(super) fn fold_live(&mut self, id: RunId, event: &LiveEvent) -> Option<Change> {
        self.telemetry.get_mut(&id).filter(|it| !it.has_gap)?.state.fold_live(event);
        self.updated(id)
    }

    /// Updates the row of a run from its telemetry, if that is ahead of lists and events of the registry.
    fn catch_up(&mut self, id: RunId) {
        let (Some(telemetry), Some(known)) = (self.telemetry.get(&id), self.runs.get(&id)) else { return };
        let mut summary = telemetry.state.summary();
        if summary.status.is_behind(known.state) || known.state.is_ended() {
            return;
        }
        let mut run = known.clone();
        // What was shown before is not taken back.
        summary.started_at = summary.started_at.or(run.started_at);
        summary.start_order = summary.start_order.or(run.start_order);
        summary.nodes_done = summary.nodes_done.max(run.nodes_done);
        summary.spent = summary.spent.later(run.spent);
        run.set_summary(summary);
        if run.state != RunStatus::Queued {
            self.waiting.remove(id);
        }
        self.set(run);
    }

    /// Returns a run with its state, if that has arrived; a deleted one too, until its telemetry is released.
    #[must_use]
    pub fn watched(&self, run: RunId) -> Option<(&Run, &RunState)> {
        let telemetry = self.telemetry.get(&run)?;
        let run = self.runs.get(&run).or(telemetry.deleted.as_deref())?;
        Some((run, &telemetry.state))
    }

    /// Keeps the states of these runs only.
    pub fn retain_states(&mut self, keep: impl Fn(RunId) -> bool) {
        self.telemetry.retain(|run, _| keep(*run));
    }

    /// Completes a subscription, so that it continues from the known state.
    #[must_use]
    pub fn resume(&self, mut watch: Watch) -> Watch {
        for of in &mut watch.telemetry {
            let known = self.telemetry.get(&of.run_id);
            // What is not whole can't be gone on with by events.
            let known = known.filter(|it| !it.has_gap && it.state.is_whole());
            of.seq = known.map(|it| it.state.seq);
        }
        if let (Some(instance), Some(seq)) = (&self.instance, self.seq) {
            watch.since = Some(Since { instance: instance.clone(), seq });
        }
        watch
    }
}

/// The runs that are followed.
impl Projection {
    /// Returns the followed runs, in their order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.followed.iter().flatten().filter_map(|run| self.row(*run))
    }

    /// Returns a followed run.
    #[must_use]
    pub fn row(&self, run: RunId) -> Option<Row<'_>> {
        let state = self.telemetry.get(&run).map(|telemetry| &telemetry.state);
        Some(Row { run: self.runs.get(&run)?, state })
    }

    /// Returns whether all have ended.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.rows().all(|row| row.run.state.is_ended())
    }

    /// Returns the number of runs in a state.
    pub fn count(&self, test: impl Fn(RunStatus) -> bool) -> usize {
        self.rows().filter(|row| test(row.run.state)).count()
    }
}
