//! A table of runs: params, outputs and metrics as columns, which can be sorted, filtered and chosen.

mod cell;
mod column;
mod condition;
mod importance;
mod words;

use std::collections::HashMap;

pub use cell::Cell;
pub use column::{Column, Kind};
pub use condition::Condition;
pub use importance::Importance;
pub use words::Words;
pub(in crate::client) use words::told_apart;

use crate::id::RunId;
use crate::metric::Goal;
use crate::problem::near;
use crate::rpc::runs::TableRow;
use crate::run::RunStatus;
use crate::time::Time;

/// The most columns; further ones are left out, and [`Table::left_out`] counts them.
pub const MAX_COLUMNS: usize = 1000;

/// A row: a run.
#[derive(Clone, Debug)]
pub struct Row {
    /// The run.
    pub run: RunId,
    /// Its state.
    pub state: RunStatus,
    /// Cells in the order of the columns; those after the last one are empty.
    cells: Vec<Cell>,
    /// How many of its values were left out.
    left_out: usize,
}

/// Runs as rows, newest first until they are sorted.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    index: HashMap<(Kind, String), usize>,
    rows: Vec<Row>,
}

impl Default for Table {
    fn default() -> Self {
        let mut table = Self { columns: Vec::new(), index: HashMap::new(), rows: Vec::new() };
        for name in column::OF_RUN {
            table.column(Kind::Run, name);
        }
        table
    }
}

impl Table {
    /// Adds rows. Texts are sanitised. The time of runs that have not ended counts until `now`.
    pub fn add(&mut self, rows: &[TableRow], now: Time) {
        rows.iter().for_each(|row| self.insert(self.rows.len(), row, now));
    }

    /// Inserts a row at a place, as [`Table::add`] adds it.
    pub fn insert(&mut self, at: usize, row: &TableRow, now: Time) {
        let row = self.row(row, now);
        self.rows.insert(at, row);
    }

    /// Replaces the row at a place.
    pub fn replace(&mut self, at: usize, row: &TableRow, now: Time) {
        self.rows[at] = self.row(row, now);
    }

    /// Keeps the rows for which `keeps` returns true. The columns stay.
    pub fn retain(&mut self, keeps: impl FnMut(&Row) -> bool) {
        self.rows.retain(keeps);
    }

    /// Drops the rows after the first ones.
    pub fn truncate(&mut self, count: usize) {
        self.rows.truncate(count);
    }

    /// Returns how many values were left out: those in too many columns, params after too many long ones, and damaged metrics.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.rows.iter().map(|row| row.left_out).sum()
    }

    fn row(&mut self, row: &TableRow, now: Time) -> Row {
        let run = &row.run;
        let cells = vec![
            Cell::text(&run.name()),
            Cell::text(run.state.word()),
            Cell::text(&run.label),
            run.started_at.map_or(Cell::None, |started| {
                let time = run.ended_at.unwrap_or(now).since(started);
                Cell::Float(time.as_secs_f64())
            }),
            run.spent.cost_usd.map_or(Cell::None, Cell::Float),
            Cell::count(run.spent.input_tokens.saturating_add(run.spent.output_tokens)),
            Cell::text(&run.id.to_string()),
        ];
        let left_out = row.metrics_left as usize + row.params_left as usize;
        let mut made = Row { run: run.id, state: run.state, cells, left_out };
        for (name, value) in &run.params {
            let cell = Cell::of_param(value, row.param_hashes.get(name).copied());
            self.put(&mut made, Kind::Param, name, cell);
        }
        for (name, value) in &row.outputs {
            self.put(&mut made, Kind::Output, name, Cell::of(value));
        }
        for metric in &row.metrics {
            let name = format!("{}.{}", metric.node, metric.name);
            if let Some(at) = self.put(&mut made, Kind::Last, &name, Cell::Float(metric.last)) {
                self.columns[at].goal = metric.goal.or(self.columns[at].goal);
            }
            if let Some(best) = metric.best
                && let Some(at) = self.put(&mut made, Kind::Best, &name, Cell::Float(best))
            {
                self.columns[at].goal = metric.goal;
            }
        }
        made
    }

    fn put(&mut self, row: &mut Row, kind: Kind, name: &str, cell: Cell) -> Option<usize> {
        let Some(at) = self.column(kind, name) else {
            row.left_out += 1;
            return None;
        };
        if row.cells.len() <= at {
            row.cells.resize(at + 1, Cell::None);
        }
        row.cells[at] = cell;
        Some(at)
    }

    /// Returns the place of a column, which it adds; `None` if there are too many.
    fn column(&mut self, kind: Kind, name: &str) -> Option<usize> {
        if let Some(at) = self.index.get(&(kind, name.to_owned())) {
            return Some(*at);
        }
        if self.columns.len() == MAX_COLUMNS {
            return None;
        }
        self.index.insert((kind, name.to_owned()), self.columns.len());
        self.columns.push(Column::new(kind, name));
        Some(self.columns.len() - 1)
    }

    /// Gives the columns their names, once all rows are there: short ones where only one column has them.
    pub fn name_columns(&mut self) {
        column::name(&mut self.columns);
    }

    /// Returns the columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// Returns the rows.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Returns the cell of a row.
    #[must_use]
    pub fn cell<'a>(&self, row: &'a Row, column: usize) -> &'a Cell {
        row.cells.get(column).unwrap_or(&Cell::None)
    }

    /// Returns the place of the column with this name.
    ///
    /// # Errors
    /// A sentence: there is none.
    pub fn named(&self, name: &str) -> Result<usize, String> {
        self.columns.iter().position(|column| column.name == name).ok_or_else(|| {
            let names = self.columns.iter().map(|column| column.name.as_str());
            let longer = names.filter(|it| it.strip_suffix(name).is_some_and(|before| before.ends_with('.')));
            let longer: Vec<String> = longer.map(|it| format!("`{it}`")).collect();
            if !longer.is_empty() {
                return format!("the table has no column `{name}`; it has {}", longer.join(", "));
            }
            let near = near(name, self.columns.iter().map(|column| column.name.as_str()));
            let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
            format!("the table has no column `{name}`{hint}")
        })
    }

    /// Returns the places of all columns: of runs, params, outputs, metrics. `varying`: for people, without those that are empty,
    /// params that have the same value in all of several rows, and the many metrics that Fanlight measures itself.
    #[must_use]
    pub fn ordered(&self, varying: bool) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.columns.len()).collect();
        if varying {
            places.retain(|at| !self.columns[*at].is_system() && self.says_something(*at));
        }
        places.sort_by_key(|at| self.columns[*at].kind);
        places
    }

    fn says_something(&self, column: usize) -> bool {
        let mut cells = self.rows.iter().map(|row| self.cell(row, column));
        let Some(first) = cells.next() else { return true };
        let differs = cells.any(|cell| !cell.is_same(first));
        match self.columns[column].kind {
            Kind::Param => differs || (self.rows.len() == 1 && *first != Cell::None),
            // The params and the name of the run say the same.
            Kind::Run if matches!(self.columns[column].name.as_str(), "label" | "id") => false,
            _ => differs || *first != Cell::None,
        }
    }

    /// Returns the places of the rows that meet all conditions, in their order.
    #[must_use]
    pub fn matching(&self, conditions: &[Condition]) -> Vec<usize> {
        let meets = |row: &Row| conditions.iter().all(|it| it.holds(self.cell(row, it.column)));
        (0..self.rows.len()).filter(|at| meets(&self.rows[*at])).collect()
    }

    /// Sorts rows by a column; those with the same value keep their order, and those without one come last.
    pub fn sort(&self, rows: &mut [usize], column: usize, descending: bool) {
        let cell = |at: &usize| self.cell(&self.rows[*at], column);
        rows.sort_by(|a, b| cell(a).compare(cell(b), descending));
    }

    /// Returns the best value of a column in some rows, if it is known which values are better, and there are several rows.
    #[must_use]
    pub fn best(&self, rows: &[usize], column: usize) -> Option<f64> {
        let goal = self.columns[column].goal.filter(|_| rows.len() > 1)?;
        let numbers = rows.iter().filter_map(|at| self.cell(&self.rows[*at], column).number());
        let finite = numbers.filter(|number| number.is_finite());
        match goal {
            Goal::Min => finite.min_by(f64::total_cmp),
            Goal::Max => finite.max_by(f64::total_cmp),
        }
    }
}

#[cfg(test)]
mod tests;
