//! A fake daemon: runs, requests, and messages to the UI by three channels that overtake each other: events of the
//! registry, telemetry, responses.

use std::collections::{HashMap, VecDeque};

use fanlight_shared::event::{DaemonEvent, Numbered, Queue, RunUpdate, StateEvent};
use fanlight_shared::id::{RunId, SubmissionId, Version, WorkflowId};
use fanlight_shared::rpc::sweeps::Stretch;
use fanlight_shared::rpc::watch::{Notification, Watch};
use fanlight_shared::rpc::{Page, runs};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::run_state::{InstanceState, RunState};
use fanlight_shared::value::Value;

use crate::ui::document::{Document, Source};
use crate::ui::effect::Effect;
use crate::ui::message::{Response, Why};
use crate::ui::testing;

/// Returns an older version of the file on screen: the runs with even numbers were submitted with it.
pub(super) fn old_version() -> String {
    testing::POSTER.replace("Seaside poster", "Seaside")
}

/// A response and its request.
#[derive(Debug)]
struct Answer {
    request: Effect,
    response: Response,
}

#[derive(Debug, Default)]
pub(super) struct Daemon {
    pub(super) runs: Vec<Run>,
    pub(super) states: HashMap<RunId, RunState>,
    pub(super) is_up: bool,
    pub(super) watch: Watch,
    /// Whether a reconnected client gets the missed events.
    keeps_rest: bool,
    made: u32,
    starts: u64,
    /// All events so far.
    log: Vec<DaemonEvent>,
    registry: VecDeque<Notification>,
    telemetry: Vec<Notification>,
    /// Requests that were not read yet, and responses in transit.
    asked: Vec<Effect>,
    answers: Vec<Answer>,
}

fn failed(request: Effect, why: Why) -> Answer {
    let response = Response::Failed { request: Box::new(request.clone()), error: "no luck".to_owned(), why };
    Answer { request, response }
}

impl Daemon {
    pub(super) fn submit(&mut self, workflow: WorkflowId, count: usize) {
        let submission = SubmissionId::new();
        for index in 0..count {
            self.made += 1;
            let mut run = testing::run(self.made, RunStatus::Queued);
            (run.workflow_id, run.submission, run.index) = (workflow, submission, index as u32);
            run.sweep = (count > 1).then(|| submission.to_string());
            if self.made.is_multiple_of(2) {
                run.version = Version::of(&old_version());
            }
            let mut state = testing::state(&run);
            state.outputs.insert("of".to_owned(), Value::Text(run.id.to_string()));
            let framed = &mut state.nodes["framed"];
            framed.items = (0..3).map(|index| (index, InstanceState::default())).collect();
            framed.item_count = Some(3);
            self.states.insert(run.id, state);
            self.runs.push(run.clone());
            self.tell(DaemonEvent::RunUpdate { run: Box::new(run) });
        }
    }

    /// Returns one of the runs that match.
    pub(super) fn pick(&self, nth: usize, which: impl Fn(&Run) -> bool) -> Option<RunId> {
        let runs: Vec<RunId> = self.runs.iter().filter(|run| which(run)).map(|run| run.id).collect();
        runs.get(nth.checked_rem(runs.len())?).copied()
    }

    pub(super) fn set(&mut self, id: RunId, status: RunStatus) {
        let Some(run) = self.runs.iter_mut().find(|run| run.id == id) else { return };
        run.state = status;
        if status == RunStatus::Running {
            self.starts += 1;
            (run.start_order, run.started_at) = (Some(self.starts), Some(testing::NOW));
        }
        let run = run.clone();
        let Some(state) = self.states.get_mut(&id) else { return };
        let update = RunUpdate {
            status,
            at: testing::NOW,
            start_order: run.start_order,
            error: None,
            outputs: state.outputs.clone(),
        };
        let event = Numbered { seq: state.seq + 1, event: StateEvent::RunUpdate(update) };
        state.fold(&event);
        if self.watches(id) {
            self.telemetry.push(Notification::State { workflow_id: run.workflow_id, run_id: id, event });
        }
        self.tell(DaemonEvent::RunUpdate { run: Box::new(run) });
    }

    pub(super) fn delete(&mut self, id: RunId) {
        let Some(at) = self.runs.iter().position(|run| run.id == id) else { return };
        let run = self.runs.remove(at);
        self.states.remove(&id);
        self.tell(DaemonEvent::RunDelete { workflow_id: run.workflow_id, run_id: id });
    }

    fn watches(&self, id: RunId) -> bool {
        self.is_up && self.watch.telemetry.iter().any(|of| of.run_id == id)
    }

    fn tell(&mut self, event: DaemonEvent) {
        self.log.push(event.clone());
        if self.is_up && self.watch.registry {
            let seq = self.log.len() as u64;
            self.registry.push_back(Notification::Daemon { seq, event });
        }
    }

    /// Loses the connection and everything in transit: each request without a response fails.
    pub(super) fn lose(&mut self) {
        self.is_up = false;
        self.watch = Watch::default();
        self.registry.clear();
        self.telemetry.clear();
        let answers = self.answers.drain(..).map(|answer| answer.request);
        self.answers =
            self.asked.drain(..).chain(answers).map(|request| failed(request, Why::Away)).collect();
    }

    /// Restores the connection; a client gets the missed events, or a new snapshot.
    pub(super) fn regain(&mut self, rest: bool) {
        self.is_up = true;
        self.keeps_rest = rest;
    }

    fn tell_rest(&mut self, after: u64) {
        for (at, event) in (1..).zip(&self.log).skip(after as usize) {
            let notification = Notification::Daemon { seq: at as u64, event: event.clone() };
            self.registry.push_back(notification);
        }
    }

    fn tell_all(&mut self) {
        let mut runs: Vec<Run> = self.runs.iter().filter(|run| !run.state.is_ended()).cloned().collect();
        runs.sort_by_key(|run| (run.start_order.is_none(), run.start_order));
        let count = |which: fn(RunStatus) -> bool| runs.iter().filter(|run| which(run.state)).count() as u32;
        let queue = Queue {
            max_concurrent_runs: 8,
            paused: false,
            running: count(RunStatus::is_active),
            queued: count(|state| state == RunStatus::Queued),
        };
        let seq = self.log.len() as u64;
        let banners = Vec::new();
        self.registry.push_back(Notification::Registry {
            seq,
            runs,
            runs_left: 0,
            queue,
            paused: indexmap::IndexMap::new(),
            banners,
        });
    }

    fn snapshots(&mut self, before: &Watch) {
        for of in &self.watch.telemetry {
            let Some(run) = self.runs.iter().find(|run| run.id == of.run_id) else { continue };
            // A previous subscriber has all of it, or it is in transit.
            let had = before.telemetry.iter().any(|it| it.run_id == run.id);
            if of.seq.is_some_and(|seq| had || seq == self.states[&run.id].seq) {
                continue;
            }
            // In parts, as if there were many items.
            let whole = &self.states[&run.id];
            let state = Box::new(whole.without_items());
            let (workflow_id, run_id, run) = (run.workflow_id, run.id, Box::new(run.clone()));
            self.telemetry.push(Notification::Snapshot { workflow_id, run_id, run, state });
            for (index, item) in &whole.nodes["framed"].items {
                let (seq, node) = (whole.seq, "framed".to_owned());
                let items = [(*index, item.clone())].into();
                self.telemetry.push(Notification::SnapshotItems { workflow_id, run_id, seq, node, items });
            }
        }
    }

    /// Takes an effect of the UI.
    pub(super) fn ask(&mut self, effect: Effect) {
        let Effect::Watch(watch) = effect else {
            match effect {
                // Files and layouts need no daemon and don't matter here.
                effect if !effect.reads() => {}
                effect if self.is_up => self.asked.push(effect),
                effect => self.answers.push(failed(effect, Why::Away)),
            }
            return;
        };
        if !self.is_up {
            return;
        }
        let before = std::mem::replace(&mut self.watch, watch);
        match &self.watch.since {
            _ if before.registry || !self.watch.registry => {}
            Some(since) if self.keeps_rest => self.tell_rest(since.seq),
            _ => self.tell_all(),
        }
        self.snapshots(&before);
    }

    /// Reads a request: its response has the current state, and is in transit.
    pub(super) fn read(&mut self, nth: usize, document: impl Fn(WorkflowId) -> Document) -> bool {
        let Some(at) = nth.checked_rem(self.asked.len()).filter(|_| self.is_up) else { return false };
        let request = self.asked.remove(at);
        let response = match &request {
            Effect::GetRun(id) => {
                Some(self.detail(*id).unwrap_or_else(|| failed(request.clone(), Why::Gone).response))
            }
            Effect::CheckRuns(ids) => {
                let known = |id: &RunId| self.runs.iter().find(|run| run.id == *id).cloned().map(Box::new);
                let each = ids.iter().map(|id| Answer {
                    request: Effect::CheckRuns(vec![*id]),
                    response: Response::Known(*id, known(id)),
                });
                self.answers.extend(each.collect::<Vec<_>>());
                None
            }
            Effect::ListRuns { to, list } => {
                let of = |run: &&Run| list.workflow_id.is_none_or(|of| of == run.workflow_id);
                let states = |run: &&Run| list.states.is_empty() || list.states.contains(&run.state);
                let folded =
                    |run: &&Run| run.sweep.as_ref().is_none_or(|it| !list.without_sweeps.contains(it));
                let rows = self.runs.iter().rev().filter(of).filter(states).filter(folded).cloned().collect();
                Some(Response::Runs { to: *to, page: Page { rows, cursor: None, limit: None } })
            }
            Effect::ReadSweep { name, request: number, .. } => {
                let runs = self.runs.iter().filter(|run| run.sweep.as_ref() == Some(name));
                let one = |run: &Run| Stretch { first: run.number, count: 1, state: run.state };
                let runs: Vec<Stretch> = runs.map(one).collect();
                Some(match runs.is_empty() {
                    true => failed(request.clone(), Why::Gone).response,
                    false => Response::Sweep {
                        name: name.clone(),
                        request: *number,
                        runs,
                        best: None,
                        search: None,
                    },
                })
            }
            Effect::ReadWorkflow(request) => {
                let Source::Stored(workflow) = &request.source else { return false };
                let document = Box::new(document(*workflow));
                Some(Response::Document { request: request.clone(), document })
            }
            _ => None,
        };
        self.answers.extend(response.map(|response| Answer { request, response }));
        true
    }

    fn detail(&self, id: RunId) -> Option<Response> {
        let run = self.runs.iter().find(|run| run.id == id)?.clone();
        let old = old_version();
        let text = if run.version == Version::of(&old) { old } else { testing::POSTER.to_owned() };
        let workflow = Some(testing::workflow(&text));
        let detail = runs::Detail {
            state: self.states[&id].clone(),
            run,
            document: text,
            document_bytes: None,
            path: None,
            environment: Vec::new(),
        };
        Some(Response::Run { detail: Box::new(detail), workflow })
    }

    /// Delivers the next event of the registry.
    pub(super) fn event(&mut self) -> Option<Notification> {
        self.registry.pop_front()
    }

    /// Delivers telemetry: in order for each run, in any order among runs.
    pub(super) fn telemetry(&mut self, nth: usize) -> Option<Notification> {
        let run = about(self.telemetry.get(nth.checked_rem(self.telemetry.len())?)?);
        let at = self.telemetry.iter().position(|notification| about(notification) == run)?;
        Some(self.telemetry.remove(at))
    }

    /// Some answer arrives.
    pub(super) fn answer(&mut self, nth: usize) -> Option<Response> {
        let at = nth.checked_rem(self.answers.len())?;
        Some(self.answers.remove(at).response)
    }
}

/// Returns the run that telemetry is about.
fn about(notification: &Notification) -> Option<RunId> {
    match notification {
        Notification::Snapshot { run_id, .. }
        | Notification::SnapshotItems { run_id, .. }
        | Notification::State { run_id, .. } => Some(*run_id),
        _ => None,
    }
}
