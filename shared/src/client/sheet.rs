//! A contact sheet: the values of two params as columns and rows, and in each cell the newest run that has them.

use std::collections::HashMap;

use indexmap::IndexMap;

use super::table::{Cell, told_apart};
use crate::id::BlobHash;
use crate::metric::same;
use crate::problem::near;
use crate::rpc::runs::TableRow;
use crate::run::{Run, RunStatus};
use crate::value::Value;

/// The most cells of a sheet.
pub const MAX_CELLS: usize = 1_000;

/// The value of the only row, if rows have no param.
const NO_VALUE: &Value = &Value::None;

/// A run for a sheet.
#[derive(Clone, Copy, Debug)]
pub struct RunOfSheet<'a> {
    run: &'a Run,
    /// By which long params are recognised, of which the run may have only the beginnings.
    hashes: Option<&'a IndexMap<String, BlobHash>>,
}

/// A run with all its params.
impl<'a> From<&'a Run> for RunOfSheet<'a> {
    fn from(run: &'a Run) -> Self {
        Self { run, hashes: None }
    }
}

impl<'a> From<&'a TableRow> for RunOfSheet<'a> {
    fn from(row: &'a TableRow) -> Self {
        Self { run: &row.run, hashes: Some(&row.param_hashes) }
    }
}

/// A value of a param, as it is compared.
#[derive(Clone, Copy)]
struct ParamValue<'a> {
    value: &'a Value,
    hash: Option<BlobHash>,
}

/// The values of a param, from the smallest to the largest.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    /// The param; `None` for a sheet with a single row.
    pub param: Option<String>,
    /// Its values.
    pub values: Vec<Value>,
    /// The hashes of long ones.
    hashes: Vec<Option<BlobHash>>,
    /// Their labels, once they are sorted.
    labels: Vec<String>,
}

/// The runs that have the values of a cell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Found {
    /// The place of the newest completed run among those of the sheet; if none has completed, of the newest one.
    pub run: usize,
    /// Its state.
    pub state: RunStatus,
    /// How many other runs have completed with these values.
    pub others: usize,
}

/// Runs by the values of two params.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// The columns.
    pub x: Axis,
    /// The rows.
    pub y: Axis,
    found: HashMap<(usize, usize), Found>,
    /// How many runs don't have one of the params.
    pub left_out: usize,
}

impl Sheet {
    /// Returns the sheet of these runs, the newest first.
    ///
    /// # Errors
    /// A sentence: no run has such a param, both are the same, or there are too many cells.
    pub fn of(runs: &[RunOfSheet<'_>], x: &str, y: Option<&str>) -> Result<Self, String> {
        if y == Some(x) {
            return Err(format!("the columns and the rows are both `{x}`; they need different params"));
        }
        for name in [Some(x), y].into_iter().flatten() {
            if !runs.iter().any(|of| of.run.params.contains_key(name)) {
                let near = near(name, runs.iter().flat_map(|of| of.run.params.keys().map(String::as_str)));
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                return Err(format!("no run has a param `{name}`{hint}"));
            }
        }
        let mut sheet = Self { x: Axis::new(Some(x)), y: Axis::new(y), found: HashMap::new(), left_out: 0 };
        let mut cells: HashMap<(usize, usize), Found> = HashMap::new();
        for (at, of) in runs.iter().enumerate() {
            let (Some(column), Some(row)) = (sheet.x.of(*of), sheet.y.of(*of)) else {
                sheet.left_out += 1;
                continue;
            };
            let (column, row) = (sheet.x.place(column), sheet.y.place(row));
            let (columns, rows) = (sheet.x.values.len(), sheet.y.values.len());
            if columns * rows > MAX_CELLS {
                return Err(format!(
                    "there are more than {MAX_CELLS} cells: at least {columns} values of `{x}`{}",
                    y.map(|y| format!(" and {rows} of `{y}`")).unwrap_or_default()
                ));
            }
            let now = Found { run: at, state: of.run.state, others: 0 };
            let is_done = |it: RunStatus| it == RunStatus::Completed;
            cells
                .entry((column, row))
                .and_modify(|found| match (is_done(found.state), is_done(now.state)) {
                    (true, true) => found.others += 1,
                    (false, true) => *found = now,
                    _ => {}
                })
                .or_insert(now);
        }
        let (columns, rows) = (sheet.x.sort(), sheet.y.sort());
        sheet.found = cells.into_iter().map(|((x, y), found)| ((columns[x], rows[y]), found)).collect();
        Ok(sheet)
    }

    /// Returns the runs of a cell; `None` if there is none.
    #[must_use]
    pub fn found(&self, column: usize, row: usize) -> Option<Found> {
        self.found.get(&(column, row)).copied()
    }

    /// Returns the columns and rows of all cells, row by row.
    pub fn places(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let columns = self.x.values.len();
        (0..self.y.values.len()).flat_map(move |row| (0..columns).map(move |column| (column, row)))
    }
}

impl Axis {
    fn new(param: Option<&str>) -> Self {
        Self { param: param.map(str::to_owned), ..Self::default() }
    }

    /// Returns the value of a run; `None` if it does not have the param.
    fn of<'a>(&self, of: RunOfSheet<'a>) -> Option<ParamValue<'a>> {
        let Some(param) = &self.param else { return Some(ParamValue { value: NO_VALUE, hash: None }) };
        let hash = of.hashes.and_then(|hashes| hashes.get(param)).copied();
        Some(ParamValue { value: of.run.params.get(param)?, hash })
    }

    /// Returns the place of a value, which it adds.
    fn place(&mut self, of: ParamValue<'_>) -> usize {
        let is_it = |at: &usize| match (self.hashes[*at], of.hash) {
            (None, None) => is_same(&self.values[*at], of.value),
            (known, hash) => known == hash,
        };
        (0..self.values.len()).find(is_it).unwrap_or_else(|| {
            self.values.push(of.value.clone());
            self.hashes.push(of.hash);
            self.values.len() - 1
        })
    }

    /// Sorts the values, labels them, and returns their new places by their old ones.
    fn sort(&mut self) -> Vec<usize> {
        let cells: Vec<Cell> = self.values.iter().map(Cell::of).collect();
        let mut order: Vec<usize> = (0..cells.len()).collect();
        order.sort_by(|a, b| cells[*a].compare(&cells[*b], false));
        self.values = order.iter().map(|at| self.values[*at].clone()).collect();
        self.hashes = order.iter().map(|at| self.hashes[*at]).collect();
        self.labels = self.named();
        let mut places = vec![0; order.len()];
        order.into_iter().enumerate().for_each(|(new, old)| places[old] = new);
        places
    }

    /// Returns the labels of the values. A text that looks like another value is quoted, or has a part of its hash.
    fn named(&self) -> Vec<String> {
        let Some(param) = &self.param else { return vec![String::new(); self.values.len()] };
        let shown: Vec<String> = self.values.iter().map(|value| Cell::of(value).to_string()).collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        shown.iter().for_each(|text| *counts.entry(text).or_default() += 1);
        let label = |((value, hash), shown): ((&Value, &Option<BlobHash>), &String)| {
            let is_alike = counts.get(shown.as_str()).is_some_and(|count| *count > 1);
            match (value, hash) {
                (_, Some(hash)) if is_alike => {
                    format!("{}={}", Cell::text(param), told_apart(shown, &hash.to_string()))
                }
                (Value::Text(_), None) if is_alike => format!("{}=\"{shown}\"", Cell::text(param)),
                _ => format!("{}={shown}", Cell::text(param)),
            }
        };
        self.values.iter().zip(&self.hashes).zip(&shown).map(label).collect()
    }

    /// Returns the label of a column or row, such as `seed=3`: one line, sanitised.
    #[must_use]
    pub fn label(&self, at: usize) -> String {
        self.labels.get(at).cloned().unwrap_or_default()
    }
}

/// Returns the params with several values in some runs, each with their number, in the order of the workflow.
#[must_use]
pub fn varying(runs: &[RunOfSheet<'_>]) -> Vec<(String, usize)> {
    let mut axes: Vec<Axis> = Vec::new();
    for of in runs {
        for name in of.run.params.keys() {
            let known = axes.iter().position(|axis| axis.param.as_deref() == Some(name));
            let at = known.unwrap_or_else(|| {
                axes.push(Axis::new(Some(name)));
                axes.len() - 1
            });
            // More can't be shown, and finding out how many there are would take long.
            if axes[at].values.len() <= MAX_CELLS
                && let Some(value) = axes[at].of(*of)
            {
                axes[at].place(value);
            }
        }
    }
    let several = axes.into_iter().filter(|axis| axis.values.len() > 1);
    several.filter_map(|axis| Some((axis.param?, axis.values.len()))).collect()
}

fn is_same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => same(*a, *b),
        // A later version may have another type for a param. Rounded, two integers could equal the same number.
        #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
        (Value::Int(int), Value::Float(float)) | (Value::Float(float), Value::Int(int)) => {
            *int as f64 == *float && *float as i64 == *int
        }
        _ => a == b,
    }
}

#[cfg(test)]
mod tests;
