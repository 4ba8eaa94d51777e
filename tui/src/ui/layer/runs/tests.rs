//! Stories about the table of runs.

use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::runs::{Measured, Table as Request, TableRow};
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::*;
use crate::ui::testing::{self, press, response, run_id, screen, with_runs, write};

/// Returns a row whose seed and accuracy depend on its number.
fn row(number: u32) -> TableRow {
    let mut run = testing::run(number, RunStatus::Completed);
    run.params.insert("seed".into(), Value::Int(i64::from(number * 7 % 10)));
    let acc = f64::from(number * 3 % 10) / 10.0;
    let metric = Measured {
        node: "train".into(),
        name: "acc".into(),
        last: acc,
        goal: Some(fanlight_shared::metric::Goal::Max),
        best: Some(acc),
    };
    TableRow { metrics: vec![metric], ..TableRow::of(run) }
}

fn read(effects: Vec<Effect>) -> Request {
    let request =
        effects.into_iter().find_map(|it| if let Effect::ReadTable(it) = it { Some(it) } else { None });
    request.expect("a page of the table")
}

/// Returns the table of this many runs, which came in pages of five.
fn table(count: u32) -> Model {
    let mut model = with_runs(&[testing::run(1, RunStatus::Completed)]);
    testing::focus(&mut model);
    let mut request = read(press(&mut model, "T"));
    let all: Vec<TableRow> = (1..=count).rev().map(row).collect();
    let pages: Vec<&[TableRow]> = all.chunks(5).collect();
    for (at, rows) in pages.iter().enumerate() {
        let cursor = (at + 1 < pages.len()).then(|| format!("runs.table:{at}"));
        let page = Page { rows: rows.to_vec(), cursor: cursor.clone(), limit: None };
        let effects = response(&mut model, Response::Table(request.clone(), Box::new(page)));
        if cursor.is_some() {
            request = read(effects);
            assert_eq!(request.cursor, cursor);
        }
    }
    model
}

/// Returns the first word of each row.
fn runs(shown: &str) -> Vec<String> {
    let words = |line: &str| line.trim_matches(['│', ' ']).split_whitespace().next().map(str::to_owned);
    shown.lines().filter_map(words).filter(|word| word.starts_with("poster#")).collect()
}

#[test]
fn runs_are_sorted_by_the_column_under_the_cursor_and_the_best_is_marked() {
    let mut model = table(7);
    let shown = screen(&mut model, 120, 36);
    assert!(shown.contains("7 of 7 runs") && shown.contains("0.9 *"), "{shown}");
    assert_eq!(runs(&shown)[..2], ["poster#7", "poster#6"]);
    while !screen(&mut model, 120, 36).contains("acc ▲") {
        press(&mut model, "l o");
    }
    assert_eq!(runs(&screen(&mut model, 120, 36))[..2], ["poster#7", "poster#4"]);
    press(&mut model, "o");
    assert_eq!(runs(&screen(&mut model, 120, 36))[..2], ["poster#3", "poster#6"]);
    press(&mut model, "o");
    assert_eq!(runs(&screen(&mut model, 120, 36))[..2], ["poster#7", "poster#6"], "as it was");
}

#[test]
fn rows_are_filtered_and_columns_hidden() {
    let mut model = table(9);
    press(&mut model, "/");
    write(&mut model, "acc>0.5 ac=1");
    press(&mut model, "enter");
    assert!(screen(&mut model, 120, 36).contains("did you mean `acc`?"));
    press(&mut model, "ctrl-u");
    write(&mut model, "acc>0.5");
    press(&mut model, "enter");
    let shown = screen(&mut model, 120, 36);
    assert!(shown.contains("4 of 9 runs · acc>0.5"), "{shown}");
    press(&mut model, "l -");
    assert!(!screen(&mut model, 120, 36).contains("completed  5.2 s"), "the state is hidden");
    press(&mut model, "+");
    assert!(screen(&mut model, 120, 36).contains("completed  5.2 s"));
    press(&mut model, "esc");
    assert!(screen(&mut model, 120, 36).contains("9 of 9 runs"));
    press(&mut model, "esc");
    assert!(model.layers.is_empty());
}

#[test]
fn enter_moves_the_lens_and_marked_runs_are_compared_or_cancelled() {
    let mut model = table(6);
    press(&mut model, "space space c");
    assert!(model.layers.last().is_some_and(|layer| layer.is::<Compare>()));
    press(&mut model, "esc V");
    assert!(model.layers.last().is_some_and(|layer| layer.is::<CurvesOfRuns>()));
    press(&mut model, "esc esc");
    let effects = press(&mut model, "j enter");
    assert!(model.layers.is_empty());
    assert!(effects.contains(&Effect::GetRun(run_id(3))) || model.pinning == Some(run_id(3)), "{effects:?}");

    let mut model = with_runs(&[testing::run(1, RunStatus::Running)]);
    testing::focus(&mut model);
    let request = read(press(&mut model, "T"));
    let mut running = row(1);
    running.run.state = RunStatus::Running;
    let page = Page { rows: vec![running], cursor: None, limit: None };
    response(&mut model, Response::Table(request, Box::new(page)));
    press(&mut model, "x");
    let effects = press(&mut model, "y");
    let cancel = runs::Cancel { runs: vec![run_id(1)], ..runs::Cancel::default() };
    assert!(effects.contains(&Effect::Cancel(cancel)), "{effects:?}");
}

#[test]
fn params_are_listed_by_how_much_they_matter_for_a_column_with_the_runs_as_points() {
    let mut model = with_runs(&[testing::run(1, RunStatus::Completed)]);
    testing::focus(&mut model);
    let request = read(press(&mut model, "T"));
    let rows = (1..=40).rev().map(|number| {
        let mut row = row(number);
        row.run.params.insert("lr".into(), Value::Float(10f64.powi(-(number as i32 % 4) - 1)));
        row.run.params.insert("act".into(), ["relu", "gelu"][number as usize % 2].into());
        // Only the rate matters.
        row.metrics[0].last = f64::from(number % 4) / 10.0 + f64::from(number) / 10_000.0;
        row
    });
    let page = Page { rows: rows.collect(), cursor: None, limit: None };
    response(&mut model, Response::Table(request, Box::new(page)));
    press(&mut model, "i");
    assert!(!screen(&mut model, 120, 36).contains("Which params matter"), "the name of the run is no number");
    for _ in 0..12 {
        press(&mut model, "l i");
        if screen(&mut model, 120, 36).contains("Which params matter for acc") {
            break;
        }
    }
    // The notes of the other columns.
    model.toasts = crate::ui::toast::Toasts::default();
    let shown = screen(&mut model, 120, 30);
    let at = |text: &str| shown.find(text).unwrap_or_else(|| panic!("{text}: {shown}"));
    assert!(
        at("lr ") < at("act ") && shown.contains("▼") && shown.contains("acc over lr (logarithmic), 40 runs")
    );
    insta::assert_snapshot!("table__importance__120x30", shown);
    press(&mut model, "j j");
    insta::assert_snapshot!("table__importance_narrow__60x20", screen(&mut model, 60, 20));
    for (columns, rows) in [(1, 1), (5, 3), (20, 6), (40, 9), (200, 60)] {
        let _ = screen(&mut model, columns, rows);
    }
    press(&mut model, "esc");
    assert!(screen(&mut model, 120, 36).contains("40 of 40 runs"), "back in the table");
}

#[test]
fn only_rows_in_view_are_drawn_and_every_column_can_be_reached() {
    let mut model = table(300);
    press(&mut model, "G");
    let shown = screen(&mut model, 80, 24);
    assert!(shown.contains("poster#1 ") && !shown.contains("poster#300"), "{shown}");
    for _ in 0..10 {
        press(&mut model, "l");
    }
    assert!(screen(&mut model, 60, 20).contains("best.acc"));
}
