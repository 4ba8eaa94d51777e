//! The rules of focus by name, and what rows say.

use super::*;

#[test]
fn the_default_focus_is_the_newest_started_run() {
    let mut story = Story::new();
    assert_eq!(story.focus(), None);
    let waits = story.submit(1)[0];
    assert_eq!(story.focus(), None, "a run that waits has not started");
    let first = story.run();
    assert_eq!(story.focus(), Some(first));
    story.start(waits);
    assert_eq!(story.focus(), Some(waits), "newest is who left the queue last");
    story.complete(waits);
    assert_eq!(story.focus(), Some(waits), "an ended run keeps the lens");
}

#[test]
fn a_pin_stays_until_it_is_removed() {
    let mut story = Story::new();
    let (first, second) = (story.run(), story.run());
    assert!(story.projection.pin(first));
    let third = story.run();
    assert_eq!(story.focus(), Some(first));
    story.projection.unpin(story.workflow);
    assert_eq!(story.focus(), Some(third));
    assert!(!story.projection.pin(RunId::new()), "an unknown run can't be pinned");
    assert_ne!(story.focus(), Some(second));
}

#[test]
fn focus_falls_back_to_newest_active_then_newest_done_then_none() {
    let mut story = Story::new();
    let (done, active, pinned) = (story.run(), story.run(), story.run());
    story.complete(done);
    story.projection.pin(pinned);
    story.complete(pinned);
    story.delete(pinned);
    assert_eq!(story.projection.pinned(story.workflow), None, "the pin goes with its run");
    assert_eq!(story.focus(), Some(active));
    story.complete(active);
    story.delete(active);
    assert_eq!(story.focus(), Some(done));
    story.delete(done);
    assert_eq!(story.focus(), None);
}

#[test]
fn once_every_started_run_is_gone_each_submission_can_start_anew() {
    let mut story = Story::new();
    let (older, newer) = (story.submit(2), story.submit(2));
    for run in [older[0], newer[0]] {
        story.start(run);
        story.complete(run);
    }
    for run in [newer[0], older[0]] {
        story.delete(run);
    }
    assert_eq!(story.focus(), None);
    story.start(newer[1]);
    assert_eq!(story.focus(), Some(newer[1]));
    story.start(older[1]);
    assert_eq!(story.focus(), Some(older[1]), "the newest start");
}

#[test]
fn a_pinned_run_that_is_cancelled_before_it_started_loses_pin_and_lens() {
    let mut story = Story::new();
    let active = story.run();
    let waits = story.submit(1)[0];
    story.projection.pin(waits);
    assert_eq!(story.focus(), Some(waits));
    story.cancel(waits);
    assert_eq!((story.focus(), story.projection.pinned(story.workflow)), (Some(active), None));
}

#[test]
fn the_runs_of_one_submission_count_as_one_start() {
    let mut story = Story::new();
    let sweep = story.submit(4);
    story.start(sweep[0]);
    story.start(sweep[1]);
    assert_eq!(story.focus(), Some(sweep[0]), "the lens takes the first");
    story.start(sweep[2]);
    story.complete(sweep[0]);
    assert_eq!(story.focus(), Some(sweep[1]), "then the earliest started that is active");
    let other = story.run();
    assert_eq!(story.focus(), Some(other));
    story.start(sweep[3]);
    assert_eq!(story.focus(), Some(other), "a later run of an older submission is no new start");
}

#[test]
fn a_sweep_that_runs_one_by_one_is_followed() {
    let mut story = Story::new();
    let sweep = story.submit(2);
    story.start(sweep[0]);
    story.complete(sweep[0]);
    assert_eq!(story.focus(), Some(sweep[0]));
    story.start(sweep[1]);
    assert_eq!(story.focus(), Some(sweep[1]));
}

#[test]
fn an_automatic_move_waits_while_something_is_open() {
    let mut story = Story::new();
    let first = story.run();
    story.projection.set_busy(true);
    let second = story.run();
    assert_eq!(story.focus(), Some(first));
    story.projection.set_busy(false);
    assert_eq!(story.focus(), Some(second));
    story.projection.set_busy(true);
    story.delete(second);
    assert_eq!(story.focus(), Some(first), "a run that is gone is not held");
}

#[test]
fn moving_to_an_older_or_newer_run_pins_it() {
    let mut story = Story::new();
    let runs = [story.run(), story.run(), story.run()];
    assert_eq!(story.projection.newer(story.workflow), None);
    assert_eq!(story.projection.older(story.workflow), Some(runs[1]));
    assert_eq!(story.projection.pinned(story.workflow), Some(runs[1]));
    assert_eq!(story.projection.older(story.workflow), Some(runs[0]));
    assert_eq!(story.projection.older(story.workflow), None);
    assert_eq!(story.projection.newer(story.workflow), Some(runs[1]));
}

#[test]
fn each_workflow_has_its_own_lens() {
    let mut story = Story::new();
    let first = story.run();
    let here = std::mem::replace(&mut story.workflow, WorkflowId::new());
    let second = story.run();
    assert_eq!(story.projection.focus(here), Some(first));
    assert_eq!(story.focus(), Some(second));
}

#[test]
fn a_snapshot_names_the_runs_that_are_missing_in_it() {
    let mut story = Story::new();
    let (gone, stays) = (story.run(), story.run());
    let snapshot: Vec<Run> = story.runs.iter().filter(|run| run.id == stays).cloned().collect();
    assert_eq!(hear_all(&mut story.projection, snapshot, Queue::default()), [gone]);
    let mut ended = story.projection.run(gone).unwrap().clone();
    ended.state = RunStatus::Failed;
    story.projection.add([ended]);
    assert_eq!(story.projection.run(gone).unwrap().state, RunStatus::Failed);
    assert_eq!(story.focus(), Some(stays));
}

#[test]
fn a_new_client_has_the_same_lens_as_one_that_saw_everything() {
    let mut story = Story::new();
    let sweep = story.submit(3);
    for run in &sweep {
        story.start(*run);
    }
    let mut fresh = Projection::default();
    hear_all(&mut fresh, story.runs.clone(), Queue::default());
    assert_eq!(fresh.focus(story.workflow), Some(sweep[0]));
    for run in &sweep {
        story.complete(*run);
    }
    let mut fresh = Projection::default();
    fresh.add(story.runs.clone());
    assert_eq!((fresh.focus(story.workflow), story.focus()), (Some(sweep[2]), Some(sweep[2])));
    let (active, done) = (story.run(), story.run());
    story.complete(done);
    let mut fresh = Projection::default();
    hear_all(&mut fresh, vec![story.row(active)], Queue::default());
    assert_eq!(fresh.focus(story.workflow), Some(active));
    fresh.add(story.runs.clone());
    assert_eq!((fresh.focus(story.workflow), story.focus()), (Some(done), Some(done)));
}

#[test]
fn waiting_runs_are_in_queue_order() {
    let mut story = Story::new();
    let runs = story.submit(2);
    let mut next = story.projection.run(runs[0]).unwrap().clone();
    next.id = RunId::new();
    next.position = Some(1);
    hear(&mut story.projection, DaemonEvent::RunUpdate { run: Box::new(next.clone()) });
    let order: Vec<RunId> = story.projection.queued().map(|run| run.id).collect();
    assert_eq!(order, [next.id, runs[0], runs[1]]);
    assert_eq!(story.projection.position(runs[0]), Some(2));
}

#[test]
fn stale_events_change_nothing_and_deleted_runs_stay_deleted() {
    let mut story = Story::new();
    let run = story.run();
    let running = story.projection.run(run).unwrap().clone();
    story.complete(run);
    story.projection.add([running.clone()]);
    hear(&mut story.projection, DaemonEvent::RunUpdate { run: Box::new(running.clone()) });
    assert_eq!(story.projection.run(run).unwrap().state, RunStatus::Completed);
    assert_eq!(story.projection.active().count(), 0);
    story.delete(run);
    story.projection.add([running.clone()]);
    hear(&mut story.projection, DaemonEvent::RunUpdate { run: Box::new(running) });
    assert_eq!((story.projection.runs().count(), story.focus()), (0, None));
}

#[test]
fn waiting_runs_beyond_the_first_200_are_not_missing() {
    let mut story = Story::new();
    let runs = story.submit(3);
    story.projection.pin(runs[2]);
    let told: Vec<Run> = story.runs[..1].to_vec();
    let queue = Queue { queued: 3, ..Queue::default() };
    assert_eq!(hear_all(&mut story.projection, told, queue), [runs[2]], "only the one that is looked at");
    assert!(story.projection.run(runs[1]).is_none());
}

#[test]
fn a_start_that_is_first_seen_in_a_list_counts() {
    let mut story = Story::new();
    let first = story.run();
    let second = story.submit(1)[0];
    story.happens(second, RunStatus::Running);
    story.projection.add([story.row(second)]);
    assert_eq!(story.focus(), Some(second));
    story.tell(second);
    story.complete(first);
    assert_eq!(story.focus(), Some(second));
}

#[test]
fn a_start_of_a_run_that_has_already_ended_counts() {
    let mut story = Story::new();
    let (first, second) = (story.run(), RunId::new());
    story.complete(first);
    let unseen = Run { id: second, number: 2, submission: SubmissionId::new(), ..story.row(first) };
    story.runs.push(Run { state: RunStatus::Queued, start_order: None, ended_at: None, ..unseen });
    story.happens(second, RunStatus::Running);
    let running = Box::new(story.row(second));
    story.happens(second, RunStatus::Completed);
    story.projection.add([story.row(second)]);
    assert_eq!(story.focus(), Some(second), "the list was faster");
    hear(&mut story.projection, DaemonEvent::RunUpdate { run: running });
    story.tell(second);
    assert_eq!(story.focus(), Some(second));
    let third = story.submit(1)[0];
    story.happens(third, RunStatus::Running);
    story.complete(third);
    assert_eq!(story.focus(), Some(third), "its start and its end came as one");
}

#[test]
fn starts_before_the_lens_fell_back_do_not_move_it() {
    let mut story = Story::new();
    let (active, sweep) = (story.run(), story.submit(2));
    story.start(sweep[0]);
    story.complete(sweep[0]);
    story.projection.pin(sweep[0]);
    story.delete(sweep[0]);
    assert_eq!(story.focus(), Some(active));
    story.start(sweep[1]);
    assert_eq!(story.focus(), Some(active), "its submission had its start before");
    story.complete(active);
    assert_eq!(story.focus(), Some(active));
    let next = story.run();
    assert_eq!(story.focus(), Some(next));
}
