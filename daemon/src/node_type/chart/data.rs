//! Series of points out of rows.

use fanlight_shared::value::{Value, Values, cut};
use indexmap::{IndexMap, IndexSet};

use super::time;
use crate::node_type::table::rows::{Table, column_names, shown};
use crate::node_type::typed_inputs::TypedInputs;

/// The most rows.
const MAX_ROWS: usize = 100_000;
/// The most series: more can't be told apart.
const MAX_SERIES: usize = 30;

/// What lies along the x axis.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Along {
    Numbers,
    Times,
    /// Names; a point says which.
    Names(Vec<String>),
}

/// Points that belong together.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Series {
    pub(super) name: String,
    /// Along and up; nothing where a cell is empty.
    pub(super) points: Vec<(f64, Option<f64>)>,
}

/// What a chart shows.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Data {
    pub(super) along: Along,
    pub(super) series: Vec<Series>,
    /// The columns that were read, for the labels of the axes.
    pub(super) x_name: String,
    pub(super) y_name: String,
}

impl Data {
    /// Reads the inputs `rows`, `x`, `y` and `series`. `names`: whatever lies along is a name.
    pub(super) fn read(inputs: &Values, names: bool) -> Result<Self, String> {
        let rows = inputs.list("rows")?;
        if rows.is_empty() {
            return Err("there are no rows to show".into());
        }
        if rows.len() > MAX_ROWS {
            return Err(format!(
                "there are {} rows; at most {MAX_ROWS} are drawn: group or sample them",
                rows.len()
            ));
        }
        if rows.iter().all(|row| matches!(row, Value::Int(_) | Value::Float(_) | Value::None)) {
            return Ok(Self::of_numbers(rows, names));
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
                let number = table.number(at, column)?.filter(|it| it.is_finite());
                let new = || Series { name: name.clone(), points: Vec::new() };
                series.entry(name.clone()).or_insert_with(new).points.push((*place, number));
            }
        }
        if series.len() > MAX_SERIES {
            let most = MAX_SERIES;
            return Err(format!(
                "there are {} series, and more than {most} can't be told apart; filter or group the rows",
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

    fn of_numbers(rows: &[Value], names: bool) -> Self {
        let points: Vec<(f64, Option<f64>)> = rows
            .iter()
            .enumerate()
            .map(|(at, row)| ((at + usize::from(!names)) as f64, row.as_float().filter(|it| it.is_finite())))
            .collect();
        let along = if names {
            Along::Names((1..=rows.len()).map(|it| it.to_string()).collect())
        } else {
            Along::Numbers
        };
        let series = vec![Series { name: String::new(), points }];
        Self { along, series, x_name: String::new(), y_name: String::new() }
    }

    /// All numbers that go up.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.series.iter().flat_map(|series| series.points.iter().filter_map(|(_, value)| *value))
    }

    /// The ends of what lies along.
    pub(super) fn extent(&self) -> (f64, f64) {
        let all = self.series.iter().flat_map(|series| series.points.iter().map(|(along, _)| *along));
        all.fold((f64::MAX, f64::MIN), |(low, high), it| (low.min(it), high.max(it)))
    }
}

/// A cell as a name.
pub(super) fn text(cell: Option<&Value>) -> String {
    cell.and_then(|it| it.to_text().ok()).unwrap_or_else(|| "–".into())
}

/// The columns with numbers, for charts that don't say what they show.
fn numeric_columns(table: &Table<'_>, but: &[Option<&str>]) -> Result<Vec<String>, String> {
    let is_numeric = |column: &String| {
        let mut cells = (0..table.len()).filter_map(|at| table.cell(at, column)).peekable();
        cells.peek().is_some() && cells.all(|cell| cell.as_float().is_some())
    };
    let columns = table.columns().into_iter().filter(|column| !but.contains(&Some(column.as_str())));
    let found: Vec<String> = columns.filter(is_numeric).collect();
    if found.is_empty() {
        Err("no column has numbers only; say by `y` which one is shown".into())
    } else {
        Ok(found)
    }
}

/// Where each row lies along the axis.
fn places(table: &Table<'_>, x: Option<&str>, names: bool) -> Result<(Along, Vec<f64>), String> {
    let Some(x) = x else {
        if names {
            return Err("say by `x` which column names the bars".into());
        }
        return Ok((Along::Numbers, (1..=table.len()).map(|it| it as f64).collect()));
    };
    let cells = (0..table.len()).map(|at| {
        table.cell(at, x).ok_or_else(|| {
            format!(
                "row {at}, column `{}`: it is empty, so the row has no place; filter such rows",
                cut(x, 60)
            )
        })
    });
    let cells: Vec<&Value> = cells.collect::<Result<_, String>>()?;
    if !names {
        if let Some(numbers) =
            cells.iter().map(|it| it.as_float().filter(|it| it.is_finite())).collect::<Option<Vec<_>>>()
        {
            return Ok((Along::Numbers, numbers));
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
            .map_err(|_| format!("row {at}, column `{}`: {} is no name", cut(x, 60), shown(cell)))?;
        places.push(known.insert_full(name).0 as f64);
    }
    Ok((Along::Names(known.into_iter().collect()), places))
}
