//! Property test: a client ends with the daemon's state, even if messages overtake each other or are lost with a
//! connection.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::event::{NodeUpdate, Numbered, RunUpdate, StateEvent};
use crate::item::ItemPath;
use crate::rpc::watch::{TelemetryOf, Watch};
use crate::run::NodeStatus;
use crate::run_state::RunState;

#[derive(Clone, Debug)]
enum Step {
    /// The daemon submits a run.
    Submit,
    /// A run changes its state.
    Change(usize, RunStatus),
    /// A node of a run ends.
    Node(usize, bool),
    Delete(usize),
    /// News of one of the ways come.
    Registry,
    Telemetry,
    Response,
    /// The client asks for a list.
    List,
    /// The client watches a run beside the others.
    Look(usize),
    Lose,
    Regain(bool),
}

fn step() -> impl Strategy<Value = Step> {
    let status = prop::sample::select(vec![
        RunStatus::Running,
        RunStatus::Running,
        RunStatus::Parked,
        RunStatus::Cancelling,
        RunStatus::Completed,
        RunStatus::Failed,
        RunStatus::Cancelled,
    ]);
    prop_oneof![
        2 => Just(Step::Submit),
        6 => (any::<usize>(), status).prop_map(|(nth, status)| Step::Change(nth, status)),
        3 => (any::<usize>(), any::<bool>()).prop_map(|(nth, second)| Step::Node(nth, second)),
        1 => any::<usize>().prop_map(Step::Delete),
        5 => Just(Step::Registry),
        5 => Just(Step::Telemetry),
        2 => Just(Step::Response),
        1 => Just(Step::List),
        2 => any::<usize>().prop_map(Step::Look),
        1 => Just(Step::Lose),
        2 => any::<bool>().prop_map(Step::Regain),
    ]
}

/// What the daemon has of a run that the client asked for: `None` where there is none.
type Found = Option<(Run, Option<RunState>)>;

struct Story {
    projection: Projection,
    workflow: WorkflowId,
    clock: i64,
    runs: Vec<(Run, RunState)>,
    /// All that ever happened in the registry, how much of it came, and how much the client asked for.
    log: Vec<DaemonEvent>,
    came: usize,
    is_up: bool,
    watched: Vec<RunId>,
    registry: VecDeque<(usize, Notification)>,
    telemetry: VecDeque<Notification>,
    responses: VecDeque<(RunId, Found)>,
}

impl Story {
    fn new() -> Self {
        let mut story = Self {
            projection: Projection::default(),
            workflow: WorkflowId::new(),
            clock: 0,
            runs: Vec::new(),
            log: Vec::new(),
            came: 0,
            is_up: false,
            watched: Vec::new(),
            registry: VecDeque::new(),
            telemetry: VecDeque::new(),
            responses: VecDeque::new(),
        };
        story.regain(false);
        story
    }

    fn pick(&self, nth: usize, which: impl Fn(&Run) -> bool) -> Option<usize> {
        let of: Vec<usize> = (0..self.runs.len()).filter(|at| which(&self.runs[*at].0)).collect();
        nth.checked_rem(of.len()).map(|nth| of[nth])
    }

    fn tell(&mut self, event: DaemonEvent) {
        self.log.push(event.clone());
        let at = self.log.len();
        if self.is_up {
            self.registry.push_back((at, Notification::Daemon { seq: at as u64, event }));
        }
    }

    /// Changes a run by an event, which is folded into its row and its state.
    fn happens(&mut self, at: usize, event: StateEvent) {
        let (run, state) = &mut self.runs[at];
        let event = Numbered { seq: state.seq + 1, event };
        state.fold(&event);
        run.fold(&event.event);
        let (row, run_id, workflow_id) = (Box::new(run.clone()), run.id, run.workflow_id);
        if self.is_up && self.watched.contains(&run_id) {
            self.telemetry.push_back(Notification::State { workflow_id, run_id, event });
        }
        self.tell(DaemonEvent::RunUpdate { run: row });
    }

    fn snapshot(&mut self, id: RunId) {
        let Some((run, state)) = self.runs.iter().find(|(run, _)| run.id == id) else { return };
        let (workflow_id, run_id) = (run.workflow_id, run.id);
        let (run, state) = (Box::new(run.clone()), Box::new(state.clone()));
        self.telemetry.push_back(Notification::Snapshot { workflow_id, run_id, run, state });
    }

    /// Subscribes the client, which gets the missing events or a snapshot.
    fn watch(&mut self) {
        let telemetry = self.watched.iter().map(|run| TelemetryOf { run_id: *run, seq: None }).collect();
        let watch = self.projection.resume(Watch { registry: true, telemetry, ..Watch::default() });
        for of in watch.telemetry {
            let now = self.runs.iter().find(|(run, _)| run.id == of.run_id).map(|(_, state)| state.seq);
            // What is under way counts as sent.
            let on_its_way = self.telemetry.iter().any(|it| about(it) == Some(of.run_id));
            if of.seq.is_none() || of.seq != now && !on_its_way {
                self.snapshot(of.run_id);
            }
        }
    }

    fn lose(&mut self) {
        self.is_up = false;
        self.registry.clear();
        self.telemetry.clear();
        self.responses.clear();
    }

    fn regain(&mut self, rest: bool) {
        if std::mem::replace(&mut self.is_up, true) {
            return;
        }
        if rest {
            for (at, event) in self.log.iter().enumerate().skip(self.came) {
                let notification = Notification::Daemon { seq: at as u64 + 1, event: event.clone() };
                self.registry.push_back((at + 1, notification));
            }
        } else {
            let open = self.runs.iter().map(|(run, _)| run).filter(|run| !run.state.is_ended());
            let (seq, queue) = (self.log.len() as u64, Queue::default());
            let (runs, banners) = (open.cloned().collect(), Vec::new());
            let all = Notification::Registry {
                seq,
                runs,
                runs_left: 0,
                queue,
                paused: indexmap::IndexMap::new(),
                banners,
            };
            self.registry.push_back((self.log.len(), all));
        }
        self.watch();
        self.ask_for_missing();
    }

    fn hear(&mut self, mut notification: Notification) {
        for change in self.projection.apply(&mut notification) {
            if let Change::Gap(_) = change {
                self.watch();
            }
        }
        if matches!(notification, Notification::Registry { .. }) {
            self.ask_for_missing();
        }
    }

    /// Requests the runs that are missing.
    fn ask_for_missing(&mut self) {
        let missing: Vec<RunId> = self.projection.missing().collect();
        missing.into_iter().for_each(|run| self.ask(run, false));
    }

    /// Requests a run; the response has its current state and arrives later.
    fn ask(&mut self, id: RunId, with_state: bool) {
        let found = self.runs.iter().find(|(run, _)| run.id == id);
        let found = found.map(|(run, state)| (run.clone(), with_state.then(|| state.clone())));
        self.responses.push_back((id, found));
    }

    fn answer(&mut self) -> bool {
        let Some((id, found)) = self.responses.pop_front() else { return false };
        match found {
            None => drop(self.projection.remove(id)),
            Some((run, None)) => self.projection.add([run]),
            Some((run, Some(state))) => drop(self.projection.put(run, state)),
        }
        true
    }

    fn step(&mut self, step: &Step) {
        match *step {
            Step::Submit => {
                let run = run(self.workflow, self.runs.len() as u32 + 1);
                self.runs.push((run.clone(), RunState::new(["a", "b"])));
                self.tell(DaemonEvent::RunUpdate { run: Box::new(run) });
            }
            Step::Change(nth, status) => {
                use crate::transition::State as _;
                let may = |run: &Run| run.state != status && run.state.may_become(status);
                let Some(at) = self.pick(nth, may) else { return };
                self.clock += 1;
                let starts = self.runs[at].0.state == RunStatus::Queued && status == RunStatus::Running;
                let update = RunUpdate {
                    status,
                    at: Time(self.clock),
                    start_order: starts.then_some(self.clock as u64),
                    error: (status == RunStatus::Failed).then(|| "no luck".to_owned()),
                    outputs: IndexMap::new(),
                };
                self.happens(at, StateEvent::RunUpdate(update));
            }
            Step::Node(nth, second) => {
                let Some(at) = self.pick(nth, |run| run.state.is_active()) else { return };
                let node = if second { "a" } else { "b" };
                if self.runs[at].1.nodes[node].whole.status.is_ended() {
                    return;
                }
                let update = NodeUpdate::new(node, ItemPath::WHOLE, NodeStatus::Completed, Time(self.clock));
                self.happens(at, StateEvent::NodeUpdate(update));
            }
            Step::Delete(nth) => {
                let Some(at) = self.pick(nth, |run| run.state.is_ended()) else { return };
                let (run, _) = self.runs.remove(at);
                self.tell(DaemonEvent::RunDelete { workflow_id: run.workflow_id, run_id: run.id });
            }
            Step::Registry => {
                if let Some((at, notification)) = self.registry.pop_front() {
                    self.came = at;
                    self.hear(notification);
                }
            }
            Step::Telemetry => {
                if let Some(notification) = self.telemetry.pop_front() {
                    self.hear(notification);
                }
            }
            Step::Response => drop(self.answer()),
            Step::List if self.is_up => {
                let all: Vec<RunId> = self.runs.iter().map(|(run, _)| run.id).collect();
                all.into_iter().for_each(|run| self.ask(run, false));
            }
            Step::Look(nth) if self.is_up => {
                let Some(at) = self.pick(nth, |_| true) else { return };
                let id = self.runs[at].0.id;
                if !self.watched.contains(&id) {
                    self.watched.push(id);
                    self.watch();
                }
                self.ask(id, true);
            }
            Step::Lose => self.lose(),
            Step::Regain(rest) => self.regain(rest),
            Step::List | Step::Look(_) => {}
        }
    }

    /// Everything comes that is under way, and lists are read to their ends.
    fn settle(&mut self) {
        self.regain(false);
        self.step(&Step::List);
        while !self.registry.is_empty() || !self.telemetry.is_empty() || !self.responses.is_empty() {
            self.step(&Step::Registry);
            self.step(&Step::Telemetry);
            self.step(&Step::Response);
        }
        let unconfirmed: Vec<RunId> = self.projection.unconfirmed().map(|run| run.id).collect();
        unconfirmed.into_iter().for_each(|run| self.ask(run, false));
        while self.answer() {}
    }
}

fn about(notification: &Notification) -> Option<RunId> {
    match notification {
        Notification::Snapshot { run_id, .. } | Notification::State { run_id, .. } => Some(*run_id),
        _ => None,
    }
}

proptest! {
    #[test]
    fn a_client_ends_up_with_the_state_of_the_daemon(steps in prop::collection::vec(step(), 1..120)) {
        let mut story = Story::new();
        for step in &steps {
            story.step(step);
        }
        story.settle();
        for (run, state) in &story.runs {
            prop_assert_eq!(story.projection.run(run.id), Some(run));
            if story.watched.contains(&run.id) {
                prop_assert_eq!(story.projection.watched(run.id), Some((run, state)));
            }
        }
        prop_assert_eq!(story.projection.runs().count(), story.runs.len());
        let under_way = story.runs.iter().filter(|(run, _)| run.state.is_under_way()).count();
        prop_assert_eq!(story.projection.active().count(), under_way);
        prop_assert_eq!(story.projection.queued().count(), story.runs.iter().filter(|(run, _)| run.state == RunStatus::Queued).count());
    }

    #[test]
    fn a_client_that_follows_some_runs_has_their_state(steps in prop::collection::vec(step(), 1..80)) {
        let mut story = Story::new();
        (0..3).for_each(|_| story.step(&Step::Submit));
        let followed: Vec<Run> = story.runs.iter().map(|(run, _)| run.clone()).collect();
        story.watched = followed.iter().map(|run| run.id).collect();
        story.projection = Projection::of(followed.clone());
        story.watch();
        for step in &steps {
            story.step(step);
        }
        story.settle();
        let there: Vec<&Run> = story.runs.iter().map(|(run, _)| run).filter(|run| followed.iter().any(|it| it.id == run.id)).collect();
        prop_assert_eq!(story.projection.rows().map(|row| row.run).collect::<Vec<_>>(), there.clone());
        prop_assert_eq!(story.projection.runs().count(), there.len());
        prop_assert_eq!(story.projection.is_over(), there.iter().all(|run| run.state.is_ended()));
    }
}
