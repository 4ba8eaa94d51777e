//! What single notifications change.

use super::*;
use crate::event::{Numbered, RunUpdate, StateEvent};
use crate::rpc::watch::{Since, TelemetryOf, Watch};
use crate::run_state::{InstanceState, RunState};

fn waits() -> Run {
    run(WorkflowId::new(), 1)
}

fn becomes(run: &Run, state: RunStatus) -> DaemonEvent {
    DaemonEvent::RunUpdate { run: Box::new(Run { state, ..run.clone() }) }
}

fn state_event(run: &Run, seq: u64, status: RunStatus) -> Notification {
    let update = RunUpdate { status, at: Time(5), start_order: None, error: None, outputs: IndexMap::new() };
    let event = Numbered { seq, event: StateEvent::RunUpdate(update) };
    Notification::State { workflow_id: run.workflow_id, run_id: run.id, event }
}

fn snapshot(run: &Run, state: RunState) -> Notification {
    let (workflow_id, run_id) = (run.workflow_id, run.id);
    Notification::Snapshot { workflow_id, run_id, run: Box::new(run.clone()), state: Box::new(state) }
}

fn watch(run: &Run) -> Watch {
    let telemetry = vec![TelemetryOf { run_id: run.id, seq: None }];
    Watch { registry: true, telemetry, ..Watch::default() }
}

#[test]
fn an_ended_run_never_goes_back() {
    let run = waits();
    let mut projection = Projection::of(vec![run.clone()]);
    let mut hear = |state| hear(&mut projection, becomes(&run, state));
    assert_eq!(hear(RunStatus::Completed), [Change::Moved(run.id)]);
    assert_eq!(hear(RunStatus::Running), [Change::Updated(run.id)]);
    assert!(projection.is_over());
}

#[test]
fn a_client_that_follows_some_runs_ignores_others() {
    let (run, other) = (waits(), waits());
    let mut projection = Projection::of(vec![run]);
    assert_eq!(hear(&mut projection, becomes(&other, RunStatus::Failed)), []);
    assert_eq!(projection.apply(&mut snapshot(&other, RunState::new(["sky"]))), []);
    assert_eq!((projection.runs().count(), projection.watched(other.id)), (1, None));
}

#[test]
fn a_row_follows_its_telemetry_if_that_is_ahead() {
    let run = waits();
    let mut projection = Projection::default();
    projection.add([run.clone()]);
    assert_eq!(projection.apply(&mut state_event(&run, 1, RunStatus::Running)), [], "it has no snapshot yet");
    projection.apply(&mut snapshot(&run, RunState::new(["sky"])));
    assert_eq!(projection.apply(&mut state_event(&run, 1, RunStatus::Running)), [Change::Moved(run.id)]);
    assert_eq!(projection.run(run.id).unwrap().started_at, Some(Time(5)));
    assert_eq!(projection.active().count(), 1);
}

#[test]
fn a_gap_is_reported_once_and_closed_by_the_next_snapshot() {
    let run = waits();
    let mut projection = Projection::of(vec![run.clone()]);
    projection.apply(&mut snapshot(&run, RunState::new(["sky"])));
    let seq = |projection: &Projection| projection.resume(watch(&run)).telemetry[0].seq;
    assert_eq!(seq(&projection), Some(0));
    assert_eq!(projection.apply(&mut state_event(&run, 2, RunStatus::Running)), [Change::Gap(run.id)]);
    assert_eq!(projection.apply(&mut state_event(&run, 3, RunStatus::Completed)), []);
    assert_eq!(seq(&projection), None, "a snapshot is asked for");
    let mut whole = RunState::new(["sky"]);
    (whole.seq, whole.status) = (3, RunStatus::Completed);
    assert_eq!(projection.apply(&mut snapshot(&run, whole)), [Change::Moved(run.id)]);
    assert_eq!(seq(&projection), Some(3));
}

#[test]
fn a_snapshot_arrives_in_parts_and_is_requested_again_if_some_are_lost() {
    let run = waits();
    let mut whole = RunState::new(["sky"]);
    whole.nodes["sky"].items = (0..2).map(|index| (index, InstanceState::default())).collect();
    let mut projection = Projection::of(vec![run.clone()]);
    let (workflow_id, run_id) = (run.workflow_id, run.id);
    let part = |index: u32, seq| Notification::SnapshotItems {
        workflow_id,
        run_id,
        seq,
        node: "sky".to_owned(),
        items: [(index, InstanceState::default())].into(),
    };
    let seq = |projection: &Projection| projection.resume(watch(&run)).telemetry[0].seq;
    projection.apply(&mut snapshot(&run, whole.without_items()));
    assert_eq!(projection.apply(&mut part(1, 0)), [Change::Updated(run_id)]);
    assert_eq!(projection.apply(&mut part(0, 9)), [], "a part of another snapshot is none of this");
    assert_eq!(seq(&projection), None);
    projection.apply(&mut part(0, 0));
    assert_eq!(seq(&projection), Some(0));
    assert_eq!(projection.watched(run_id).unwrap().1, &whole);
}

#[test]
fn a_lost_connection_is_resumed_only_with_the_same_daemon() {
    let run = waits();
    let mut projection = Projection::default();
    let hello = |instance: &str| HelloResponse {
        protocol: 1,
        version: "0.1.0".to_owned(),
        instance: instance.to_owned(),
        limits: crate::rpc::daemon::Limits::default(),
        banners: Vec::new(),
    };
    projection.connected(&hello("one"));
    assert_eq!(projection.resume(watch(&run)), watch(&run));
    projection.apply(&mut Notification::Daemon { seq: 40, event: becomes(&run, RunStatus::Running) });
    projection.connected(&hello("one"));
    let since = Since { instance: "one".to_owned(), seq: 40 };
    assert_eq!(projection.resume(watch(&run)).since, Some(since));
    projection.connected(&hello("two"));
    assert_eq!(projection.resume(watch(&run)).since, None);
}

#[test]
fn a_deleted_run_is_shown_until_its_state_is_released() {
    let run = waits();
    let mut projection = Projection::default();
    projection.apply(&mut snapshot(&run, RunState::new(["sky"])));
    let gone = DaemonEvent::RunDelete { workflow_id: run.workflow_id, run_id: run.id };
    assert_eq!(hear(&mut projection, gone), [Change::Deleted(Box::new(run.clone()))]);
    assert_eq!(projection.runs().count(), 0);
    assert_eq!(projection.watched(run.id).map(|(run, _)| run), Some(&run));
    projection.retain_states(|_| false);
    assert_eq!(projection.watched(run.id), None);
}

#[test]
fn banners_are_reported_when_they_change() {
    let mut projection = Projection::default();
    let full = DaemonEvent::BannerUpdate { banners: vec!["the disk is full".to_owned()] };
    assert_eq!(hear(&mut projection, full.clone()), [Change::Banners]);
    assert_eq!(hear(&mut projection, full), []);
    assert_eq!(projection.banners(), ["the disk is full"]);
}
