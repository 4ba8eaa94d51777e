//! Tests of contact sheets.

use super::*;
use crate::id::{RunId, SubmissionId, WorkflowId};

fn run(number: u32, state: &str, params: &[(&str, Value)]) -> Run {
    let run = serde_json::json!({
        "id": RunId::new(), "workflow": "poster", "number": number, "label": "", "state": state, "params": {},
        "submitted_at": 1, "workflow_id": WorkflowId::new(), "title": "Poster", "version": "0".repeat(64),
        "submission": SubmissionId::new(), "index": 0, "nodes_done": 0, "nodes": 1
    });
    let mut run: Run = serde_json::from_value(run).unwrap();
    run.params = params.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    run
}

fn poster(number: u32, state: &str, seed: i64, style: &str) -> Run {
    run(number, state, &[("seed", Value::Int(seed)), ("style", Value::from(style))])
}

fn labels(axis: &Axis) -> Vec<String> {
    (0..axis.values.len()).map(|at| axis.label(at)).collect()
}

#[test]
fn a_cell_has_the_newest_completed_run_with_its_values() {
    let runs = [
        poster(7, "running", 2, "calm"),
        poster(6, "failed", 10, "wild"),
        poster(5, "failed", 2, "calm"),
        poster(4, "completed", 2, "calm"),
        run(3, "completed", &[("seed", Value::Int(2))]),
        poster(2, "completed", 2, "calm"),
        poster(1, "completed", 10, "calm"),
    ];
    let runs: Vec<RunOfSheet<'_>> = runs.iter().map(RunOfSheet::from).collect();
    let sheet = Sheet::of(&runs, "seed", Some("style")).unwrap();
    assert_eq!(labels(&sheet.x), ["seed=2", "seed=10"], "numbers are sorted as such");
    assert_eq!(labels(&sheet.y), ["style=calm", "style=wild"]);
    let found = |column, row| sheet.found(column, row).map(|it| (runs[it.run].run.number, it.others));
    assert_eq!(found(0, 0), Some((4, 1)));
    assert_eq!(found(1, 0), Some((1, 0)));
    assert_eq!(found(0, 1), None);
    assert_eq!(sheet.found(1, 1).unwrap().state, RunStatus::Failed);
    assert_eq!(sheet.left_out, 1, "it has no style");
    assert_eq!(sheet.places().collect::<Vec<_>>(), [(0, 0), (1, 0), (0, 1), (1, 1)]);
    assert_eq!(varying(&runs), [("seed".to_owned(), 2), ("style".to_owned(), 2)]);
}

#[test]
fn a_param_alone_is_one_row() {
    let runs = [poster(2, "completed", 2, "calm"), poster(1, "completed", 1, "calm")];
    let runs: Vec<RunOfSheet<'_>> = runs.iter().map(RunOfSheet::from).collect();
    let sheet = Sheet::of(&runs, "seed", None).unwrap();
    assert_eq!((labels(&sheet.x).len(), labels(&sheet.y)), (2, vec![String::new()]));
    assert_eq!(varying(&runs), [("seed".to_owned(), 2)]);
}

#[test]
fn what_makes_no_sheet_gets_a_sentence() {
    let runs: Vec<Run> = (0..1_100).map(|at| poster(at, "completed", i64::from(at), "calm")).collect();
    let runs: Vec<RunOfSheet<'_>> = runs.iter().map(RunOfSheet::from).collect();
    let why = |x: &str, y: Option<&str>| Sheet::of(&runs, x, y).unwrap_err();
    assert!(why("seed", None).starts_with("there are more than 1000 cells"), "{}", why("seed", None));
    assert!(why("style", Some("style")).contains("need different params"));
    assert!(why("style", Some("sede")).ends_with("did you mean `seed`?"));
    assert!(Sheet::of(&[], "seed", None).is_err());
}

#[test]
fn values_of_different_types_are_one_column_or_have_different_labels() {
    let values = [Value::Float(1.0), Value::Int(1), Value::from("1"), Value::Float(1.5), Value::from("a")];
    let runs: Vec<Run> = values.into_iter().map(|value| run(1, "completed", &[("x", value)])).collect();
    let runs: Vec<RunOfSheet<'_>> = runs.iter().map(RunOfSheet::from).collect();
    let sheet = Sheet::of(&runs, "x", None).unwrap();
    assert_eq!(labels(&sheet.x), ["x=1", "x=1.5", "x=\"1\"", "x=a"]);
    assert_eq!(sheet.found(0, 0).map(|it| it.others), Some(1));
    let large = 1_i64 << 53;
    #[allow(clippy::cast_precision_loss)]
    let rounded = Value::Float(large as f64);
    assert!(is_same(&Value::Int(large), &rounded) && !is_same(&Value::Int(large + 1), &rounded));
}

#[test]
fn labels_are_one_clean_line_and_nan_is_one_value() {
    let rate = |number, rate: f64| {
        run(number, "completed", &[("rate", Value::Float(rate)), ("say", Value::from("a\u{1b}[31m\nb"))])
    };
    let runs = [rate(3, f64::NAN), rate(2, f64::NAN), rate(1, 0.5)];
    let runs: Vec<RunOfSheet<'_>> = runs.iter().map(RunOfSheet::from).collect();
    let sheet = Sheet::of(&runs, "rate", Some("say")).unwrap();
    assert_eq!(labels(&sheet.x), ["rate=0.5", "rate=NaN"]);
    assert!(!sheet.y.label(0).contains(['\u{1b}', '\n']));
}

#[test]
fn long_params_are_told_apart_by_all_of_them() {
    let prompt = |number, end: &str, others: usize| {
        let mut row =
            TableRow::of(run(number, "completed", &[("prompt", Value::from("x".repeat(500) + end))]));
        // With these, lists have only the beginning of the prompt.
        row.run.params.extend((0..others).map(|at| (format!("p{at}"), Value::from("y".repeat(250)))));
        row.shorten();
        row
    };
    let rows = [prompt(4, "a", 0), prompt(3, "a", 14), prompt(2, "b", 14), prompt(1, "b", 0)];
    assert_eq!(rows.each_ref().map(|row| row.run.params_short), [false, true, true, false]);
    let runs: Vec<RunOfSheet<'_>> = rows.iter().map(RunOfSheet::from).collect();
    let sheet = Sheet::of(&runs, "prompt", None).unwrap();
    let labels = labels(&sheet.x);
    assert!(labels.len() == 2 && labels[0] != labels[1], "{labels:?}");
    let found = |column| sheet.found(column, 0).map(|it| (runs[it.run].run.number, it.others));
    let mut numbers = [found(0), found(1)];
    numbers.sort_unstable();
    assert_eq!(numbers, [Some((2, 1)), Some((4, 1))]);
    assert!(varying(&runs).contains(&("prompt".to_owned(), 2)));
    let many = prompt(5, "a", 40);
    assert!(many.params_left > 0 && many.param_hashes.len() < 20, "{many:?}");
}
