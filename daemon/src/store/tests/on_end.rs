//! What is to be done at ends: added with the end, kept until it is done.

use fanlight_shared::event::RunUpdate;
use fanlight_shared::sweep::Limits;
use tokio::sync::Notify;

use super::*;
use crate::on_end::{Due, EndAction, EndOf, OnEnd};
use crate::store::{NewSweep, SweepOf};

fn on_end(of: Option<EndOf>, states: &[RunStatus]) -> OnEnd {
    OnEnd { of, states: states.to_vec(), action: EndAction::Notify, secrets: Vec::new() }
}

fn configure(at: &Fixture, all: Vec<OnEnd>) {
    at.commit(vec![Op::OnEnd { all: all.into(), added: Arc::new(Notify::new()) }]);
}

fn end_of(run: &Run, status: RunStatus) -> Op {
    let update = RunUpdate::new(status, Time(10));
    Op::Event { run: run.id, event: Numbered { seq: 1, event: StateEvent::RunUpdate(update) }.into() }
}

fn due(at: &Fixture) -> Vec<Due> {
    let mut due = at.store.due_on_end(Time(i64::MAX), 100).unwrap();
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
    assert_eq!((due(&at)[0].tries, at.store.next_on_end().unwrap()), (1, next));
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
