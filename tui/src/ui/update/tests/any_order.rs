//! Property test: after any events in any order, the lens is where the rules of focus put it, and the screen shows that
//! run, or the previous one until the snapshot arrives.

mod daemon;

use fanlight_shared::client::projection::Projection;
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::{Counts, Run, RunStatus};
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;
use proptest::prelude::*;

use super::*;
use crate::ui::areas::Hit;
use crate::ui::document::{Document, Purpose, Source};
use crate::ui::message::Response;
use crate::ui::model::queue::At;
use crate::ui::model::queue::rows::Row;
use crate::ui::shell::enabled;
use crate::ui::testing::{self, opened, paint, press, workflow_id};
use daemon::Daemon;

#[derive(Clone, Debug)]
enum Step {
    Submit { other: bool, count: usize },
    Start(usize),
    End(usize, RunStatus),
    CancelQueued(usize),
    Delete(usize),
    Event,
    Telemetry(usize),
    Read(usize),
    Answer(usize),
    Lose,
    Regain { rest: bool },
    PinKey,
    Beside { older: bool },
    Enter(usize),
    Fold(usize),
    Open(&'static str),
    Close,
    Switch,
}

fn step() -> impl Strategy<Value = Step> {
    let ends = prop_oneof![Just(RunStatus::Completed), Just(RunStatus::Failed), Just(RunStatus::Cancelled)];
    prop_oneof![
        3 => (any::<bool>(), 1..4_usize).prop_map(|(other, count)| Step::Submit { other, count }),
        5 => any::<usize>().prop_map(Step::Start),
        4 => (any::<usize>(), ends).prop_map(|(nth, state)| Step::End(nth, state)),
        1 => any::<usize>().prop_map(Step::CancelQueued),
        1 => any::<usize>().prop_map(Step::Delete),
        10 => Just(Step::Event),
        6 => any::<usize>().prop_map(Step::Telemetry),
        4 => any::<usize>().prop_map(Step::Read),
        4 => any::<usize>().prop_map(Step::Answer),
        1 => Just(Step::Lose),
        3 => any::<bool>().prop_map(|rest| Step::Regain { rest }),
        2 => Just(Step::PinKey),
        2 => any::<bool>().prop_map(|older| Step::Beside { older }),
        1 => any::<usize>().prop_map(Step::Enter),
        2 => any::<usize>().prop_map(Step::Fold),
        2 => prop_oneof![Just("?"), Just("r"), Just(":"), Just("s")].prop_map(Step::Open),
        2 => Just(Step::Close),
        1 => Just(Step::Switch),
    ]
}

fn other_workflow() -> WorkflowId {
    WorkflowId::from_bytes([9; 16])
}

fn document(of: WorkflowId) -> Document {
    let mut document = opened().workflow.unwrap().document;
    if of != workflow_id() {
        document.path = Some("/home/ada/other.yaml".into());
        document.source = Source::File("/home/ada/other.yaml".into());
        document.workflow_id = Some(of);
    }
    document
}

struct Story {
    model: Model,
    daemon: Daemon,
    /// The rules of focus: a projection that gets the same events without a UI.
    rules: Projection,
    /// The shown run before the step, and its workflow.
    shown: Option<(RunId, WorkflowId)>,
}

impl Story {
    fn begin() -> Self {
        let (daemon, rules) = (Daemon::default(), Projection::default());
        let mut story = Self { model: opened(), daemon, rules, shown: None };
        story.daemon.is_up = true;
        story.update(Message::Tick(testing::NOW));
        story
    }

    fn update(&mut self, message: Message) {
        let effects = update(&mut self.model, message);
        self.after(effects);
    }

    fn press(&mut self, keys: &str) {
        let effects = press(&mut self.model, keys);
        self.after(effects);
    }

    /// Takes the effects of a step, and checks the invariants.
    fn after(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.daemon.ask(effect);
        }
        self.rules.set_busy(!self.model.layers.is_empty());
        let model = &self.model;
        self.rules.retain_states(|run| model.projection.watched(run).is_some());
        self.check();
    }

    fn workflow(&self) -> WorkflowId {
        self.model.workflow_id().unwrap()
    }

    fn check(&mut self) {
        let workflow = self.workflow();
        let expected = self.rules.focus(workflow);
        assert_eq!(self.model.focus(), expected, "the run in focus");
        let watched: Vec<RunId> = self.daemon.watch.telemetry.iter().map(|of| of.run_id).collect();
        if self.daemon.is_up {
            assert_eq!(watched, Vec::from_iter(expected), "what is watched");
        }
        if let Some(run) = expected.and_then(|run| self.model.projection.run(run)) {
            let row = self.model.queue.sections.find(run.id, &self.model.projection);
            assert!(row.is_some(), "{} is in focus and has no row", run.name());
        }
        let shown = self.model.lens().map(|lens| (lens.run.id, lens.run.workflow_id));
        if let Some(lens) = self.model.lens() {
            assert_eq!(lens.run.workflow_id, workflow, "another workflow's picture");
            let of = lens.state.outputs.get("of").cloned();
            assert_eq!(of, Some(Value::Text(lens.run.id.to_string())), "another run's telemetry");
            assert!(expected.is_some(), "nothing is in focus, and yet a run is shown");
        }
        if shown.map(|it| it.0) != expected {
            let before = self.shown.filter(|(_, of)| *of == workflow && expected.is_some());
            assert_eq!(shown, before, "until the snapshot is there the old picture stays");
        }
        self.shown = shown;
    }

    fn notify(&mut self, notification: Notification) {
        self.rules.apply(&mut notification.clone());
        self.update(Message::Notification(Box::new(notification)));
    }

    fn come(&mut self, response: Response) {
        match &response {
            Response::Runs { page, .. } => self.rules.add(page.rows.iter().cloned()),
            Response::Known(_, Some(run)) => self.rules.add([(**run).clone()]),
            Response::Known(run, None) => drop(self.rules.remove(*run)),
            Response::Run { detail, .. } => self.rules.add([detail.run.clone()]),
            _ => {}
        }
        self.update(Message::Response(Box::new(response)));
    }

    fn step(&mut self, step: &Step) {
        let free = self.model.layers.is_empty();
        match *step {
            Step::Submit { other, count } => {
                self.daemon.submit(if other { other_workflow() } else { workflow_id() }, count);
            }
            Step::Start(nth) => self.set(nth, |state| state == RunStatus::Queued, RunStatus::Running),
            Step::End(nth, state) => self.set(nth, RunStatus::is_active, state),
            Step::CancelQueued(nth) => {
                self.set(nth, |state| state == RunStatus::Queued, RunStatus::Cancelled);
            }
            Step::Delete(nth) => {
                if let Some(run) = self.daemon.pick(nth, |run| run.state.is_ended()) {
                    self.daemon.delete(run);
                }
            }
            Step::Event => {
                if let Some(notification) = self.daemon.event() {
                    self.notify(notification);
                }
            }
            Step::Telemetry(nth) => {
                if let Some(notification) = self.daemon.telemetry(nth) {
                    self.notify(notification);
                }
            }
            Step::Read(nth) => {
                self.daemon.read(nth, document);
            }
            Step::Answer(nth) => {
                if let Some(response) = self.daemon.answer(nth) {
                    self.come(response);
                }
            }
            Step::Lose if self.daemon.is_up => {
                self.daemon.lose();
                self.update(Message::Link(Link::Down("it was closed".to_owned())));
            }
            Step::Regain { rest } => self.regain(rest),
            Step::PinKey if free && enabled(&self.model, Action::Pin) => {
                let workflow = self.workflow();
                match self.model.lens().map(|lens| lens.run.id) {
                    _ if self.rules.pinned(workflow).is_some() => self.rules.unpin(workflow),
                    Some(run) => {
                        self.rules.pin(run);
                    }
                    None => {}
                }
                self.press("p");
            }
            Step::Beside { older } if free && enabled(&self.model, Action::OlderRun) => {
                let workflow = self.workflow();
                let _ = if older { self.rules.older(workflow) } else { self.rules.newer(workflow) };
                self.press(if older { "[" } else { "]" });
            }
            Step::Enter(nth) if free => {
                let known = |id: RunId| self.model.projection.run(id).map(|run| run.state);
                // The section of cancelled runs is folded.
                let rows = |state: RunStatus| state != RunStatus::Cancelled;
                let Some(run) = self.daemon.pick(nth, |run| known(run.id).is_some_and(rows)) else { return };
                if self.is_folded(run) {
                    self.fold(run);
                }
                self.model.queue.cursor = Some(At::Run(run));
                self.rules.pin(run);
                self.press("2 enter");
            }
            Step::Fold(nth) if free => {
                let known = |id: RunId| self.model.projection.run(id).is_some();
                let of_sweep = |run: &Run| run.sweep.is_some() && run.state != RunStatus::Cancelled;
                if let Some(run) = self.daemon.pick(nth, |run| of_sweep(run) && known(run.id)) {
                    self.fold(run);
                }
            }
            Step::Open(key) if free => {
                let lens = self.model.lens();
                if key != "s" || lens.is_some_and(|lens| !lens.run.state.is_ended()) {
                    self.press(key);
                    assert!(!self.model.layers.is_empty());
                }
            }
            Step::Close => {
                while !self.model.layers.is_empty() {
                    self.press("esc");
                }
            }
            Step::Switch => {
                let there = if self.workflow() == workflow_id() { other_workflow() } else { workflow_id() };
                let effects = self.model.open(Source::Stored(there), Purpose::Open);
                let [Effect::ReadWorkflow(request)] = effects.as_slice() else { panic!("{effects:?}") };
                let (request, document) = (request.clone(), Box::new(document(there)));
                self.update(Message::Response(Box::new(Response::Document { request, document })));
            }
            Step::Lose
            | Step::PinKey
            | Step::Beside { .. }
            | Step::Enter(_)
            | Step::Fold(_)
            | Step::Open(_) => {}
        }
    }

    /// Returns whether a run is in the row of a folded sweep.
    fn is_folded(&self, run: RunId) -> bool {
        let sections = &self.model.queue.sections;
        let place = sections.find(run, &self.model.projection);
        place
            .and_then(|(section, at)| sections.at(section, at))
            .is_some_and(|row| matches!(row, Row::Sweep(_)))
    }

    /// Folds the sweep of a run, or unfolds it.
    fn fold(&mut self, run: RunId) {
        let folded = self.is_folded(run);
        self.model.queue.cursor = Some(At::Run(run));
        self.press(if folded { "2 l" } else { "2 h" });
        assert_ne!(self.is_folded(run), folded);
    }

    fn set(&mut self, nth: usize, from: fn(RunStatus) -> bool, to: RunStatus) {
        if let Some(run) = self.daemon.pick(nth, |run| from(run.state)) {
            self.daemon.set(run, to);
        }
    }

    fn regain(&mut self, rest: bool) {
        if !self.daemon.is_up {
            // Failures of the old connection arrive before the new one.
            while let Some(response) = self.daemon.answer(0) {
                self.come(response);
            }
            self.daemon.regain(rest);
            let up = testing::connected().link;
            if let Link::Up(hello) = &up {
                self.rules.connected(hello);
            }
            self.update(Message::Link(up));
        }
    }

    fn deliver(&mut self) {
        for round in 0.. {
            assert!(round < 10_000, "the UI never stops asking");
            if let Some(notification) = self.daemon.event().or_else(|| self.daemon.telemetry(0)) {
                self.notify(notification);
            } else if let Some(response) = self.daemon.answer(0) {
                self.come(response);
            } else if !self.daemon.read(0, document) {
                break;
            }
        }
    }

    /// Looks until every sweep in view was read, and checks their counts.
    fn look(&mut self) {
        for _ in 0..20 {
            self.model.now = Time(self.model.now.0 + 10_000);
            let effects = paint(&mut self.model, 160, 50);
            self.after(effects);
            self.deliver();
        }
        for (_, hit) in &self.model.areas.hits {
            let Hit::Sweep(sweep) = hit else { continue };
            let sweep = self.model.queue.sections.sweeps.get(*sweep).unwrap();
            let mut counts = Counts::default();
            for run in self.daemon.runs.iter().filter(|run| run.sweep.as_ref() == Some(&sweep.name)) {
                *counts.of(run.state) += 1;
            }
            assert_eq!(sweep.tally.counts(), counts, "{}", sweep.name);
        }
    }

    /// Delivers everything, and checks that the UI agrees with the daemon.
    fn settle(&mut self) {
        self.regain(true);
        self.deliver();
        let expected = self.model.focus();
        assert_eq!(self.model.lens().map(|lens| lens.run.id), expected, "shown at last");
        for run in self.model.projection.runs() {
            let there = self.daemon.runs.iter().find(|it| it.id == run.id).map(|it| it.state);
            // A run that was deleted unnoticed remains until a list is read again.
            let history = run.state.is_ended() && Some(run.id) != expected;
            assert!(there == Some(run.state) || there.is_none() && history, "{}: {there:?}", run.name());
        }
        if let Some(lens) = self.model.lens() {
            assert_eq!(*lens.state, self.daemon.states[&lens.run.id], "the fold of all events");
            assert_eq!(lens.run.state, lens.state.status);
            let drawn = self.model.drawn().map(|(workflow, _)| workflow.version.clone());
            assert_eq!(drawn, Some(lens.run.version.clone()), "the grid of the version that runs");
        }
        self.look();
    }
}

proptest! {
    #[test]
    fn the_lens_follows_the_rules_in_any_order_of_events(steps in proptest::collection::vec(step(), 1..120)) {
        let mut story = Story::begin();
        for step in &steps {
            story.step(step);
        }
        story.settle();
    }
}
