//! The data of a chart: series of points, read from rows.

use fanlight_shared::value::{Value, Values, cut};
use indexmap::{IndexMap, IndexSet};

use super::axis::Axis;
use super::color::series;
use super::frame::room_for;
use super::scene::Color;
use super::time;
use crate::node_type::table::rows::{Table, column_names, shown};
use crate::node_type::typed_inputs::TypedInputs;

/// The most rows.
const MAX_ROWS: usize = 100_000;
/// The most series: more can't be distinguished.
const MAX_SERIES: usize = 30;
/// The largest number, so that squares and sums of many are numbers too.
const MAX_NUMBER: f64 = 1e100;

/// The kind of values along the x axis.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Along {
    Numbers,
    Times,
    /// Names; the place of a point is the number of its name.
    Names(Vec<String>),
}

/// Points that belong together.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    /// Along and up; `None` for an empty cell.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// The data of a chart.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Data {
    pub(super) along: Along,
    pub(super) series: Vec<Series>,
    /// The columns that were read, for the labels of the axes.
    pub(super) x_name: String,
    pub(super) y_name: String,
}

impl Data {
    /// Reads the inputs `rows`, `x`, `y` and `series`. With `names`, all values along the x axis are names.
    pub(super) fn read(inputs: &Values, names: bool) -> Result<Self, String> {
        let rows = inputs.list("rows")?;
        if rows.is_empty() {
            return Err("there are no rows to show".into());
        }
        if rows.len() > MAX_ROWS {
            return Err(format!("there are {} rows, more than {MAX_ROWS}; group or sample them", rows.len()));
        }
        if rows.iter().all(|row| matches!(row, Value::Int(_) | Value::Float(_) | Value::None)) {
            return Self::of_numbers(rows, names);
        }
        let table = Table::of(rows)?;
        let x = inputs.maybe("x").and_then(Value::as_text).map(str::to_owned);
        let group = inputs.maybe("series").and_then(Value::as_text).map(str::to_owned);
        let y = match column_names(inputs, "y")? {
            Some(columns) => columns,
            None => numeric_columns(&table, &[x.as_deref(), group.as_deref()])?,
        };
        for columns in [x.as_slice(), group.as_slice(), &y] {
            table.check_columns(columns)?;
        }
        let (along, places) = places(&table, x.as_deref(), names)?;
        let mut series: IndexMap<String, Series> = IndexMap::new();
        for column in &y {
            for (at, place) in places.iter().enumerate() {
                let name = match &group {
                    None => column.clone(),
                    Some(group) => {
                        let name = text(table.cell(at, group));
                        if y.len() > 1 { format!("{name} · {column}") } else { name }
                    }
                };
                let number = number(&table, at, column)?;
                let new = || Series { name: name.clone(), points: Vec::new() };
                series.entry(name.clone()).or_insert_with(new).points.push((*place, number));
            }
        }
        if series.len() > MAX_SERIES {
            let most = MAX_SERIES;
            return Err(format!(
                "there are {} series, more than {most}; group or filter the rows",
                series.len()
            ));
        }
        let y_name = if y.len() == 1 { y[0].clone() } else { String::new() };
        let data =
            Self { along, series: series.into_values().collect(), x_name: x.unwrap_or_default(), y_name };
        if data.values().next().is_none() {
            return Err("no row has a number to show".into());
        }
        Ok(data)
    }

    fn of_numbers(rows: &[Value], names: bool) -> Result<Self, String> {
        let numbers = numbers(rows)?.into_iter().enumerate();
        let points = numbers.map(|(at, number)| ((at + usize::from(!names)) as f64, number)).collect();
        let along = if names {
            Along::Names((1..=rows.len()).map(|it| it.to_string()).collect())
        } else {
            Along::Numbers
        };
        let series = vec![Series { name: String::new(), points }];
        let data = Self { along, series, x_name: String::new(), y_name: String::new() };
        if data.values().next().is_none() { Err("no row has a number to show".into()) } else { Ok(data) }
    }

    /// Returns the numbers along the y axis.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.series.iter().flat_map(|series| series.points.iter().filter_map(|(_, value)| *value))
    }

    /// Returns the x axis of a chart of this width, which ends at the data, or beyond it by a share of its extent.
    pub(super) fn x_axis(&self, beyond: f64, width: f32) -> Axis {
        let all = self.series.iter().flat_map(|series| series.points.iter().map(|(along, _)| *along));
        let (first, last) = ends(all);
        match &self.along {
            Along::Numbers => Axis::within(first, last, beyond, room_for(width, 85.0)),
            Along::Times => Axis::times(first, last, beyond, room_for(width, 95.0)),
            Along::Names(names) => Axis::bands(names),
        }
    }

    /// Returns the label of the x axis; none for times and names, which explain themselves.
    pub(super) fn x_label(&self) -> &str {
        if self.along == Along::Numbers { &self.x_name } else { "" }
    }

    /// Returns the name and the colour of each series.
    pub(super) fn legend(&self) -> Vec<(String, Color)> {
        self.series.iter().enumerate().map(|(nth, it)| (it.name.clone(), series(nth))).collect()
    }
}

/// Returns the least and the greatest number.
pub(super) fn ends(numbers: impl Iterator<Item = f64>) -> (f64, f64) {
    numbers.fold((f64::MAX, f64::MIN), |(low, high), it| (low.min(it), high.max(it)))
}

/// Returns the number in a cell; `None` if it is empty, NaN or infinite.
///
/// # Errors
/// A sentence with the place of a cell that is not a number, or one too large to be drawn.
pub(super) fn number(table: &Table<'_>, at: usize, column: &str) -> Result<Option<f64>, String> {
    let number = table.number(at, column)?;
    drawn(number).map_err(|error| format!("row {at}, column `{}`: {error}", cut(column, 60)))
}

/// Returns the numbers of a list; `None` for one that is empty, NaN or infinite.
pub(super) fn numbers(rows: &[Value]) -> Result<Vec<Option<f64>>, String> {
    let number =
        |(at, row): (usize, &Value)| drawn(row.as_float()).map_err(|error| format!("row {at}: {error}"));
    rows.iter().enumerate().map(number).collect()
}

fn drawn(number: Option<f64>) -> Result<Option<f64>, String> {
    match number.filter(|it| it.is_finite()) {
        Some(it) if it.abs() > MAX_NUMBER => {
            Err(format!("{it:e} can't be drawn; charts show numbers up to {MAX_NUMBER:e}"))
        }
        number => Ok(number),
    }
}

/// Returns a cell as a name.
pub(super) fn text(cell: Option<&Value>) -> String {
    cell.and_then(|it| it.to_text().ok()).unwrap_or_else(|| "–".into())
}

/// Returns the columns with numbers, for charts without `y`.
fn numeric_columns(table: &Table<'_>, but: &[Option<&str>]) -> Result<Vec<String>, String> {
    let is_numeric = |column: &String| {
        let mut cells = (0..table.len()).filter_map(|at| table.cell(at, column)).peekable();
        cells.peek().is_some() && cells.all(|cell| cell.as_float().is_some())
    };
    let columns = table.columns().into_iter().filter(|column| !but.contains(&Some(column.as_str())));
    let found: Vec<String> = columns.filter(is_numeric).collect();
    if found.is_empty() {
        Err("no column has only numbers; name the one to show in `y`".into())
    } else {
        Ok(found)
    }
}

/// Returns the place of each row along the x axis.
fn places(table: &Table<'_>, x: Option<&str>, names: bool) -> Result<(Along, Vec<f64>), String> {
    let Some(x) = x else {
        if names {
            return Err("name the column with the names of the bars in `x`".into());
        }
        return Ok((Along::Numbers, (1..=table.len()).map(|it| it as f64).collect()));
    };
    let cells = (0..table.len()).map(|at| {
        table.cell(at, x).ok_or_else(|| {
            format!(
                "row {at}, column `{}`: it is empty, so the row has no place; filter out such rows",
                cut(x, 60)
            )
        })
    });
    let cells: Vec<&Value> = cells.collect::<Result<_, String>>()?;
    if !names {
        if cells.iter().all(|it| it.as_float().is_some()) {
            let place = |at| {
                number(table, at, x)?.ok_or_else(|| {
                    format!(
                        "row {at}, column `{}`: it is not finite, so the row has no place; filter out such rows",
                        cut(x, 60)
                    )
                })
            };
            return Ok((Along::Numbers, (0..table.len()).map(place).collect::<Result<_, _>>()?));
        }
        if let Some(times) =
            cells.iter().map(|it| it.as_text().and_then(time::read)).collect::<Option<Vec<_>>>()
        {
            return Ok((Along::Times, times));
        }
    }
    let mut known: IndexSet<String> = IndexSet::new();
    let mut places = Vec::with_capacity(cells.len());
    for (at, cell) in cells.into_iter().enumerate() {
        let name = cell
            .to_text()
            .map_err(|_| format!("row {at}, column `{}`: {} is not a name", cut(x, 60), shown(cell)))?;
        places.push(known.insert_full(name).0 as f64);
    }
    Ok((Along::Names(known.into_iter().collect()), places))
}
