//! Measures of the cells of a group.

use std::collections::HashSet;

use fanlight_shared::problem::near;
use fanlight_shared::value::{Value, cut};

use super::rows::Table;
use crate::node_type::compare::{check_order, identity, order};

/// The names of all measures, in the order of the docs.
pub(super) const MEASURES: [&str; 10] =
    ["count", "sum", "mean", "median", "min", "max", "first", "last", "distinct", "list"];

/// A column of the result: what is computed, of which column.
pub(super) struct Measure {
    name: &'static str,
    /// `count` may have none: then it counts rows.
    pub(super) column: Option<String>,
}

impl Measure {
    /// Reads `count` or `{ sum: price }`.
    pub(super) fn of(given: &Value) -> Result<Self, String> {
        let (name, column) = match given {
            Value::Text(name) => (name.as_str(), None),
            Value::Object(fields) => match fields.first() {
                Some((name, Value::Text(column))) if fields.len() == 1 => {
                    (name.as_str(), Some(column.clone()))
                }
                _ => return Err("name the measure and the column, as in `{ sum: price }`".into()),
            },
            _ => {
                return Err("write `count`, or the measure and the column, as in `{ sum: price }`".into());
            }
        };
        let Some(known) = MEASURES.iter().find(|it| **it == name) else {
            let hint = near(name, MEASURES).map_or_else(
                || format!("; use one of {}", MEASURES.join(", ")),
                |it| format!("; did you mean `{it}`?"),
            );
            return Err(format!("there is no measure `{}`{hint}", cut(name, 40)));
        };
        if column.is_none() && *known != "count" {
            return Err(format!("name the column: `{{ {known}: price }}`"));
        }
        Ok(Self { name: known, column })
    }

    /// Computes it of some rows.
    pub(super) fn compute(&self, table: &Table<'_>, rows: &[usize]) -> Result<Value, String> {
        let int = |count: usize| Value::Int(i64::try_from(count).unwrap_or(i64::MAX));
        let Some(column) = &self.column else { return Ok(int(rows.len())) };
        let all: Vec<&Value> = rows.iter().filter_map(|at| table.cell(*at, column)).collect();
        Ok(match self.name {
            "count" => int(all.len()),
            "first" => all.first().map(|it| (*it).clone()).unwrap_or_default(),
            "last" => all.last().map(|it| (*it).clone()).unwrap_or_default(),
            "distinct" => int(all.iter().map(|it| identity(it)).collect::<HashSet<_>>().len()),
            "list" => Value::List(all.into_iter().cloned().collect()),
            "min" | "max" => {
                let cells = rows.iter().filter_map(|at| Some((*at, table.cell(*at, column)?)));
                check_order(cells, "row")
                    .map_err(|error| format!("column `{}`: {error}", cut(column, 60)))?;
                extreme(&all, self.name == "max")
            }
            "sum" if all.iter().all(|it| matches!(it, Value::Int(_))) => {
                let whole = all.iter().filter_map(|it| it.as_int()).try_fold(0_i64, i64::checked_add);
                whole.map(Value::Int).ok_or_else(|| {
                    format!("the sum of column `{}` is too large for an int", cut(column, 60))
                })?
            }
            _ => {
                let numbers =
                    rows.iter().map(|at| table.number(*at, column)).collect::<Result<Vec<_>, _>>()?;
                let numbers: Vec<f64> = numbers.into_iter().flatten().collect();
                match self.name {
                    "sum" => Value::Float(sum(&numbers)),
                    _ if numbers.is_empty() => Value::None,
                    "mean" => Value::Float(sum(&numbers) / numbers.len() as f64),
                    _ => Value::Float(median(numbers)),
                }
            }
        })
    }
}

/// Returns the sum with what rounding loses added in the end, so that 0.1 ten times is 1.
fn sum(numbers: &[f64]) -> f64 {
    let (mut sum, mut lost) = (0.0_f64, 0.0_f64);
    for number in numbers {
        let next = sum + number;
        lost += if sum.abs() >= number.abs() { (sum - next) + number } else { (number - next) + sum };
        sum = next;
    }
    // After an overflow the error is not a number.
    if lost.is_finite() { sum + lost } else { sum }
}

/// Returns the number in the middle; NaN if there is one, as for the mean.
fn median(mut numbers: Vec<f64>) -> f64 {
    if numbers.iter().any(|it| it.is_nan()) {
        return f64::NAN;
    }
    numbers.sort_by(f64::total_cmp);
    let middle = numbers.len() / 2;
    if numbers.len() % 2 == 1 { numbers[middle] } else { f64::midpoint(numbers[middle - 1], numbers[middle]) }
}

/// Returns the least or greatest value; NaN if there is one, as for the mean.
fn extreme(values: &[&Value], greatest: bool) -> Value {
    let is_nan = |value: &&&Value| value.as_float().is_some_and(f64::is_nan);
    if let Some(nan) = values.iter().find(is_nan) {
        return (*nan).clone();
    }
    let values = values.iter().copied();
    // Of equal values the first.
    let best = if greatest {
        values.reduce(|best, value| if order(value, best).is_gt() { value } else { best })
    } else {
        values.reduce(|best, value| if order(value, best).is_lt() { value } else { best })
    };
    best.cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_lose_nothing_to_rounding() {
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[1e16, 1.0, -1e16]), 1.0);
        assert_eq!((sum(&[]), sum(&[f64::MAX, f64::MAX])), (0.0, f64::INFINITY));
        assert_eq!((median(vec![3.0, 1.0, 2.0]), median(vec![4.0, 1.0])), (2.0, 2.5));
    }
}
