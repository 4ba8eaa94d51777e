//! The projection of the runs that a command follows: notifications fold into it.

use fanlight_shared::event::{DaemonEvent, StateEvent};
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::run_state::{Folded, RunState};
use indexmap::IndexMap;

/// A run that is followed.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// As lists show it; its state is kept up to date.
    pub(crate) run: Run,
    /// Its full state, once a snapshot arrived.
    pub(crate) state: Option<RunState>,
}

impl Row {
    /// How many nodes ended, of how many.
    pub(crate) fn nodes(&self) -> (usize, usize) {
        match &self.state {
            Some(state) => (state.nodes_done(), state.nodes.len()),
            None => (self.run.nodes_done as usize, self.run.nodes as usize),
        }
    }

    /// The label, unless it only repeats the workflow's title.
    pub(crate) fn label(&self) -> &str {
        if self.run.label == self.run.title { "" } else { &self.run.label }
    }

    fn take(&mut self, newer: &Run) {
        if newer.state.is_behind(self.run.state) {
            return;
        }
        self.run = newer.clone();
    }

    /// The state of the telemetry, where it is ahead of the registry.
    fn sync_run(&mut self) {
        let Some(state) = &self.state else { return };
        if state.status.is_behind(self.run.state) {
            return;
        }
        self.run.state = state.status;
        self.run.started_at = self.run.started_at.or(state.started_at);
        self.run.ended_at = self.run.ended_at.or(state.ended_at);
        if self.run.error.is_none() {
            self.run.error.clone_from(&state.error);
        }
    }
}

/// What a notification changed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Change {
    /// It was about something else.
    Other,
    /// It was about a run that is followed.
    Ours,
    /// The run changed its state.
    Moved(RunId),
    /// Events are missing: watch again without a number.
    Gap(RunId),
    /// Somebody deleted the run.
    Deleted(RunId),
    /// The banners changed.
    Banners,
    /// The daemon ends, and why.
    Bye(String),
}

/// A projection of the runs that a command follows, in the order of their submission.
#[derive(Clone, Debug, Default)]
pub(crate) struct Projection {
    rows: IndexMap<RunId, Row>,
    banners: Vec<String>,
}

impl Projection {
    /// These runs.
    pub(crate) fn new(runs: Vec<Run>) -> Self {
        let rows = runs.into_iter().map(|run| (run.id, Row { run, state: None })).collect();
        Self { rows, banners: Vec::new() }
    }

    /// Returns the banners, such as one about a full disk.
    pub(crate) fn banners(&self) -> &[String] {
        &self.banners
    }

    /// Sets the banners; returns whether they changed.
    pub(crate) fn set_banners(&mut self, banners: &[String]) -> bool {
        let new = self.banners != banners;
        self.banners = banners.to_vec();
        new
    }

    /// The runs.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &Row> {
        self.rows.values()
    }

    /// One run.
    pub(crate) fn row(&self, id: RunId) -> Option<&Row> {
        self.rows.get(&id)
    }

    /// Whether all have ended.
    pub(crate) fn is_over(&self) -> bool {
        self.rows.values().all(|row| row.run.state.is_ended())
    }

    /// How many are in a state.
    pub(crate) fn count(&self, test: impl Fn(RunStatus) -> bool) -> usize {
        self.rows.values().filter(|row| test(row.run.state)).count()
    }

    /// Applies the response of `runs.get`.
    pub(crate) fn put(&mut self, run: &Run, state: RunState) -> Change {
        let Some(row) = self.rows.get_mut(&run.id) else { return Change::Other };
        let before = row.run.state;
        row.take(run);
        row.state = Some(state);
        row.sync_run();
        if row.run.state == before { Change::Ours } else { Change::Moved(run.id) }
    }

    /// The connection is gone, and with it the items that were still to come: those states are asked for anew. Of a run
    /// that ended nobody needs its items.
    pub(crate) fn lose_parts(&mut self) {
        for row in self.rows.values_mut() {
            row.state.take_if(|state| !state.is_whole() && !state.status.is_ended());
        }
    }

    /// Takes a run off, because it was deleted.
    pub(crate) fn remove(&mut self, id: RunId) {
        self.rows.shift_remove(&id);
    }

    /// Folds in a notification.
    pub(crate) fn apply(&mut self, notification: &Notification) -> Vec<Change> {
        match notification {
            Notification::Registry { runs, banners, .. } => {
                let banners = self.apply_banners(banners);
                runs.iter().map(|run| self.apply_run(run)).chain([banners]).collect()
            }
            Notification::Daemon { event: DaemonEvent::BannerUpdate { banners }, .. } => {
                vec![self.apply_banners(banners)]
            }
            Notification::Daemon { event: DaemonEvent::RunUpdate { run }, .. } => vec![self.apply_run(run)],
            Notification::Daemon { event: DaemonEvent::RunDelete { run_id, .. }, .. } => {
                vec![if self.rows.contains_key(run_id) { Change::Deleted(*run_id) } else { Change::Other }]
            }
            Notification::Daemon { event: DaemonEvent::OutputUpdate { run_id, .. }, .. } => {
                vec![self.ours(*run_id)]
            }
            Notification::Daemon { event: DaemonEvent::AssetUpdate { asset }, .. } => {
                vec![self.ours(asset.run_id)]
            }
            Notification::Daemon { .. } | Notification::Lagged {} => vec![Change::Other],
            // The client puts these together with what they belong to.
            Notification::RegistryRuns { .. } | Notification::SnapshotNodes { .. } => vec![Change::Other],
            Notification::Snapshot { run, state, .. } => vec![self.put(run, (**state).clone())],
            Notification::SnapshotItems { run_id, seq, node, items, .. } => {
                let row = self.rows.get_mut(run_id);
                if let Some(state) = row.and_then(|row| row.state.as_mut()).filter(|it| it.seq == *seq) {
                    state.take_items(node, items.clone());
                }
                vec![self.ours(*run_id)]
            }
            Notification::State { run_id, event, .. } => {
                let Some(row) = self.rows.get_mut(run_id) else { return vec![Change::Other] };
                let Some(state) = &mut row.state else { return vec![Change::Gap(*run_id)] };
                if state.fold(event) == Folded::Gap {
                    return vec![Change::Gap(*run_id)];
                }
                let before = row.run.state;
                if matches!(event.event, StateEvent::RunUpdate(_)) {
                    row.sync_run();
                }
                vec![if row.run.state == before { Change::Ours } else { Change::Moved(*run_id) }]
            }
            Notification::Live { run_id, event, .. } => {
                if let Some(state) = self.rows.get_mut(run_id).and_then(|row| row.state.as_mut()) {
                    state.fold_live(event);
                }
                vec![self.ours(*run_id)]
            }
            Notification::Bye { reason } => vec![Change::Bye(reason.clone())],
        }
    }

    fn apply_banners(&mut self, banners: &[String]) -> Change {
        if self.set_banners(banners) { Change::Banners } else { Change::Other }
    }

    fn apply_run(&mut self, run: &Run) -> Change {
        let Some(row) = self.rows.get_mut(&run.id) else { return Change::Other };
        let before = row.run.state;
        row.take(run);
        if row.run.state == before { Change::Ours } else { Change::Moved(run.id) }
    }

    fn ours(&self, id: RunId) -> Change {
        if self.rows.contains_key(&id) { Change::Ours } else { Change::Other }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use fanlight_shared::event::{Numbered, RunUpdate};
    use fanlight_shared::id::{SubmissionId, Version, WorkflowId};
    use fanlight_shared::run_state::Instance;
    use fanlight_shared::time::Time;

    use super::*;

    /// A queued run of a workflow with five nodes.
    pub(crate) fn run(number: u32, label: &str) -> Run {
        Run {
            id: RunId::new(),
            workflow: "poster".into(),
            number,
            label: label.into(),
            state: RunStatus::Queued,
            params: IndexMap::new(),
            params_short: false,
            submitted_at: Time(0),
            started_at: None,
            ended_at: None,
            error: None,
            workflow_id: WorkflowId::new(),
            title: "Seaside poster".into(),
            version: Version::of(""),
            submission: SubmissionId::new(),
            index: 0,
            start_order: None,
            resumed_from: None,
            nodes_done: 0,
            nodes: 5,
            position: None,
            asks: None,
            concurrency: None,
        }
    }

    fn registry(run: &Run, state: RunStatus) -> Notification {
        let mut run = run.clone();
        run.state = state;
        Notification::Daemon { seq: 1, event: DaemonEvent::RunUpdate { run: Box::new(run) } }
    }

    #[test]
    fn an_ended_run_never_goes_back() {
        let run = run(1, "a");
        let mut projection = Projection::new(vec![run.clone()]);
        assert_eq!(projection.apply(&registry(&run, RunStatus::Completed)), [Change::Moved(run.id)]);
        assert_eq!(projection.apply(&registry(&run, RunStatus::Running)), [Change::Ours]);
        assert!(projection.is_over());
    }

    #[test]
    fn telemetry_without_a_snapshot_asks_for_one() {
        let run = run(1, "a");
        let mut projection = Projection::new(vec![run.clone()]);
        let update = RunUpdate {
            status: RunStatus::Running,
            at: Time(5),
            start_order: None,
            error: None,
            outputs: IndexMap::new(),
        };
        let event = Numbered { seq: 1, event: StateEvent::RunUpdate(update) };
        let state = Notification::State { workflow_id: run.workflow_id, run_id: run.id, event };
        assert_eq!(projection.apply(&state), [Change::Gap(run.id)]);
        projection.put(&run, RunState::new(["sky"]));
        assert_eq!(projection.apply(&state), [Change::Moved(run.id)]);
        assert_eq!(projection.row(run.id).unwrap().run.started_at, Some(Time(5)));
    }

    #[test]
    fn a_snapshot_comes_in_parts_and_is_asked_for_anew_where_they_are_lost() {
        let run = run(1, "a");
        let mut whole = RunState::new(["sky"]);
        whole.nodes["sky"].items = (0..2).map(|index| (index, Instance::default())).collect();
        let mut projection = Projection::new(vec![run.clone()]);
        let (workflow_id, run_id) = (run.workflow_id, run.id);
        let state = |projection: &Projection| projection.row(run_id).unwrap().state.clone();
        let snapshot = Notification::Snapshot {
            workflow_id,
            run_id,
            run: Box::new(run.clone()),
            state: Box::new(whole.without_items()),
        };
        let part = |index: u32, seq| Notification::SnapshotItems {
            workflow_id,
            run_id,
            seq,
            node: "sky".to_owned(),
            items: [(index, Instance::default())].into(),
        };
        projection.apply(&snapshot);
        assert_eq!(projection.apply(&part(1, 0)), [Change::Ours]);
        projection.apply(&part(0, 9));
        assert!(!state(&projection).unwrap().is_whole(), "a part of another snapshot is none of this");
        projection.lose_parts();
        assert_eq!(state(&projection), None);
        projection.apply(&snapshot);
        projection.apply(&part(0, 0));
        projection.apply(&part(1, 0));
        projection.lose_parts();
        assert_eq!(state(&projection), Some(whole));
    }

    #[test]
    fn other_peoples_runs_are_no_concern() {
        let mut projection = Projection::new(vec![run(1, "a")]);
        assert_eq!(projection.apply(&registry(&run(2, "b"), RunStatus::Failed)), [Change::Other]);
    }
}
