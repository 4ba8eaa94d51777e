//! Tests of tables.

use indexmap::IndexMap;

use super::*;
use crate::rpc::runs::Measured;
use crate::value::Value;

fn row(
    number: u32,
    params: &[(&str, Value)],
    outputs: &[(&str, Value)],
    metrics: &[(&str, &str, f64)],
) -> TableRow {
    let run = serde_json::json!({
        "id": RunId::new(), "workflow": "train", "number": number, "label": "", "state": "completed", "params": {},
        "submitted_at": 1, "workflow_id": crate::id::WorkflowId::new(), "title": "Train", "version": "0".repeat(64),
        "submission": crate::id::SubmissionId::new(), "index": 0, "nodes_done": 0, "nodes": 1, "started_at": 0, "ended_at": 1500
    });
    let values =
        |of: &[(&str, Value)]| of.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let mut run: crate::run::Run = serde_json::from_value(run).unwrap();
    run.params = values(params);
    let measured = |(node, name, last): &(&str, &str, f64)| Measured {
        node: (*node).to_owned(),
        name: (*name).to_owned(),
        last: *last,
        goal: Some(Goal::Max),
        best: last.is_finite().then_some(last + 1.0),
    };
    let outputs: IndexMap<String, Value> = values(outputs);
    TableRow { outputs, metrics: metrics.iter().map(measured).collect(), ..TableRow::of(run) }
}

fn table(rows: &[TableRow]) -> Table {
    let mut table = Table::default();
    table.add(rows, Time(0));
    table.name_columns();
    table
}

fn names(table: &Table, varying: bool) -> Vec<&str> {
    table.ordered(varying).into_iter().map(|at| table.columns()[at].name.as_str()).collect()
}

fn shown(table: &Table, column: &str) -> Vec<String> {
    of(table, &table.matching(&[]), column)
}

fn of(table: &Table, rows: &[usize], column: &str) -> Vec<String> {
    let at = table.named(column).unwrap();
    rows.iter().map(|row| table.cell(&table.rows()[*row], at).to_string()).collect()
}

#[test]
fn columns_are_runs_params_outputs_and_metrics_and_show_what_varies() {
    let lr = |lr: f64| [("lr", Value::Float(lr)), ("layers", Value::Int(2))];
    let table = table(&[
        row(2, &lr(0.1), &[("said", Value::from("b"))], &[("fit", "acc", 0.5)]),
        row(1, &lr(0.2), &[], &[("fit", "acc", 0.75), ("fit", "loss", 1.0)]),
    ]);
    let all = [
        "run",
        "state",
        "label",
        "time",
        "cost",
        "tokens",
        "id",
        "lr",
        "layers",
        "said",
        "acc",
        "loss",
        "best.acc",
        "best.loss",
    ];
    assert_eq!(names(&table, false), all);
    assert_eq!(
        names(&table, true),
        ["run", "state", "time", "lr", "said", "acc", "loss", "best.acc", "best.loss"]
    );
    assert_eq!(shown(&table, "said"), ["b", ""]);
    assert_eq!(shown(&table, "time"), ["1.5", "1.5"]);
    let acc = table.named("acc").unwrap();
    assert_eq!((table.best(&[0, 1], acc), table.best(&[0], acc)), (Some(0.75), None));
    assert_eq!(table.best(&[0, 1], table.named("lr").unwrap()), None);
    assert_eq!(table.named("ac").unwrap_err(), "the table has no column `ac`; did you mean `acc`?");
}

#[test]
fn what_fanlight_measures_itself_is_there_for_those_that_name_it() {
    let metrics = [("fit", "system/memory", 64.0), ("fit", "loss", 1.0), ("other", "system/cpu", 90.0)];
    let table = table(&[row(1, &[("system/x", Value::Int(1))], &[("system/y", Value::Int(2))], &metrics)]);
    let columns = ["run", "state", "time", "system/x", "system/y", "loss", "best.loss"];
    assert_eq!(names(&table, true), columns);
    assert!(names(&table, false).iter().any(|name| name.contains("system/memory")), "CSV and JSON have all");
    assert_eq!(shown(&table, "system/memory"), ["64"]);
}

#[test]
fn every_column_has_its_own_name() {
    let table = table(&[row(
        1,
        &[("state", Value::Int(1)), ("acc", Value::Int(2)), ("x", Value::Int(3))],
        &[("x", Value::Int(4)), ("a.loss", Value::Int(5))],
        &[
            ("a", "acc", 1.0),
            ("b", "acc", 2.0),
            ("a", "loss", 3.0),
            ("b", "loss", 4.0),
            ("c", "metric.a.loss", 5.0),
        ],
    )]);
    let mut all = names(&table, false);
    assert!(all.contains(&"param.state") && all.contains(&"state") && all.contains(&"b.acc"), "{all:?}");
    assert!(all.contains(&"metric.a.loss") && all.contains(&"a.loss"), "{all:?}");
    let why = table.named("loss").unwrap_err();
    assert!(why.contains("it has `") && why.contains("`b.loss`"), "{why}");
    let count = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), count, "{all:?}");
}

#[test]
fn rows_are_sorted_by_numbers_and_texts_and_those_without_a_value_come_last() {
    let rows: Vec<TableRow> = [
        Some(Value::Int(10)),
        None,
        Some(Value::from("b")),
        Some(Value::Float(9.5)),
        Some(Value::Float(f64::NAN)),
    ]
    .into_iter()
    .enumerate()
    .map(|(at, value)| {
        let params: Vec<(&str, Value)> = value.into_iter().map(|value| ("x", value)).collect();
        row(at as u32 + 8, &params, &[], &[])
    })
    .collect();
    let table = table(&rows);
    let x = table.named("x").unwrap();
    let mut places = table.matching(&[]);
    table.sort(&mut places, x, false);
    assert_eq!(of(&table, &places, "x"), ["9.5", "10", "b", "NaN", ""]);
    table.sort(&mut places, x, true);
    assert_eq!(of(&table, &places, "x"), ["10", "9.5", "b", "NaN", ""]);
    table.sort(&mut places, 0, false);
    assert_eq!(of(&table, &places, "run"), ["train#8", "train#9", "train#10", "train#11", "train#12"]);
}

#[test]
fn rows_are_filtered_by_conditions() {
    let rows: Vec<TableRow> = (1..=10)
        .map(|number| {
            row(
                number,
                &[("x", Value::Int(number.into())), ("name", Value::from(format!("N{number}")))],
                &[],
                &[],
            )
        })
        .collect();
    for (conditions, expected) in [
        (&["x>8"][..], &["9", "10"][..]),
        (&["x >= 9", "x!=10"], &["9"]),
        (&["x<=2"], &["1", "2"]),
        (&["name=N3"], &["3"]),
        (&["name~n1"], &["1", "10"]),
        (&["x=4.0"], &["4"]),
        (&["name<3"], &[]),
    ] {
        let table = table(&rows);
        let conditions: Vec<Condition> =
            conditions.iter().map(|text| Condition::read(text, &table).unwrap()).collect();
        assert_eq!(of(&table, &table.matching(&conditions), "x"), expected);
    }
    let table = table(&rows);
    assert_eq!(Condition::read("y=1", &table).unwrap_err(), "the table has no column `y`");
    assert!(Condition::read("x", &table).unwrap_err().contains("is not a condition"));
    assert!(Condition::read("name=<p>", &table).is_ok());
    assert_eq!(
        Condition::read("x=>2", &table).unwrap_err(),
        "`x=>2` has two signs; write one of = != < <= > >= ~"
    );
    assert_eq!(Condition::read("x>many", &table).unwrap_err(), "`x>many`: `many` is not a number");
}

#[test]
fn text_from_outside_is_sanitised_and_short() {
    let table = table(&[row(
        1,
        &[("x", Value::from("a\u{1b}[31m\nb")), ("y", Value::from("z".repeat(5000)))],
        &[],
        &[],
    )]);
    assert!(!shown(&table, "x")[0].contains(['\u{1b}', '\n']));
    assert_eq!(shown(&table, "y")[0].chars().count(), 201);
}
