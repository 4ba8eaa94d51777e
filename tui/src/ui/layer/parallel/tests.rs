//! Stories about parallel coordinates.

use fanlight_shared::rpc::runs::{Measured, TableRow};
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::*;
use crate::ui::testing::{NOW, press, run, run_id, screen, with_runs};

/// Returns a run of a sweep: its loss is least for a rate near 0.01 and with `adam`.
fn row(number: u32) -> TableRow {
    let mut run = run(number, RunStatus::Completed);
    let rate = 10f64.powf(-4.0 + f64::from(number * 7 % 13) / 4.0);
    let optimiser = ["adam", "sgd", "lion"][(number % 3) as usize];
    run.params.insert("rate".into(), Value::Float(rate));
    run.params.insert("optimiser".into(), Value::Text(optimiser.into()));
    run.params.insert("layers".into(), Value::Int(i64::from(2 + number % 5)));
    let loss = (rate.log10() + 2.0).abs() / 4.0 + f64::from(number % 3) / 10.0;
    let metric = |name: &str, last: f64, goal: Option<Goal>| Measured {
        node: "train".into(),
        name: name.into(),
        last,
        goal,
        best: None,
    };
    let metrics = vec![metric("loss", loss, Some(Goal::Min)), metric("time", f64::from(number % 7), None)];
    TableRow { metrics, ..TableRow::of(run) }
}

fn axes(count: u32, marked: &[u32]) -> ParallelAxes {
    let mut table = Table::default();
    let rows: Vec<TableRow> = (1..=count).map(row).collect();
    table.add(&rows, NOW);
    table.name_columns();
    let rows: Vec<usize> = (0..table.rows().len()).collect();
    let marks = marked.iter().map(|number| run_id(*number)).collect();
    ParallelAxes::of(&table, &rows, &table.ordered(true), None, &marks).expect("axes")
}

fn shown(count: u32, marked: &[u32]) -> Model {
    let mut model = with_runs(&[run(1, RunStatus::Completed)]);
    model.layers.push(axes(count, marked).into());
    model
}

fn names(model: &mut Model) -> Vec<String> {
    let text = screen(model, 120, 30);
    let heading = text.lines().nth(2).unwrap_or_default().trim_matches(['│', ' ']);
    let words = heading.split_whitespace().filter(|word| word.len() > 3 && !word.starts_with('('));
    words.map(str::to_owned).collect()
}

#[test]
fn each_run_is_a_line_across_the_axes_and_the_best_is_lit() {
    let mut model = shown(40, &[7, 9]);
    let text = screen(&mut model, 120, 30);
    insta::assert_snapshot!("parallel__120x30", text);
    assert!(text.contains("40 runs · ranked by loss"), "{text}");
    assert!(text.contains("rate (logarithmic)"), "{text}");
    insta::assert_snapshot!("parallel__60x20", screen(&mut model, 60, 20));
    model.options.ascii = true;
    let plain = screen(&mut model, 120, 30);
    let drawn = plain.split("=== styles").next().unwrap_or_default();
    assert!(!drawn.chars().any(|it| ('\u{2800}'..='\u{28ff}').contains(&it)), "{drawn}");
}

#[test]
fn axes_are_moved_hidden_and_shown_again() {
    let mut model = shown(40, &[]);
    let before = names(&mut model);
    press(&mut model, "l H");
    let after = names(&mut model);
    assert_eq!((&after[0], &after[1]), (&before[1], &before[0]));
    press(&mut model, "-");
    assert_eq!(names(&mut model).len(), before.len() - 1);
    assert!(screen(&mut model, 120, 30).contains(" of 6 axes"));
    press(&mut model, "+");
    assert_eq!(names(&mut model).len(), before.len());
    press(&mut model, "- - - - - -");
    assert_eq!(names(&mut model).len(), 2, "two axes remain");
}

#[test]
fn axes_that_say_nothing_are_shown_by_a_key() {
    let mut table = Table::default();
    let mut rows: Vec<TableRow> = (1..=6).map(row).collect();
    for (number, row) in (0_u32..).zip(&mut rows) {
        row.outputs.insert("picture".into(), Value::from(format!("{number}.png")));
        row.outputs.insert("score".into(), Value::Float(f64::from(number)));
        row.outputs.insert("size".into(), Value::Int(512));
        (0..30).for_each(|at| {
            row.run.params.insert(format!("same{at}"), Value::Int(7));
        });
    }
    table.add(&rows, NOW);
    table.name_columns();
    let all: Vec<usize> = (0..6).collect();
    let axes = ParallelAxes::of(&table, &all, &table.ordered(false), None, &HashSet::new()).unwrap();
    let mut model = with_runs(&[run(1, RunStatus::Completed)]);
    model.layers.push(axes.into());
    let shown = |model: &mut Model| {
        let text = screen(model, 160, 30);
        let names =
            ["rate", "optimiser", "layers", "seed", "score", "loss", "time", "picture", "size", "same"];
        let heading = text.lines().nth(2).unwrap_or_default().to_owned();
        (names.into_iter().filter(|it| heading.contains(it)).collect::<Vec<_>>(), text)
    };
    let (names, text) = shown(&mut model);
    assert_eq!(names, ["rate", "optimiser", "layers", "seed", "score", "loss", "time"]);
    assert!(text.contains("6 runs · ranked by loss · 7 of 24 axes · further columns are left out"), "{text}");
    assert!(text.contains("+ all axes"), "{text}");
    press(&mut model, "+");
    let (_, text) = shown(&mut model);
    assert!(!text.contains(" of 24 axes") && text.contains("same"), "{text}");
    press(&mut model, "+");
    assert_eq!(shown(&mut model).0, names);

    let equal: Vec<TableRow> = (0..3).map(|_| row(1)).collect();
    let mut table = Table::default();
    table.add(&equal, NOW);
    table.name_columns();
    let axes = ParallelAxes::of(&table, &[0, 1, 2], &table.ordered(false), None, &HashSet::new()).unwrap();
    assert_eq!(axes.order.len(), axes.axes.len(), "if nothing differs, all are shown");
}

#[test]
fn runs_are_walked_through_from_the_best_and_pinned() {
    let mut model = shown(40, &[]);
    let first = |model: &mut Model| {
        let text = screen(model, 120, 30);
        let line = text.lines().find(|line| line.contains(". poster#")).unwrap_or_default().to_owned();
        line.split("loss ").nth(1).and_then(|it| it.split_whitespace().next()?.parse::<f64>().ok()).unwrap()
    };
    let best = first(&mut model);
    press(&mut model, "j");
    assert!(first(&mut model) >= best);
    press(&mut model, "G");
    assert!(first(&mut model) > best + 0.3);
    press(&mut model, "k g g enter");
    assert!(model.layers.is_empty());
}

#[test]
fn of_many_runs_a_bounded_number_is_drawn_and_it_is_said() {
    let mut model = shown(10_000, &[5]);
    let text = screen(&mut model, 160, 50);
    assert!(text.contains("2000 of 10000 runs drawn"), "{text}");
}

#[test]
fn a_run_without_a_value_is_a_gap_and_one_axis_is_none() {
    let mut table = Table::default();
    let mut rows: Vec<TableRow> = (1..=4).map(row).collect();
    rows[2].metrics.clear();
    table.add(&rows, NOW);
    table.name_columns();
    let all: Vec<usize> = (0..4).collect();
    let columns = table.ordered(true);
    let axes = ParallelAxes::of(&table, &all, &columns, None, &HashSet::new()).unwrap();
    assert_eq!(axes.ranks.last(), Some(&2), "it has no loss");
    assert!(ParallelAxes::of(&table, &all, &columns[..1], None, &HashSet::new()).is_none());
    assert!(ParallelAxes::of(&table, &all[..1], &columns, None, &HashSet::new()).is_none());
}
