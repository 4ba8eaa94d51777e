//! Stories about the table of runs.

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::{NewPoints, Point};
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::runs::{Measured, Table as Request, TableRow};
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::*;
use crate::ui::message::Message;
use crate::ui::testing::{self, press, response, run_id, screen, with_runs, write};
use crate::ui::update::update;

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

/// Delivers an event of the daemon.
fn tell(model: &mut Model, event: DaemonEvent) -> Vec<Effect> {
    notify(model, Notification::Daemon { seq: 1, event })
}

fn notify(model: &mut Model, notification: Notification) -> Vec<Effect> {
    update(model, Message::Notification(Box::new(notification)))
}

fn changed(model: &mut Model, run: Run) -> Vec<Effect> {
    tell(model, DaemonEvent::RunUpdate { run: Box::new(run) })
}

/// Lets time pass until the next frame. Returns the requests for the table.
fn later(model: &mut Model, milliseconds: i64) -> Vec<Request> {
    model.now.0 += milliseconds;
    requests(testing::paint(model, 120, 36))
}

fn requests(effects: Vec<Effect>) -> Vec<Request> {
    effects
        .into_iter()
        .filter_map(|it| if let Effect::ReadTable(it) = it { Some(it) } else { None })
        .collect()
}

fn answer(model: &mut Model, request: Request, rows: Vec<TableRow>) -> Vec<Effect> {
    let page = Page { rows, cursor: None, limit: None };
    response(model, Response::Table(request, Box::new(page)))
}

/// Returns the number of the run under the cursor, and how many are marked.
fn under(model: &Model) -> (u32, usize) {
    let table = model.layers.last().unwrap().downcast_ref::<RunsTable>().unwrap();
    (table.run().unwrap().number, table.marks.len())
}

#[test]
fn it_follows_what_changes_with_few_requests_and_keeps_its_place() {
    let mut model = table(7);
    assert_eq!(later(&mut model, 60_000), [], "nothing is read while nothing changes");
    while !screen(&mut model, 120, 36).contains("acc ▲") {
        press(&mut model, "l o");
    }
    press(&mut model, "space");
    assert_eq!(under(&model), (4, 1));
    let mut asked = Vec::new();
    for _ in 0..50 {
        asked.extend(requests(changed(&mut model, testing::run(8, RunStatus::Running))));
        asked.extend(requests(changed(&mut model, testing::run(3, RunStatus::Completed))));
    }
    let [request] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(request.run_ids, [run_id(8)]);
    assert_eq!(later(&mut model, 10_000), [], "the next one waits for the response");
    answer(&mut model, request.clone(), vec![row(8)]);
    let request = later(&mut model, 500).remove(0);
    assert_eq!(request.run_ids, [run_id(3), run_id(8)]);
    let mut better = row(3);
    better.metrics[0].last = 0.01;
    answer(&mut model, request, vec![row(8), better]);
    let shown = screen(&mut model, 120, 36);
    assert_eq!(runs(&shown)[0], "poster#3", "{shown}");
    assert!(shown.contains("8 of 8 runs · 1 marked"), "{shown}");
    assert_eq!(under(&model), (4, 1));
    tell(&mut model, DaemonEvent::RunDelete { workflow_id: testing::workflow_id(), run_id: run_id(7) });
    let shown = screen(&mut model, 120, 36);
    assert!(shown.contains("7 of 7 runs") && !shown.contains("poster#7"), "{shown}");
    assert_eq!(under(&model), (4, 0), "the mark was on it");
    assert_eq!(later(&mut model, 60_000), []);
}

#[test]
fn metrics_are_read_once_they_are_stored() {
    let mut model = table(3);
    let request = requests(changed(&mut model, testing::run(4, RunStatus::Running))).remove(0);
    let mut running = row(4);
    running.run.state = RunStatus::Running;
    answer(&mut model, request, vec![running.clone()]);
    let watched = model.layers.last().unwrap().metrics(&model).unwrap();
    assert_eq!(watched.run_ids, [run_id(4)]);
    let (workflow_id, run_id) = (testing::workflow_id(), run_id(4));
    let (node, item, attempt) = ("train".to_owned(), ItemPath::WHOLE, 1);
    let point = Point { step: 5, at: Time(5), value: 0.5 };
    let new =
        NewPoints { name: "acc".into(), unit: None, goal: None, before: 0, after: 1, points: vec![point] };
    let points = Notification::Points { workflow_id, run_id, node, item, attempt, new };
    assert_eq!(requests(notify(&mut model, points.clone())), []);
    assert_eq!(later(&mut model, 1_000), [], "it is not stored yet");
    assert_eq!(requests(notify(&mut model, points)), []);
    let request = later(&mut model, 100).remove(0);
    answer(&mut model, request, vec![running.clone()]);
    // The second point is stored by now.
    assert_eq!(later(&mut model, 900), []);
    let request = later(&mut model, 200).remove(0);
    running.metrics[0].last = 0.77;
    answer(&mut model, request, vec![running]);
    assert!(screen(&mut model, 120, 36).contains("0.77"));
    assert_eq!(later(&mut model, 60_000), []);
}

#[test]
fn a_run_that_was_deleted_before_it_is_read_does_not_stop_it() {
    let mut model = table(3);
    let request = requests(changed(&mut model, testing::run(4, RunStatus::Running))).remove(0);
    let (request, error) = (Box::new(Effect::ReadTable(request)), "no run has the id".to_owned());
    let effects = response(&mut model, Response::Failed { request, error, why: Why::Gone });
    assert!(effects.contains(&Effect::CheckRuns(vec![run_id(4)])), "{effects:?}");
    assert!(model.toasts.shown.is_empty());
    response(&mut model, Response::Known(run_id(4), None));
    assert_eq!(later(&mut model, 60_000), []);
}

#[test]
fn runs_at_the_end_of_a_long_queue_are_found_page_by_page() {
    let mut model = table(3);
    let queue = fanlight_shared::event::Queue { queued: 900, ..model.projection.queue() };
    let request = requests(tell(&mut model, DaemonEvent::QueueUpdate { queue })).remove(0);
    assert!(request.run_ids.is_empty() && request.cursor.is_none(), "{request:?}");
    let page = Page { rows: (6..=9).rev().map(row).collect(), cursor: Some("more".to_owned()), limit: None };
    let request = read(response(&mut model, Response::Table(request, Box::new(page))));
    assert_eq!(request.cursor.as_deref(), Some("more"));
    let page = Page { rows: (2..=5).rev().map(row).collect(), cursor: Some("rest".to_owned()), limit: None };
    let effects = response(&mut model, Response::Table(request, Box::new(page)));
    assert_eq!(requests(effects), [], "the rest is known");
    assert!(screen(&mut model, 120, 36).contains("9 of 9 runs"));
}

#[test]
fn all_is_read_again_after_missed_changes_and_what_was_deleted_goes() {
    let mut model = table(7);
    press(&mut model, "j j space");
    let request = read(testing::missed(&mut model));
    assert!(screen(&mut model, 120, 36).contains("7 of 7 runs · reading"), "it stays meanwhile");
    answer(&mut model, request, [8, 6, 4, 3, 2, 1].map(row).to_vec());
    let shown = screen(&mut model, 120, 36);
    assert!(shown.contains("6 of 6 runs") && !shown.contains("reading"), "{shown}");
    assert_eq!(runs(&shown)[..3], ["poster#8", "poster#6", "poster#4"]);
    assert_eq!(under(&model), (4, 0));
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
