//! The lens: the subscription, and what is shown until the snapshot arrives.

use fanlight_shared::event::{DaemonEvent, Numbered, Queue, RunUpdate, StateEvent};
use fanlight_shared::id::Version;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::{Run, RunStatus};

use super::*;
use crate::ui::document::Source;
use crate::ui::message::{Response, Why};
use crate::ui::testing::{response, run, state, with_runs};

fn watched(effects: &[Effect]) -> Option<fanlight_shared::id::RunId> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Watch(watch) => Some(watch.telemetry.first().map(|it| it.run_id)),
        _ => None,
    })?
}

fn notification(model: &mut Model, notification: Notification) -> Vec<Effect> {
    update(model, Message::Notification(Box::new(notification)))
}

fn snapshot(run: &Run) -> Notification {
    Notification::Snapshot {
        workflow_id: run.workflow_id,
        run_id: run.id,
        run: Box::new(run.clone()),
        state: Box::new(state(run)),
    }
}

fn starts(number: u32) -> Notification {
    let run = Box::new(run(number, RunStatus::Running));
    Notification::Daemon { seq: u64::from(number), event: DaemonEvent::RunUpdate { run } }
}

#[test]
fn the_old_picture_stays_until_the_new_one_is_there() {
    let mut model = busy();
    let effects = press(&mut model, "[");
    assert_eq!(watched(&effects), Some(run_id(4)));
    assert_eq!(model.lens().unwrap().run.number, 5);
    notification(&mut model, snapshot(&run(4, RunStatus::Completed)));
    assert_eq!(model.lens().unwrap().run.number, 4);
}

#[test]
fn a_run_that_another_client_started_takes_the_unpinned_lens() {
    let mut model = busy();
    assert_eq!(watched(&notification(&mut model, starts(8))), Some(run_id(8)));
}

#[test]
fn a_pinned_lens_stays_and_an_unpinned_one_moves() {
    let mut model = busy();
    press(&mut model, "p");
    assert!(model.is_pinned());
    notification(&mut model, starts(8));
    assert_eq!(model.focus(), Some(run_id(5)));
    assert_eq!(watched(&press(&mut model, "p")), Some(run_id(8)));
}

#[test]
fn an_open_question_holds_the_lens() {
    let mut model = busy();
    press(&mut model, "s");
    notification(&mut model, starts(8));
    assert_eq!(model.focus(), Some(run_id(5)));
    press(&mut model, "n");
    assert_eq!(model.focus(), Some(run_id(8)));
}

#[test]
fn telemetry_of_other_runs_does_not_reach_the_lens() {
    let mut model = busy();
    let before = model.lens().unwrap().state.clone();
    let update = RunUpdate {
        status: RunStatus::Failed,
        at: crate::ui::testing::NOW,
        start_order: None,
        error: None,
        outputs: Default::default(),
    };
    let event = Numbered { seq: 1, event: StateEvent::RunUpdate(update) };
    let other = run(4, RunStatus::Running);
    notification(&mut model, Notification::State { workflow_id: other.workflow_id, run_id: other.id, event });
    assert_eq!(*model.lens().unwrap().state, before);
}

#[test]
fn a_gap_in_the_events_requests_a_snapshot() {
    let mut model = busy();
    press(&mut model, "tab");
    let update = RunUpdate {
        status: RunStatus::Failed,
        at: crate::ui::testing::NOW,
        start_order: None,
        error: None,
        outputs: Default::default(),
    };
    let event = Numbered { seq: 9, event: StateEvent::RunUpdate(update) };
    let of = run(5, RunStatus::Running);
    let effects =
        notification(&mut model, Notification::State { workflow_id: of.workflow_id, run_id: of.id, event });
    assert_eq!(watched(&effects), Some(run_id(5)));
}

#[test]
fn the_file_of_a_run_that_is_in_focus_again_is_requested_again() {
    let mut model = busy();
    let mut of_old_file = run(4, RunStatus::Completed);
    of_old_file.version = Version::of("an older file");
    let asks = |effects: &[Effect]| effects.contains(&Effect::GetRun(run_id(4)));
    press(&mut model, "[");
    assert!(asks(&notification(&mut model, snapshot(&of_old_file))));
    assert!(!asks(&notification(&mut model, snapshot(&of_old_file))), "it is under way");
    press(&mut model, "]");
    notification(&mut model, snapshot(&run(5, RunStatus::Running)));
    // When the response arrives, another run is in focus, which can't use the file.
    press(&mut model, "[");
    assert!(asks(&notification(&mut model, snapshot(&of_old_file))));
}

#[test]
fn the_lens_does_not_wait_for_a_run_that_was_deleted_while_the_daemon_was_out_of_reach() {
    let mut model = busy();
    let queue = Queue { max_concurrent_runs: 8, paused: false, running: 1, queued: 0 };
    let runs = vec![run(5, RunStatus::Running)];
    notification(
        &mut model,
        Notification::Registry {
            seq: 9,
            runs,
            runs_left: 0,
            queue,
            paused: indexmap::IndexMap::new(),
            banners: Vec::new(),
        },
    );
    let asks = |effects: &[Effect]| effects.contains(&Effect::CheckRuns(vec![run_id(4)]));
    assert!(asks(&press(&mut model, "[")));
    assert!(!asks(&press(&mut model, "] [")), "it is under way");
    response(&mut model, Response::Known(run_id(4), None));
    assert_eq!(model.focus(), Some(run_id(5)));
}

#[test]
fn a_deleted_run_does_not_keep_the_next_workflow_from_the_screen() {
    let mut model = busy();
    model.opening = Some(Source::Stored(crate::ui::testing::workflow_id()));
    let request = Box::new(Effect::GetRun(run_id(4)));
    response(&mut model, Response::Failed { request, error: "no such run".to_owned(), why: Why::Gone });
    assert!(model.opening.is_some());
}

#[test]
fn when_the_focused_run_goes_the_lens_falls_back() {
    let mut model = busy();
    let gone = DaemonEvent::RunDelete { workflow_id: crate::ui::testing::workflow_id(), run_id: run_id(5) };
    let effects = notification(&mut model, Notification::Daemon { seq: 1, event: gone });
    assert_eq!(watched(&effects), Some(run_id(4)));
}

#[test]
fn a_single_run_needs_no_pin() {
    let mut model = with_runs(&[run(1, RunStatus::Running)]);
    assert!(!model.is_one_of_many());
    press(&mut model, "p");
    assert!(!model.is_pinned());
}
