//! Stories about the trials of a search.

use fanlight_shared::rpc::sweeps::{BestTrial, Progress, SearchDetail, Stretch};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::search::{Objective, Range, Sampler, Search, Trial};
use fanlight_shared::spent::Spent;
use fanlight_shared::value::Value;
use fanlight_shared::value::float::Number;
use indexmap::IndexMap;

use super::*;
use crate::ui::message::Why;
use crate::ui::pane::Pane;
use crate::ui::testing::{fail, paint, press, response, run, run_id, screen, with_runs};

fn objective(name: &str, goal: Goal) -> Objective {
    Objective { name: name.into(), goal }
}

/// Returns a search of sixty trials, and what came of this many of them.
fn searched(count: u32, objectives: Vec<Objective>) -> (SearchRead, Vec<TrialRow>) {
    let space = [("rate".to_owned(), Range::Float { from: 1e-4, to: 1.0, log: true })];
    let search = Search {
        space: space.into_iter().collect(),
        objectives,
        trials: Some(60),
        sampler: Sampler::Tpe,
        pruner: Some("asha".parse().unwrap()),
        ..Search::default()
    };
    let two = search.objectives.len() > 1;
    let row = |number: u32| {
        let x = f64::from(number * 37 % 60) / 15.0;
        let loss = (x - 2.0).powi(2) + 3.0 / f64::from(number);
        let outcome = match number % 9 {
            4 if !two => Some(Outcome::Pruned { step: 16, value: Number(loss + 40.0) }),
            7 => Some(Outcome::Failed),
            8 if number > 30 => None,
            _ if two => Some(Outcome::Completed { values: vec![Number(loss), Number(x * 10.0)] }),
            _ => Some(Outcome::Completed { values: vec![Number(loss)] }),
        };
        let params = IndexMap::from([("rate".to_owned(), Value::Float(10f64.powf(x - 4.0)))]);
        TrialRow { run: format!("poster#{number}"), run_id: run_id(number), params, outcome }
    };
    let mut trials: Vec<TrialRow> = (1..=count).map(row).collect();
    trials.sort_by_key(|trial| trial.outcome.is_none());
    let of = |row: &TrialRow| Trial { params: row.params.clone(), outcome: row.outcome.clone() };
    let known: Vec<Trial> = trials.iter().map(of).collect();
    let best = search.best(&known).into_iter().map(|at| {
        let Some(Outcome::Completed { values }) = &trials[at].outcome else { panic!("not completed") };
        BestTrial { run: trials[at].run.clone(), params: trials[at].params.clone(), values: values.clone() }
    });
    let best = best.collect();
    let counted = |wanted: fn(&Outcome) -> bool| {
        let of = trials.iter().filter(|trial| trial.outcome.as_ref().is_some_and(wanted));
        u32::try_from(of.count()).unwrap()
    };
    let progress = Progress {
        trials: 60,
        proposed: count,
        completed: counted(|it| matches!(it, Outcome::Completed { .. })),
        pruned: counted(|it| matches!(it, Outcome::Pruned { .. })),
        failed: counted(|it| matches!(it, Outcome::Failed)),
        ..Progress::default()
    };
    let detail = SearchDetail { search, best, unmeasured: None, decisions: 12 };
    (SearchRead { detail, progress }, trials)
}

fn of_sweep(number: u32, state: RunStatus) -> Run {
    Run { sweep: Some("scan".to_owned()), ..run(number, state) }
}

/// Returns the queue with a search of a few runs, which was read.
fn queue(objectives: Vec<Objective>) -> Model {
    let mut model = with_runs(&[of_sweep(1, RunStatus::Completed), of_sweep(2, RunStatus::Running)]);
    model.pane = Pane::Queue;
    // The second frame knows the runs.
    let effects = [paint(&mut model, 160, 40), paint(&mut model, 160, 40)].concat();
    let read = effects.into_iter().find_map(|effect| match effect {
        Effect::ReadSweep { name, request, best: true } => Some((name, request)),
        _ => None,
    });
    let (name, request) = read.expect("the sweep is read, with whether it is a search");
    let runs = vec![
        Stretch { first: 1, count: 1, state: RunStatus::Completed },
        Stretch { first: 2, count: 1, state: RunStatus::Running },
    ];
    let (search, _) = searched(31, objectives);
    let (best, search) = (Some((IndexMap::new(), Spent::default())), Some(Box::new(search)));
    response(&mut model, Response::Sweep { name, request, runs, best, search });
    model
}

/// Returns the screen of the trials of the search in the queue.
fn opened(objectives: Vec<Objective>) -> Model {
    let mut model = queue(objectives.clone());
    press(&mut model, "g g j");
    assert_eq!(press(&mut model, "H"), [Effect::ReadTrials("scan".to_owned())]);
    let (search, trials) = searched(31, objectives);
    response(&mut model, Response::Trials("scan".to_owned(), Box::new(search), trials));
    model
}

#[test]
fn a_search_folds_to_one_row_that_says_what_it_found() {
    let mut model = queue(vec![objective("loss", Goal::Min)]);
    let text = screen(&mut model, 240, 40);
    let row = text.lines().find(|line| line.contains("scan")).unwrap_or_default();
    assert!(row.contains("trial 31 of 60"), "{text}");
    assert!(row.contains("loss 0.1"), "{row}");
    assert!(!text.contains("✓ #1 seed=1"), "its runs are folded: {text}");
    press(&mut model, "z");
    assert!(screen(&mut model, 160, 40).contains("rate=0.01"), "{}", screen(&mut model, 160, 40));
    press(&mut model, "z");
    let narrow = screen(&mut model, 110, 40);
    assert!(narrow.contains("trial 31 of 60"), "{narrow}");
}

#[test]
fn trials_are_shown_with_the_best_so_far_and_why_they_were_pruned() {
    let mut model = opened(vec![objective("loss", Goal::Min)]);
    let text = screen(&mut model, 150, 36);
    insta::assert_snapshot!("trials__150x36", text);
    assert!(text.contains("trial 31 of 60: "), "{text}");
    assert!(text.contains("pruned at step 16, where it had "), "{text}");
    insta::assert_snapshot!("trials__70x30", screen(&mut model, 70, 30));
    press(&mut model, "o");
    let sorted = screen(&mut model, 150, 36);
    let first = sorted.lines().find(|line| line.contains("* #") || line.contains("*#")).unwrap_or_default();
    assert!(first.contains("loss 0.1"), "the best is first: {sorted}");
    press(&mut model, "enter");
    assert!(model.layers.is_empty());
}

#[test]
fn two_objectives_have_a_front() {
    let mut model = opened(vec![objective("loss", Goal::Min), objective("time", Goal::Min)]);
    let text = screen(&mut model, 150, 36);
    insta::assert_snapshot!("trials_two__150x36", text);
    assert!(text.contains("time over loss") && text.contains("that no other one beats"), "{text}");
}

#[test]
fn trials_are_read_again_when_a_run_of_the_search_ends_but_not_all_the_time() {
    let mut model = opened(vec![objective("loss", Goal::Min)]);
    let ended = |model: &mut Model, sweep: &str| {
        let run = Run { sweep: Some(sweep.to_owned()), ..run(2, RunStatus::Completed) };
        let event = DaemonEvent::RunUpdate { run: Box::new(run) };
        let message =
            crate::ui::message::Message::Notification(Box::new(Notification::Daemon { seq: 2, event }));
        crate::ui::update::update(model, message)
    };
    let reads = |effects: &[Effect]| effects.contains(&Effect::ReadTrials("scan".to_owned()));
    assert!(!reads(&ended(&mut model, "other")));
    assert!(!reads(&ended(&mut model, "scan")), "they were just read");
    model.now = Time(model.now.0 + 3_000);
    assert!(reads(&paint(&mut model, 150, 36)));
    assert!(!reads(&paint(&mut model, 150, 36)), "they are being read");
    fail(&mut model, Effect::ReadTrials("scan".to_owned()), "the store is gone");
    assert!(screen(&mut model, 150, 36).contains("not read again: the store is gone"));
}

#[test]
fn a_sweep_that_is_no_search_has_no_such_screen() {
    let mut model = with_runs(&[of_sweep(1, RunStatus::Completed)]);
    model.pane = Pane::Queue;
    paint(&mut model, 160, 40);
    press(&mut model, "g g j H");
    assert!(model.layers.is_empty());
    let (mut screen, _) = TrialsOfSearch::open("scan".to_owned(), model.now);
    let request = Box::new(Effect::ReadTrials("scan".to_owned()));
    let mut refused = Response::Failed { request, error: "no search".to_owned(), why: Why::Other };
    screen.response(&mut model, &mut refused);
    assert_eq!(screen.error.as_deref(), Some("no search"));
}
