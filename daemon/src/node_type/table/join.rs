//! `table.join`

use std::collections::HashMap;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use indexmap::IndexSet;

use super::rows::{Row, Table, column_names};
use crate::node_type::bound::Bound;
use crate::node_type::build::{Build, MAX_BYTES};
use crate::node_type::compare::identity;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner};

/// The most rows that are made.
const MAX_ROWS: usize = 1_000_000;

pub(super) fn node_type() -> NodeType {
    Build::new("table.join", "Joins two tables on columns with equal values.")
        .input("left", Type::Json.list(), "The rows of the first table; they keep their order.")
        .input("right", Type::Json.list(), "The rows of the second table.")
        .input("on", Type::Any, "The column to join on, or a list of columns; `{ left: right }` if the names differ. Empty cells never match.")
        .input("how", Type::Choice, "The kind of join: `inner` keeps rows that match, `left`, `right` and `full` also keep the unmatched rows of the left table, of the right table or of both. `semi` and `anti` return the rows of the left table with and without a match, unchanged.")
        .default("inner")
        .choices(&["inner", "left", "right", "full", "semi", "anti"])
        .input("suffix", Type::Text, "The suffix of columns of the right table whose names the left one has too.")
        .default("_right")
        .output("rows", Type::Json.list(), "The rows.")
        .output("count", Type::Int, "The number of rows.")
        .remember()
        .run(Runner::inline(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let left = Table::of(inputs.list("left")?).map_err(|error| format!("input `left`: {error}"))?;
    let right = Table::of(inputs.list("right")?).map_err(|error| format!("input `right`: {error}"))?;
    let on = pairs(&inputs)?;
    let (left_keys, right_keys): (Vec<String>, Vec<String>) = on.iter().cloned().unzip();
    left.check_columns(&left_keys).map_err(|error| format!("input `left`: {error}"))?;
    right.check_columns(&right_keys).map_err(|error| format!("input `right`: {error}"))?;
    check_comparable(&left, &right, &on)?;
    let how = inputs.text("how")?;
    let shape = Shape::new(&left, &right, &on, inputs.text("suffix")?)?;
    let mut partners: HashMap<String, Vec<usize>> = HashMap::new();
    for (at, row) in right.rows().enumerate() {
        if let Some(key) = key(row, &right_keys) {
            partners.entry(key).or_default().push(at);
        }
    }
    let right_rows: Vec<&Row> = right.rows().collect();
    let mut met = vec![false; right_rows.len()];
    let mut made = Made { rows: Vec::new(), bound: Bound::new(MAX_BYTES) };
    for row in left.rows() {
        let found = key(row, &left_keys).and_then(|key| partners.get(&key));
        match (how, found) {
            ("semi", Some(_)) | ("anti", None) => made.add(row.clone())?,
            ("semi" | "anti", _) => {}
            (_, Some(found)) => {
                for at in found {
                    met[*at] = true;
                    made.add(shape.row(Some(row), Some(right_rows[*at])))?;
                }
            }
            ("left" | "full", None) => made.add(shape.row(Some(row), None))?,
            _ => {}
        }
    }
    if matches!(how, "right" | "full") {
        for (row, _) in right_rows.iter().zip(&met).filter(|(_, met)| !**met) {
            made.add(shape.row(None, Some(row)))?;
        }
    }
    let count = Value::Int(i64::try_from(made.rows.len()).unwrap_or(i64::MAX));
    Ok(Values::from([("rows".to_owned(), made.rows.into()), ("count".to_owned(), count)]))
}

/// The rows so far.
struct Made {
    rows: Vec<Value>,
    bound: Bound,
}

impl Made {
    fn add(&mut self, row: Row) -> Result<(), String> {
        let row = Value::Object(row);
        if self.rows.len() == MAX_ROWS || self.bound.add(&row).is_err() {
            return Err(format!(
                "the table is too large after {} rows, because many rows of both tables have the same values in `on`; add a column to it",
                self.rows.len()
            ));
        }
        self.rows.push(row);
        Ok(())
    }
}

/// The columns of the rows that are made.
struct Shape {
    left: Vec<String>,
    /// The columns of the right table that are not keys, each with its new name.
    right: Vec<(String, String)>,
    on: Vec<(String, String)>,
}

impl Shape {
    fn new(
        left: &Table<'_>,
        right: &Table<'_>,
        on: &[(String, String)],
        suffix: &str,
    ) -> Result<Self, String> {
        let mut columns = left.columns();
        columns.extend(on.iter().map(|(left, _)| left.clone()).filter(|it| !left.columns().contains(it)));
        let keys: Vec<&String> = on.iter().map(|(_, right)| right).collect();
        let mut renamed: Vec<(String, String)> = Vec::new();
        for column in right.columns().into_iter().filter(|column| !keys.contains(&column)) {
            let new = if columns.contains(&column) { format!("{column}{suffix}") } else { column.clone() };
            if columns.contains(&new) || renamed.iter().any(|(_, known)| *known == new) {
                return Err(format!("two columns would be named `{}`; give another `suffix`", cut(&new, 60)));
            }
            renamed.push((column, new));
        }
        Ok(Self { left: columns, right: renamed, on: on.to_vec() })
    }

    fn row(&self, left: Option<&Row>, right: Option<&Row>) -> Row {
        let cell = |row: Option<&Row>, column: &str| row.and_then(|row| row.get(column)).cloned();
        let mut cells: Row =
            self.left.iter().map(|column| (column.clone(), cell(left, column).unwrap_or_default())).collect();
        if left.is_none() {
            cells.extend(
                self.on.iter().map(|(left, key)| (left.clone(), cell(right, key).unwrap_or_default())),
            );
        }
        cells.extend(self.right.iter().map(|(old, new)| (new.clone(), cell(right, old).unwrap_or_default())));
        cells
    }
}

/// Checks that the columns of each pair can have equal cells: numbers in one table and text in the other, as after
/// reading two files differently, would make a join without any match.
fn check_comparable(left: &Table<'_>, right: &Table<'_>, on: &[(String, String)]) -> Result<(), String> {
    for (one, other) in on {
        let (lefts, rights) = (kinds(left, one), kinds(right, other));
        if let (Some(a), Some(b), true) = (lefts.first(), rights.first(), lefts.is_disjoint(&rights)) {
            let (one, other) = (cut(one, 60), cut(other, 60));
            let what = if one == other {
                format!("column `{one}` has {a} in `left` and {b} in `right`")
            } else {
                format!("column `{one}` of `left` has {a} and column `{other}` of `right` has {b}")
            };
            return Err(format!("{what}, which are never the same; convert one of them with `table.select`"));
        }
    }
    Ok(())
}

/// Returns the kinds of the cells of a column; empty ones have none.
fn kinds(table: &Table<'_>, column: &str) -> IndexSet<&'static str> {
    let cells = (0..table.len()).filter_map(|at| table.cell(at, column));
    let kind = |cell: &Value| match cell {
        Value::Int(_) | Value::Float(_) => "numbers",
        Value::Text(_) => "text",
        Value::Bool(_) => "bools",
        Value::List(_) => "lists",
        _ => "objects",
    };
    cells.map(kind).collect()
}

/// Returns the cells of a row in the columns of a key as one text; `None` if one is empty.
fn key(row: &Row, columns: &[String]) -> Option<String> {
    let cells = columns.iter().map(|column| row.get(column).filter(|it| **it != Value::None).cloned());
    Some(identity(&Value::List(cells.collect::<Option<_>>()?)))
}

/// Returns the columns of the left table with those of the right one.
fn pairs(inputs: &Values) -> Result<Vec<(String, String)>, String> {
    let pairs = match inputs.value("on")? {
        Value::Object(pairs) => pairs
            .iter()
            .map(|(left, right)| Some((left.clone(), right.as_text()?.to_owned())))
            .collect::<Option<Vec<_>>>()
            .ok_or("`on` does not name columns; write `{ left: right }`")?,
        _ => {
            let columns = column_names(inputs, "on")?.unwrap_or_default();
            columns.into_iter().map(|column| (column.clone(), column)).collect()
        }
    };
    if pairs.is_empty() { Err("`on` names no column".into()) } else { Ok(pairs) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made};

    const ORDERS: &str = r#"[{"id": 1, "who": "a", "n": 1}, {"id": 2, "who": "b", "n": 2}, {"id": 3, "who": null, "n": 3}, {"id": 4, "who": "a", "n": 4}]"#;
    const PEOPLE: &str = r#"[{"key": "a", "name": "Ada", "n": 10}, {"key": "c", "name": "Cy", "n": 20}, {"key": null, "name": "?", "n": 30}]"#;

    fn join(how: &str) -> String {
        let given = [
            ("left", json(ORDERS)),
            ("right", json(PEOPLE)),
            ("on", json(r#"{"who": "key"}"#)),
            ("how", how.into()),
        ];
        made(&node_type(), &given).unwrap()["rows"].to_json().to_string()
    }

    #[test]
    fn rows_with_equal_values_are_joined() {
        let (one, four) = (
            r#"{"id":1,"who":"a","n":1,"name":"Ada","n_right":10}"#,
            r#"{"id":4,"who":"a","n":4,"name":"Ada","n_right":10}"#,
        );
        let alone =
            |id: u32, who: &str| format!(r#"{{"id":{id},"who":{who},"n":{id},"name":null,"n_right":null}}"#);
        let (cy, nobody) = (
            r#"{"id":null,"who":"c","n":null,"name":"Cy","n_right":20}"#,
            r#"{"id":null,"who":null,"n":null,"name":"?","n_right":30}"#,
        );
        assert_eq!(join("inner"), format!("[{one},{four}]"));
        assert_eq!(join("left"), format!("[{one},{},{},{four}]", alone(2, "\"b\""), alone(3, "null")));
        assert_eq!(join("right"), format!("[{one},{four},{cy},{nobody}]"));
        assert_eq!(
            join("full"),
            format!("[{one},{},{},{four},{cy},{nobody}]", alone(2, "\"b\""), alone(3, "null"))
        );
        assert_eq!(join("semi"), r#"[{"id":1,"who":"a","n":1},{"id":4,"who":"a","n":4}]"#);
        assert_eq!(join("anti"), r#"[{"id":2,"who":"b","n":2},{"id":3,"who":null,"n":3}]"#);
    }

    #[test]
    fn a_join_that_makes_too_much_or_names_no_column_is_refused() {
        let many = Value::from(vec![json(r#"{"k": 1}"#); 5_000]);
        let given = [("left", many.clone()), ("right", many), ("on", "k".into())];
        assert!(made(&node_type(), &given).unwrap_err().contains("the table is too large after"));
        let given = [("left", json(ORDERS)), ("right", json(PEOPLE)), ("on", "who".into())];
        assert!(
            made(&node_type(), &given)
                .unwrap_err()
                .starts_with("input `right`: the table has no column `who`")
        );
        let given = [
            ("left", json(r#"[{"k": 1, "n": 1, "n_right": 2}]"#)),
            ("right", json(r#"[{"k": 1, "n": 1}]"#)),
            ("on", "k".into()),
        ];
        assert!(made(&node_type(), &given).unwrap_err().contains("give another `suffix`"));
    }

    #[test]
    fn columns_whose_cells_can_never_be_equal_are_refused() {
        let given = [
            ("left", json(r#"[{"k": 1}, {"k": null}]"#)),
            ("right", json(r#"[{"k": "1"}, {"k": "02"}]"#)),
            ("on", "k".into()),
        ];
        assert!(
            made(&node_type(), &given).unwrap_err().starts_with(
                "column `k` has numbers in `left` and text in `right`, which are never the same"
            )
        );
        let given = [
            ("left", json(r#"[{"k": 1}, {"k": "1"}]"#)),
            ("right", json(r#"[{"key": "1"}]"#)),
            ("on", json(r#"{"k": "key"}"#)),
        ];
        assert_eq!(made(&node_type(), &given).unwrap()["count"], Value::Int(1), "mixed columns may match");
        let empty =
            [("left", json(r#"[{"k": 1}]"#)), ("right", json(r#"[{"k": null}]"#)), ("on", "k".into())];
        assert_eq!(made(&node_type(), &empty).unwrap()["count"], Value::Int(0));
    }
}
