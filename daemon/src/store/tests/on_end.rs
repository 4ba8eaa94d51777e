//! What is to be done at ends: added with the end, kept until it is done.

use fanlight_shared::event::RunUpdate;
use fanlight_shared::on_end::{EndAction, EndOf, OnEnd, WantedBy};
use fanlight_shared::sweep::Limits;
use tokio::sync::Notify;

use super::*;
use crate::on_end::Due;
use crate::store::{NewSweep, SweepOf};

fn on_end(of: Option<EndOf>, states: &[RunStatus]) -> OnEnd {
    OnEnd {
        of,
        states: states.to_vec(),
        action: EndAction::Notify,
        secrets: Vec::new(),
        wanted_by: WantedBy::Config,
    }
}

fn configure(at: &Fixture, all: Vec<OnEnd>) {
    at.commit(vec![Op::OnEnd { all: all.into(), added: Arc::new(Notify::new()) }]);
}

fn end_of(run: &Run, status: RunStatus) -> Op {
    let update = RunUpdate::new(status, Time(10));
    Op::Event { run: run.id, event: Numbered { seq: 1, event: StateEvent::RunUpdate(update) }.into() }
}

fn due(at: &Fixture) -> Vec<Due> {
    let mut due = at.store.due_on_end(Time(i64::MAX), 100).unwrap().due;
    due.sort_by_key(|due| due.key);
    due
}

fn names(at: &Fixture) -> Vec<String> {
    due(at).into_iter().map(|due| format!("{} {}", due.end.name, due.end.state.word())).collect()
}

#[test]
fn an_end_is_kept_with_the_end_itself_until_it_is_done() {
    let mut at = Fixture::new();
    configure(&at, vec![on_end(None, &[])]);
    let runs = at.submit(2);
    assert_eq!(due(&at), []);
    at.commit(vec![end_of(&runs[0], RunStatus::Completed)]);
    // Another end, of a run whose events can't be read.
    at.end(&runs[1]);
    assert_eq!(names(&at), ["poster#1 completed", "poster#2 completed"]);
    let before = due(&at);
    assert_ne!(before[0].id, before[1].id);
    at.reopen();
    assert_eq!(due(&at), before, "the same key after a restart");
    let (key, next) = (before[0].key, Some(Time(1)));
    at.commit(vec![Op::OnEndFailed { key, error: "no luck".into(), next }]);
    assert_eq!((due(&at)[0].tries, at.store.next_on_end(Time(0)).unwrap()), (1, next));
    assert!(
        at.store.failed_on_end().unwrap()[0].contains("poster#1 failed once: no luck; it is tried again")
    );
    at.commit(vec![Op::OnEndFailed { key, error: "no luck".into(), next: None }]);
    assert_eq!(names(&at), ["poster#2 completed"], "it is not tried again");
    let problems = crate::doctor::check(&at.store, false).problems;
    assert!(problems.iter().any(|it| it.contains("failed 2 times")), "{problems:?}");
    at.commit(vec![Op::OnEndDone { key: before[1].key }]);
    assert_eq!(due(&at), []);
}

#[test]
fn a_row_that_cannot_be_read_fails_alone() {
    let at = Fixture::new();
    configure(&at, vec![on_end(None, &[])]);
    for run in at.submit(2) {
        at.commit(vec![end_of(&run, RunStatus::Completed)]);
    }
    at.tamper("UPDATE on_end SET what = '{' WHERE name = 'poster#1'");
    let rows = at.store.due_on_end(Time(i64::MAX), 100).unwrap();
    assert_eq!((rows.due.len(), rows.unreadable.len()), (1, 1));
    assert_eq!(rows.due[0].end.name, "poster#2");
    let (key, error) = rows.unreadable[0].clone();
    at.commit(vec![Op::OnEndFailed { key, error, next: None }]);
    let failed = at.store.failed_on_end().unwrap();
    assert!(failed[0].starts_with("something unknown at the end of poster#1 failed once"), "{failed:?}");
}

#[test]
fn one_thing_to_do_waits_for_a_limited_number_of_ends_and_leaves_room_for_others() {
    let at = Fixture::new();
    let (one, other) = (on_end(None, &[]), on_end(Some(EndOf::Run), &[]));
    configure(&at, vec![one.clone()]);
    let runs = at.submit(2);
    at.commit(vec![end_of(&runs[0], RunStatus::Completed)]);
    at.tamper(
        "WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n WHERE n < 10000) \
         INSERT INTO on_end (id, what, kind, name, workflow, state, at, next_at) \
         SELECT id || n, what, kind, name, workflow, state, at, next_at FROM on_end, n",
    );
    configure(&at, vec![one, other.clone()]);
    at.commit(vec![end_of(&runs[1], RunStatus::Completed)]);
    let due = at.store.due_on_end(Time(i64::MAX), 20_000).unwrap().due;
    assert_eq!(due.len(), 10_001);
    let of_second: Vec<_> = due.iter().filter(|due| due.end.name == "poster#2").collect();
    assert_eq!(of_second.len(), 1);
    assert_eq!(of_second[0].on_end, other);
    let failed = at.store.failed_on_end().unwrap();
    assert!(failed[0].contains("at the end of poster#2 was not done: it waited"), "{failed:?}");
    let due = at.store.due_on_end(Time(i64::MAX), 3).unwrap().due;
    assert_eq!(due.len(), 4, "some of each");
}

#[test]
fn only_wanted_ends_are_kept_and_sweeps_end_once() {
    let at = Fixture::new();
    configure(&at, vec![on_end(None, &[]), on_end(Some(EndOf::Run), &[RunStatus::Failed])]);
    let sweep = NewSweep { name: None, swept: Vec::new(), limits: Limits::default(), search: None };
    let runs = at.submit_with(Submit { sweep: Some(SweepOf::New(sweep)), ..submission(2) }).runs;
    at.commit(vec![end_of(&runs[0], RunStatus::Failed)]);
    assert_eq!(names(&at), ["poster#1 failed"], "runs of sweeps only if they are asked for");
    at.commit(vec![
        end_of(&runs[1], RunStatus::Completed),
        Op::SweepEnded { name: "poster/1".into() },
        Op::SweepEnded { name: "one that was deleted".into() },
    ]);
    let mut all = names(&at);
    all.sort();
    assert_eq!(all, ["poster#1 failed", "poster/1 failed"]);
    configure(&at, Vec::new());
    let runs = at.submit(1);
    at.commit(vec![end_of(&runs[0], RunStatus::Completed)]);
    assert_eq!(names(&at).len(), 2, "nothing is to be done");
}
