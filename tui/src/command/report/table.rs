//! The table of a report: params × numbers.

use std::collections::HashMap;

use fanlight_shared::id::RunId;
use fanlight_shared::metric::Goal;
use fanlight_shared::rpc::metrics::Series;
use fanlight_shared::time::human_duration;
use indexmap::IndexMap;

use super::html::line;
use super::{Report, Shown};
use crate::text;

/// A column: its heading, its cells by run, and the direction in which it gets better.
struct Column {
    heading: String,
    cells: HashMap<RunId, Cell>,
    goal: Option<Goal>,
}

/// A cell: its text, and the number that it is sorted by.
struct Cell {
    text: String,
    number: Option<f64>,
}

impl Cell {
    fn number(number: f64) -> Self {
        Self { text: text::number(number), number: Some(number) }
    }

    fn text(text: String) -> Self {
        Self { text, number: None }
    }
}

/// Returns the table.
pub(super) fn html(report: &Report) -> String {
    let columns = columns(report);
    let mut out = String::from("<table><thead><tr>");
    for column in &columns {
        out.push_str(&format!("<th>{}</th>", line(&column.heading)));
    }
    out.push_str("</tr></thead><tbody>\n");
    for shown in &report.runs {
        out.push_str("<tr>");
        for column in &columns {
            let Some(cell) = column.cells.get(&shown.run.id) else {
                out.push_str("<td></td>");
                continue;
            };
            let value = cell.number.map(|number| format!(" data-v=\"{number}\"")).unwrap_or_default();
            let class = if is_best(column, cell) { " class=\"best\"" } else { "" };
            out.push_str(&format!("<td{value}{class}>{}</td>", line(&cell.text)));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>");
    out
}

fn is_best(column: &Column, cell: &Cell) -> bool {
    let (Some(goal), Some(number)) = (column.goal, cell.number.filter(|number| number.is_finite())) else {
        return false;
    };
    let others = column.cells.values().filter_map(|cell| cell.number).filter(|it| it.is_finite());
    match goal {
        Goal::Min => others.fold(f64::INFINITY, f64::min) >= number,
        Goal::Max => others.fold(f64::NEG_INFINITY, f64::max) <= number,
    }
}

fn columns(report: &Report) -> Vec<Column> {
    let column = |heading: &str, cell: &dyn Fn(&Shown) -> Option<Cell>| Column {
        heading: heading.to_owned(),
        cells: report.runs.iter().filter_map(|it| Some((it.run.id, cell(it)?))).collect(),
        goal: None,
    };
    let mut columns = vec![column("run", &|it| Some(Cell::text(it.run.name())))];
    for name in &report.varied {
        columns.push(column(name, &|it| {
            let value = it.run.params.get(name)?;
            Some(value.as_float().map_or_else(|| Cell::text(value.summary(80)), Cell::number))
        }));
    }
    let mut outputs: Vec<&String> = Vec::new();
    for name in report.runs.iter().flat_map(|it| it.outputs.keys()) {
        let is_number = |it: &Shown| it.outputs.get(name).is_some_and(|value| value.as_float().is_some());
        if !outputs.contains(&name) && report.runs.iter().any(is_number) {
            outputs.push(name);
        }
    }
    for name in outputs {
        columns.push(column(name, &|it| it.outputs.get(name)?.as_float().map(Cell::number)));
    }
    columns.extend(metrics(report));
    columns.push(column("state", &|it| Some(Cell::text(it.run.state.word().to_owned()))));
    columns.push(column("time", &|it| {
        let (start, end) = (it.run.started_at?, it.run.ended_at?);
        let time = end.since(start);
        Some(Cell { text: human_duration(time), number: Some(time.as_secs_f64()) })
    }));
    if report.runs.iter().any(|it| it.run.spent.cost_usd.is_some()) {
        columns.push(column("US$", &|it| it.run.spent.cost_usd.map(Cell::number)));
    }
    columns
}

/// Returns a column for each metric with its last value, and if its direction is known, one with its best value, named as in
/// the table of `fanlight table`.
fn metrics(report: &Report) -> impl Iterator<Item = Column> {
    let mut columns: IndexMap<String, Column> = IndexMap::new();
    let mut put = |heading: String, series: &Series, value: f64| {
        let new = || Column { heading: heading.clone(), cells: HashMap::new(), goal: series.goal };
        columns.entry(heading.clone()).or_insert_with(new).cells.insert(series.run_id, Cell::number(value));
    };
    for series in &report.series {
        let heading = format!("{}{}.{}", series.node, series.item, series.name);
        put(heading.clone(), series, series.last.value);
        if let Some(best) = series.best() {
            put(format!("best.{heading}"), series, best.value);
        }
    }
    columns.into_values()
}
