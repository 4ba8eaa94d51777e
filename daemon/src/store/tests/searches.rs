//! Searches: what is recorded of their runs.

use fanlight_shared::event::RunUpdate;
use fanlight_shared::metric::{Goal, NewPoints, Point};
use fanlight_shared::search::{Objective, Outcome, Range, Report, Sampler, Search};
use fanlight_shared::sweep::Limits;
use fanlight_shared::value::float::Number;

use super::*;
use crate::store::{NewSweep, NewTrial, Numbers, SweepOf};

/// Submits the first run of a search for the smallest loss.
fn start(at: &Fixture) -> Run {
    let search = Search {
        space: [("seed".to_owned(), Range::Int { from: 0, to: 9, log: false })].into_iter().collect(),
        objectives: vec![Objective { name: "loss".into(), goal: Goal::Min }],
        trials: Some(5),
        sampler: Sampler::Tpe,
        pruner: Some("asha".parse().unwrap()),
        seed: 0,
        parallel: None,
    };
    let params = [("seed".to_owned(), Value::Int(0))].into_iter().collect();
    let sweep = NewSweep {
        name: Some("scan".into()),
        swept: vec!["seed".into()],
        limits: Limits::default(),
        search: Some(search),
    };
    let trial = Some(NewTrial { sweep: None, number: 0, params, seen: 0 });
    at.submit_with(Submit { sweep: Some(SweepOf::New(sweep)), trial, ..submission(1) }).runs.remove(0)
}

fn points(run: &Run, node: &str, name: &str, value: f64) -> Op {
    let points = vec![Point { step: 0, at: Time(1), value: 99.0 }, Point { step: 1, at: Time(2), value }];
    let series = vec![NewPoints { name: name.into(), unit: None, goal: None, before: 0, after: 2, points }];
    Op::Points { run: run.id, node: node.into(), item: ItemPath::WHOLE, attempt: 1, series }
}

/// Ends a run. Returns what came of it.
fn outcome(
    at: &Fixture,
    run: &Run,
    state: RunStatus,
    outputs: &[(&str, Result<f64, &'static str>)],
) -> Outcome {
    let outputs: Numbers = outputs.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
    let observe = || Op::Observe { run: run.id, state, outputs: outputs.clone() };
    let event = Numbered { seq: 1, event: StateEvent::RunUpdate(RunUpdate::new(state, Time(10))) }.into();
    at.commit(vec![Op::Event { run: run.id, event }, observe()]);
    // A batch that is applied again after a crash changes nothing.
    at.commit(vec![observe()]);
    let mut known = at.store.known_search("scan").unwrap();
    assert_eq!((known.proposed, known.seen, known.trials.len()), (1, 1, 1));
    known.trials.remove(0).outcome.unwrap()
}

fn unmeasured(outcome: Outcome) -> String {
    match outcome {
        Outcome::Unmeasured { why } => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_output_counts_and_else_the_last_value_of_the_metric() {
    let at = Fixture::new();
    let run = start(&at);
    at.commit(vec![points(&run, "train", "loss", 0.5)]);
    let completed = |value| Outcome::Completed { values: vec![Number(value)] };
    assert_eq!(outcome(&at, &run, RunStatus::Completed, &[]), completed(0.5));
    let at = Fixture::new();
    let run = start(&at);
    at.commit(vec![points(&run, "train", "loss", 0.5)]);
    let output = [("loss", Ok(3.0))];
    assert_eq!(outcome(&at, &run, RunStatus::Completed, &output), completed(3.0));
}

#[test]
fn a_run_without_a_value_says_what_is_missing() {
    let of = |ops: &dyn Fn(&Run) -> Vec<Op>, outputs: &[(&str, Result<f64, &'static str>)]| {
        let at = Fixture::new();
        let run = start(&at);
        at.commit(ops(&run));
        unmeasured(outcome(&at, &run, RunStatus::Completed, outputs))
    };
    assert_eq!(of(&|_| vec![], &[]), "poster#1 has no output `loss`, and no metrics");
    let other = |run: &Run| vec![points(run, "train", "los", 1.0)];
    assert_eq!(
        of(&other, &[]),
        "poster#1 has no output and no metric `loss`; it has the metrics los; did you mean `los`?"
    );
    let two = |run: &Run| vec![points(run, "train", "loss", 1.0), points(run, "test", "loss", 2.0)];
    assert!(of(&two, &[]).contains("name one: `train.loss` or `test.loss`"));
    assert!(
        of(&|_| vec![], &[("loss", Err("is not a number"))])
            .contains("the output `loss` of poster#1 is not a number")
    );
    let metric = |run: &Run| vec![points(run, "train", "loss", 1.0)];
    let without = of(&metric, &[("loss", Err("has no value"))]);
    assert_eq!(without, "the output `loss` of poster#1 has no value");
}

#[test]
fn a_run_that_was_pruned_is_known_with_its_step() {
    let at = Fixture::new();
    let run = start(&at);
    let report = |step, value| Report { trial: run.number, step, value };
    at.commit(vec![
        Op::Report { run: run.id, report: report(1, 0.5), pruned: false },
        Op::Report { run: run.id, report: report(4, f64::NEG_INFINITY), pruned: true },
    ]);
    let pruned = Outcome::Pruned { step: 4, value: Number(f64::NEG_INFINITY) };
    assert_eq!(outcome(&at, &run, RunStatus::Cancelled, &[]), pruned);
    let known = at.store.open_sweeps().unwrap().remove(0).search.unwrap();
    assert_eq!(known.reports, [report(1, 0.5), report(4, f64::NEG_INFINITY)]);
    assert_eq!((known.proposed, known.length), (1, 5));
}

#[test]
fn the_record_of_a_search_is_deleted_with_its_last_run() {
    let at = Fixture::new();
    let run = start(&at);
    outcome(&at, &run, RunStatus::Failed, &[]);
    at.commit(vec![Op::EndSearch { name: "scan".into() }, Op::DeleteRun { run: run.id, assets: true }]);
    assert!(at.store.known_search("scan").unwrap_err().to_string().contains("was deleted"));
    assert!(at.store.open_sweeps().unwrap().is_empty());
    for table in ["trial", "observation", "report"] {
        let rows: i64 = at
            .store
            .read(|db| Ok(db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))?))
            .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
}

#[test]
fn the_last_run_of_a_search_with_more_trials_is_not_deleted() {
    let at = Fixture::new();
    let run = start(&at);
    outcome(&at, &run, RunStatus::Completed, &[]);
    let delete = || vec![Op::DeleteRun { run: run.id, assets: true }];
    let refused = at.try_commit(delete()).unwrap_err().to_string();
    assert!(refused.contains("cancel it first: `fanlight cancel --sweep 'scan'`"), "{refused}");
    assert_eq!(at.store.known_search("scan").unwrap().like, run.id);
    at.commit(vec![Op::EndSearch { name: "scan".into() }]);
    at.commit(delete());
    assert!(at.store.known_search("scan").is_err());
}

#[test]
fn a_damaged_search_proposes_nothing_and_keeps_its_runs() {
    let damages = ["UPDATE sweep SET search = '{'", "UPDATE report SET number = -1"];
    for damage in damages {
        let at = Fixture::new();
        let run = start(&at);
        let report = Report { trial: run.number, step: 1, value: 0.5 };
        at.commit(vec![Op::Report { run: run.id, report, pruned: false }]);
        at.tamper(damage);
        // The sweep itself continues with its open run.
        assert!(at.store.open_sweeps().unwrap().remove(0).search.is_none(), "{damage}");
        let event = StateEvent::RunUpdate(RunUpdate::new(RunStatus::Completed, Time(10)));
        at.commit(vec![Op::Event { run: run.id, event: Numbered { seq: 1, event }.into() }]);
        assert!(at.store.open_sweeps().unwrap().is_empty(), "{damage}");
        assert!(at.store.prunable(&Default::default()).unwrap().is_empty(), "{damage}");
    }
}

#[test]
fn the_trials_of_a_search_are_read_in_the_order_of_their_ends_page_by_page() {
    use fanlight_shared::rpc::sweeps::Trials;
    let at = Fixture::new();
    let run = start(&at);
    let read = |cursor: Option<String>, limit| {
        at.store.trials(&Trials { sweep: "scan".into(), cursor, limit: Some(limit) }).unwrap()
    };
    let open = read(None, 10);
    assert_eq!((open.rows.len(), &open.rows[0].outcome, open.rows[0].run_id), (1, &None, run.id));
    assert_eq!(open.rows[0].run, run.name());
    let params = [("seed".to_owned(), Value::Int(3))].into_iter().collect();
    let key = at.store.known_search("scan").unwrap().key;
    let trial = Some(NewTrial { sweep: Some(key), number: 1, params, seen: 0 });
    let sweep = Some(SweepOf::Extended { name: "scan".into(), swept: vec![] });
    let second = at.submit_with(Submit { sweep, trial, ..submission(1) }).runs.remove(0);
    at.commit(vec![Op::Observe { run: second.id, state: RunStatus::Failed, outputs: Numbers::default() }]);
    let first = read(None, 1);
    assert_eq!((first.rows[0].run_id, &first.rows[0].outcome), (second.id, &Some(Outcome::Failed)));
    let rest = read(first.cursor.clone(), 1);
    assert_eq!((rest.rows[0].run_id, &rest.rows[0].outcome, &rest.cursor), (run.id, &None, &None));
    assert!(first.cursor.is_some());
    let bad = Trials { sweep: "scan".into(), cursor: Some("x".into()), limit: None };
    assert!(at.store.trials(&bad).is_err());
}
