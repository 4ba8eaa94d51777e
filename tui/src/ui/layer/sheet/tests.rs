//! Stories about the sheet.

use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::runs::{Table as Request, TableRow};
use fanlight_shared::value::Value;

use super::*;
use crate::ui::testing::{self, asset, paint, press, response, screen, with_runs};

/// Returns a row whose place is one of three and whose seed is one of four.
fn row(number: u32, state: RunStatus) -> TableRow {
    let mut run = testing::run(number, state);
    run.params.insert("place".into(), ["Brighton", "Hove", "Worthing"][number as usize % 3].into());
    run.params.insert("seed".into(), Value::Int(i64::from(number % 4)));
    TableRow::of(run)
}

fn asked(effects: &[Effect]) -> Request {
    effects
        .iter()
        .find_map(|it| if let Effect::ReadTable(it) = it { Some(it.clone()) } else { None })
        .unwrap()
}

/// Returns the sheet of these runs; all their products are numbers and texts.
fn sheet(rows: Vec<TableRow>) -> Model {
    let mut model = with_runs(&[testing::run(1, RunStatus::Completed)]);
    testing::focus(&mut model);
    let request = asked(&press(&mut model, "Y"));
    let page = Page { rows: rows.clone(), cursor: None, limit: None };
    response(&mut model, Response::Table(request, Box::new(page)));
    loop {
        let effects = paint(&mut model, 120, 30);
        let runs = effects.into_iter().filter_map(|it| match it {
            Effect::ListAssets { to: Address::Sheet(run), .. } => Some(run),
            _ => None,
        });
        let runs: Vec<_> = runs.collect();
        if runs.is_empty() {
            return model;
        }
        for id in runs {
            let run = &rows.iter().find(|row| row.run.id == id).unwrap().run;
            let made = |offset: u32, node: &str, kind| asset(run.number + offset, run, node, kind);
            let rows = vec![
                made(1_000, "poster", fanlight_shared::asset::AssetKind::Text),
                made(2_000, "title", fanlight_shared::asset::AssetKind::Number),
            ];
            let to = Address::Sheet(id);
            response(&mut model, Response::Assets { to, page: Page { rows, cursor: None, limit: None } });
        }
    }
}

fn many() -> Vec<TableRow> {
    let state = |number| match number {
        3 | 6 => RunStatus::Failed,
        _ => RunStatus::Completed,
    };
    (1..=14).filter(|it| *it != 8).rev().map(|number| row(number, state(number))).collect()
}

#[test]
fn products_are_arranged_by_two_params_and_missing_ones_say_so() {
    let mut model = sheet(many());
    let shown = screen(&mut model, 120, 40);
    for words in ["place × seed · poster.image · 13 runs", "seed=0", "place=Worthing", "text 1013", "#13 +1"]
    {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    assert!(shown.contains("no run") && shown.contains("#6 ✗ failed"), "{shown}");
    insta::assert_snapshot!("sheet__three_by_four__120x40", shown);
    insta::assert_snapshot!("sheet__narrow__60x20", screen(&mut model, 60, 20));
    for (columns, rows) in [(1, 1), (5, 3), (20, 6), (40, 9), (200, 60)] {
        let _ = screen(&mut model, columns, rows);
    }
}

#[test]
fn params_and_products_are_changed_by_a_key() {
    let mut model = sheet(many());
    press(&mut model, "t");
    assert!(screen(&mut model, 120, 40).contains("seed × place"));
    press(&mut model, "o");
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("title.image") && !shown.contains("text 1013"), "{shown}");
    press(&mut model, "x");
    assert!(screen(&mut model, 120, 40).contains("no other param has several values"));
    let before = screen(&mut model, 120, 40);
    press(&mut model, "- -");
    assert_ne!(screen(&mut model, 120, 40), before);
    press(&mut model, "enter");
    assert!(model.layers.last().is_some_and(|layer| layer.is::<Viewer>()));
    press(&mut model, "esc esc");
    assert!(model.layers.is_empty());
}

#[test]
fn the_cursor_brings_cells_into_view_and_pins_their_run() {
    let mut model = sheet(many());
    press(&mut model, "G");
    let shown = screen(&mut model, 60, 20);
    assert!(shown.contains("seed=3") || shown.contains("place=Wo"), "{shown}");
    press(&mut model, "p");
    assert!(model.layers.is_empty());
}

#[test]
fn what_makes_no_sheet_is_said() {
    let mut model = sheet(Vec::new());
    assert!(screen(&mut model, 80, 24).contains("no run yet"));
    let mut model = sheet(vec![row(1, RunStatus::Completed)]);
    assert!(screen(&mut model, 80, 24).contains("all runs have the same params"));
    press(&mut model, "enter x y t o + p");
    let rows = (1..=1_200).rev().map(|number| {
        let mut row = row(number, RunStatus::Completed);
        row.run.params.insert("seed".into(), Value::Int(i64::from(number)));
        row
    });
    let mut model = sheet(rows.collect());
    assert!(screen(&mut model, 80, 24).contains("more than 1000 cells"));
}

#[test]
fn runs_that_cannot_be_read_and_params_that_are_left_out_are_said() {
    let mut model = with_runs(&[testing::run(1, RunStatus::Completed)]);
    testing::focus(&mut model);
    let request = asked(&press(&mut model, "Y"));
    testing::fail(&mut model, Effect::ReadTable(request.clone()), "no run has this id");
    assert!(screen(&mut model, 120, 40).contains("no run has this id"));
    let mut rows = many();
    rows[0].params_left = 2;
    let page = Page { rows, cursor: None, limit: None };
    response(&mut model, Response::Table(request, Box::new(page)));
    let shown = screen(&mut model, 120, 40);
    assert!(
        shown.contains("place × seed") && shown.contains("13 runs, 1 with too many long params"),
        "{shown}"
    );
}

#[test]
fn the_table_opens_the_sheet_of_what_it_shows() {
    let mut model = with_runs(&[testing::run(1, RunStatus::Completed)]);
    testing::focus(&mut model);
    let request = asked(&press(&mut model, "T"));
    let page = Page { rows: many(), cursor: None, limit: None };
    response(&mut model, Response::Table(request, Box::new(page)));
    press(&mut model, "space space space Y");
    let shown = screen(&mut model, 120, 40);
    assert!(shown.contains("place × seed") && shown.contains("3 runs"), "{shown}");
}
