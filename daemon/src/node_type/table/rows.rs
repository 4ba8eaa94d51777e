//! A table as a value.

use fanlight_shared::problem::near;
use fanlight_shared::value::{Value, Values, cut};
use indexmap::{IndexMap, IndexSet};

use crate::node_type::typed_inputs::TypedInputs;

/// A row: cells by the names of their columns.
pub(in crate::node_type) type Row = IndexMap<String, Value>;

/// Rows, each an object.
pub(in crate::node_type) struct Table<'a> {
    rows: Vec<&'a Row>,
}

impl<'a> Table<'a> {
    /// The rows of a list.
    pub(in crate::node_type) fn of(rows: &'a [Value]) -> Result<Self, String> {
        let row = |(at, row): (usize, &'a Value)| match row {
            Value::Object(cells) => Ok(cells),
            other => Err(format!("row {at} is {}, not an object with cells", other.type_of())),
        };
        Ok(Self { rows: rows.iter().enumerate().map(row).collect::<Result<_, String>>()? })
    }

    pub(in crate::node_type) fn rows(&self) -> impl Iterator<Item = &'a Row> + '_ {
        self.rows.iter().copied()
    }

    pub(in crate::node_type) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The columns, in the order in which they first appear.
    pub(in crate::node_type) fn columns(&self) -> Vec<String> {
        let mut columns: IndexSet<&String> = IndexSet::new();
        for row in &self.rows {
            columns.extend(row.keys());
        }
        columns.into_iter().cloned().collect()
    }

    /// Checks that some row has each of these columns; a table without rows has every column.
    pub(in crate::node_type) fn check_columns(&self, wanted: &[String]) -> Result<(), String> {
        let missing = wanted.iter().find(|column| !self.rows.iter().any(|row| row.contains_key(*column)));
        let Some(missing) = missing.filter(|_| !self.rows.is_empty()) else { return Ok(()) };
        let columns = self.columns();
        let hint = near(missing, columns.iter().map(String::as_str)).map_or_else(
            || format!("it has {}", cut(&columns.join(", "), 200)),
            |near| format!("did you mean `{near}`?"),
        );
        Err(format!("the table has no column `{}`; {hint}", cut(missing, 60)))
    }

    /// A cell; `None` where it is empty.
    pub(in crate::node_type) fn cell(&self, at: usize, column: &str) -> Option<&'a Value> {
        self.rows[at].get(column).filter(|value| **value != Value::None)
    }

    /// The number in a cell; `None` where it is empty.
    pub(in crate::node_type) fn number(&self, at: usize, column: &str) -> Result<Option<f64>, String> {
        match self.cell(at, column) {
            None => Ok(None),
            Some(value) => value.as_float().map(Some).ok_or_else(|| {
                format!("row {at}, column `{}`: {} is not a number", cut(column, 60), shown(value))
            }),
        }
    }
}

/// A value within a sentence.
pub(in crate::node_type) fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => format!("`{}`", cut(text, 40)),
        other => other.type_of().to_string(),
    }
}

/// The columns that an input names: one by a text, several by a list of texts. `None` where it was left out.
pub(in crate::node_type) fn column_names(inputs: &Values, name: &str) -> Result<Option<Vec<String>>, String> {
    let wrong = || format!("input `{name}` must be the name of a column or a list of such names");
    match inputs.maybe(name) {
        None => Ok(None),
        Some(Value::Text(column)) => Ok(Some(vec![column.clone()])),
        Some(Value::List(columns)) => {
            let columns = columns.iter().map(|it| it.as_text().map(str::to_owned).ok_or_else(wrong));
            columns.collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::json;

    #[test]
    fn columns_are_in_the_order_in_which_they_first_appear() {
        let rows = json(r#"[{"b": 1}, {"a": 2, "b": "x", "c": null}]"#);
        let table = Table::of(rows.as_list().unwrap()).unwrap();
        assert_eq!(table.columns(), ["b", "a", "c"]);
        assert_eq!(
            (table.number(0, "b"), table.number(0, "a"), table.number(1, "c")),
            (Ok(Some(1.0)), Ok(None), Ok(None))
        );
        assert_eq!(table.number(1, "b"), Err("row 1, column `b`: `x` is not a number".into()));
        assert_eq!(
            table.check_columns(&["d".into()]),
            Err("the table has no column `d`; it has b, a, c".into())
        );
        assert_eq!(Table::of(&[]).unwrap().check_columns(&["d".into()]), Ok(()));
    }
}
