//! Sweeps: names, totals, and their end.

use fanlight_shared::event::RunUpdate;
use fanlight_shared::rpc::{runs, sweeps};
use fanlight_shared::run::Counts;
use fanlight_shared::sweep::Limits;

use super::*;
use crate::store::{NewSweep, SweepOf};

fn sweep(runs: usize, name: Option<&str>) -> Submit {
    let name = name.map(str::to_owned);
    let sweep = NewSweep { name, swept: vec!["seed".into()], limits: Limits::default(), search: None };
    Submit { sweep: Some(SweepOf::New(sweep)), ..submission(runs) }
}

fn names(at: &Fixture) -> Vec<String> {
    let page = at.store.sweeps(&sweeps::List::default()).unwrap();
    page.rows.into_iter().map(|sweep| sweep.name).collect()
}

/// Ends a run with these outputs.
fn ended(run: &Run, status: RunStatus, outputs: &[(&str, Value)]) -> Op {
    let outputs = outputs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let update = RunUpdate { outputs, ..RunUpdate::new(status, Time(10)) };
    Op::Event { run: run.id, event: Numbered { seq: 1, event: StateEvent::RunUpdate(update) }.into() }
}

#[test]
fn a_sweep_is_named_after_its_workflow_or_as_its_user_says() {
    let at = Fixture::new();
    assert_eq!(at.submit_with(submission(3)).runs[0].sweep, None);
    assert_eq!(at.submit_with(sweep(2, None)).runs[1].sweep.as_deref(), Some("poster/1"));
    at.submit_with(sweep(1, Some("lr-scan")));
    at.submit_with(sweep(2, None));
    assert_eq!(names(&at), ["poster/2", "lr-scan", "poster/1"]);
    let runs = at.store.runs(&runs::List { sweep: Some("poster/1".into()), ..Default::default() }).unwrap();
    assert_eq!(runs.rows.iter().map(|run| run.number).collect::<Vec<_>>(), [5, 4]);
    assert_eq!(at.store.sweep("last").unwrap().sweep.name, "poster/2");
    assert_eq!(at.store.sweep("poster").unwrap().sweep.name, "poster/2");
    assert!(at.store.sweep("poster/9").unwrap_err().to_string().contains("there is no sweep `poster/9`"));
}

#[test]
fn a_name_that_is_taken_is_refused_and_nothing_is_submitted() {
    let at = Fixture::new();
    at.submit_with(sweep(2, Some("lr-scan")));
    let refused = at.try_commit(vec![Op::Submit(sweep(2, Some("lr-scan")).into())]).unwrap_err();
    assert!(refused.to_string().contains("there is already a sweep `lr-scan`"), "{refused}");
    assert_eq!(at.store.counts().unwrap().queued, 2);
}

#[test]
fn the_same_key_gives_the_same_sweep() {
    let at = Fixture::new();
    let again = || Submit { request_key: "twice".into(), ..sweep(2, Some("lr-scan")) };
    let ids = |made: Submitted| made.runs.into_iter().map(|run| (run.id, run.sweep)).collect::<Vec<_>>();
    assert_eq!(ids(at.submit_with(again())), ids(at.submit_with(again())));
    assert_eq!(names(&at), ["lr-scan"]);
}

#[test]
fn pages_of_sweeps_follow_each_other() {
    let at = Fixture::new();
    (0..5).for_each(|_| drop(at.submit_with(sweep(2, None))));
    let mut list = sweeps::List { limit: Some(2), ..Default::default() };
    let mut seen = Vec::new();
    loop {
        let page = at.store.sweeps(&list).unwrap();
        seen.extend(page.rows.into_iter().map(|sweep| sweep.name));
        match page.cursor {
            Some(cursor) => list.cursor = Some(cursor),
            None => break,
        }
    }
    assert_eq!(seen, ["poster/5", "poster/4", "poster/3", "poster/2", "poster/1"]);
}

#[test]
fn totals_and_the_best_numbers_follow_from_the_runs() {
    let at = Fixture::new();
    let runs = at.submit_with(sweep(5, None)).runs;
    at.commit(vec![
        ended(&runs[0], RunStatus::Completed, &[("loss", Value::Float(0.5)), ("text", Value::from("x"))]),
        ended(&runs[1], RunStatus::Completed, &[("loss", Value::Float(f64::NAN))]),
        ended(&runs[2], RunStatus::Completed, &[("loss", Value::Int(-1))]),
        ended(&runs[3], RunStatus::Failed, &[("loss", Value::Float(-9.0))]),
    ]);
    let detail = at.store.sweep("poster/1").unwrap();
    assert_eq!(detail.sweep.runs, Counts { completed: 3, failed: 1, queued: 1, ..Counts::default() });
    assert_eq!(detail.sweep.state, sweeps::SweepState::Active);
    assert_eq!(detail.params["seed"].count, 5);
    assert_eq!(detail.best.keys().collect::<Vec<_>>(), ["loss"], "numbers only");
    let loss = &detail.best["loss"];
    assert_eq!((loss.lowest.run.as_str(), loss.highest.run.as_str()), ("poster#3", "poster#1"));
    at.commit(vec![ended(&runs[4], RunStatus::Cancelled, &[])]);
    assert_eq!(at.store.sweep("poster/1").unwrap().sweep.state, sweeps::SweepState::Ended);
}

#[test]
fn the_states_of_the_runs_of_a_sweep_are_listed_as_stretches() {
    let at = Fixture::new();
    let runs = at.submit_with(sweep(6, None)).runs;
    at.submit_with(submission(1));
    at.commit(vec![
        ended(&runs[0], RunStatus::Completed, &[]),
        ended(&runs[1], RunStatus::Completed, &[]),
        ended(&runs[2], RunStatus::Failed, &[]),
        ended(&runs[4], RunStatus::Completed, &[]),
        Op::DeleteRun { run: runs[4].id, assets: false },
    ]);
    let (completed, failed, queued) = (RunStatus::Completed, RunStatus::Failed, RunStatus::Queued);
    let expected = [(1, 2, completed), (3, 1, failed), (4, 1, queued), (6, 1, queued)];
    for limit in 1..6 {
        let mut list = sweeps::Runs { sweep: "poster/1".into(), limit: Some(limit), cursor: None };
        let mut seen = Vec::new();
        loop {
            let page = at.store.sweep_runs(&list).unwrap();
            seen.extend(page.rows.into_iter().map(|it| (it.first, it.count, it.state)));
            match page.cursor {
                Some(cursor) => list.cursor = Some(cursor),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{limit} a page");
    }
}

#[test]
fn runs_are_listed_without_those_of_some_sweeps() {
    let at = Fixture::new();
    at.submit_with(sweep(2, None));
    at.submit_with(submission(1));
    at.submit_with(sweep(2, Some("lr-scan")));
    let numbers = |without: &[&str]| {
        let without_sweeps = without.iter().map(|name| (*name).to_owned()).collect();
        let page = at.store.runs(&runs::List { without_sweeps, ..Default::default() }).unwrap();
        page.rows.into_iter().map(|run| run.number).collect::<Vec<_>>()
    };
    assert_eq!(numbers(&["poster/1"]), [5, 4, 3]);
    assert_eq!(numbers(&["poster/1", "lr-scan"]), [3]);
    assert_eq!(numbers(&["one that was deleted"]), [5, 4, 3, 2, 1]);
}

#[test]
fn a_sweep_goes_with_its_last_run_and_its_number_is_not_reused() {
    let at = Fixture::new();
    let runs = at.submit_with(sweep(2, None)).runs;
    at.product(&runs[0], "sky", b"a picture");
    for run in &runs {
        assert_eq!(names(&at), ["poster/1"]);
        at.commit(vec![ended(run, RunStatus::Completed, &[])]);
        at.commit(vec![Op::DeleteRun { run: run.id, assets: false }]);
    }
    assert_eq!(names(&at), Vec::<String>::new());
    assert_eq!(at.submit_with(sweep(2, None)).runs[0].sweep.as_deref(), Some("poster/2"));
}
