//! Writes a sheet as text or JSON.

use fanlight_shared::client::sheet::Sheet;
use fanlight_shared::sanitise;
use fanlight_shared::value::{Value, Values};
use serde_json::{Value as Json, json};

use super::product::{Cell, media};
use super::{name, reason};
use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::{Out, json as lines, table};

/// The longest text in a cell, in characters.
const MAX_CHARS: usize = 32;

/// Writes a table: the run of each cell, and its value if that is not a file.
pub(super) fn text(out: &mut Out, sheet: &Sheet, cells: &[Cell<'_>]) -> Result<(), Failure> {
    let columns = sheet.x.values.len();
    let labels: Vec<String> = (0..columns).map(|at| sheet.x.label(at)).collect();
    let headings: Vec<&str> = std::iter::once("").chain(labels.iter().map(String::as_str)).collect();
    let mut lines = table::Table::new(&headings);
    for (row, cells) in cells.chunks(columns.max(1)).enumerate() {
        let label = table::Cell::new(sheet.y.label(row), Role::Strong);
        lines.row(std::iter::once(label).chain(cells.iter().map(cell)).collect());
    }
    lines.print(out)
}

fn cell(cell: &Cell<'_>) -> table::Cell {
    match cell {
        Cell::Product { run, others, value: Some(value) } => {
            let name = name(run, *others);
            match media(value) {
                Some(_) => name.into(),
                None => format!("{} · {name}", sanitise::line(&value.summary(MAX_CHARS))).into(),
            }
        }
        Cell::NotDone(run) => table::Cell::new(reason(cell), Role::of_run(run.state)),
        _ => table::Cell::new(reason(cell), Role::Dim),
    }
}

/// Writes an object for each cell, row by row.
pub(super) fn json(out: &mut Out, sheet: &Sheet, cells: &[Cell<'_>]) -> Result<(), Failure> {
    for ((column, row), cell) in sheet.places().zip(cells) {
        let (run, others, value) = match cell {
            Cell::Nothing => (None, 0, None),
            Cell::NotDone(run) | Cell::Deleted(run) => (Some(run), 0, None),
            Cell::Product { run, others, value } => (Some(run), *others, value.as_ref()),
        };
        let object = json!({
            "x": plain(sheet.x.values.get(column)),
            "y": plain(sheet.y.values.get(row)),
            "run": run.map(|run| run.name()),
            "run_id": run.map(|run| run.id),
            "state": run.map(|run| run.state),
            "others": others,
            "value": plain(value),
        });
        lines::print(out, &object)?;
    }
    Ok(())
}

/// Returns a value as other commands print it.
fn plain(value: Option<&Value>) -> Json {
    let values = Values::from_iter([(String::new(), value.cloned().unwrap_or_default())]);
    lines::values(&values).into_iter().next().map(|(_, value)| value).unwrap_or_default()
}
