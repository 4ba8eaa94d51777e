//! `table.select`

use fanlight_shared::expression::Element;
use fanlight_shared::node_type::Code;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};

use super::rows::{Row, Table, column_names};
use crate::node_type::NodeType;
use crate::node_type::bound::Bound;
use crate::node_type::build::{Build, MAX_BYTES};
use crate::node_type::off_loop::{OffLoop, off_loop};
use crate::node_type::typed_inputs::TypedInputs;

pub(super) fn node_type() -> NodeType {
    Build::new("table.select", "Picks, renames, reorders and computes columns.")
        .input("rows", Type::Json.list(), "The rows.")
        .input("columns", Type::Any, "The columns to keep, in this order: `[name, price]`, or with new names: `{ title: name }`. All by default.")
        .optional()
        .input("drop", Type::Text.list(), "Columns to leave out.")
        .optional()
        .input(
            "add",
            Type::Json,
            "Columns to compute, by name: `{ total: row.price * row.count }`. Expressions read `row`, including columns computed before, `index` and `inputs`. The cell is empty if its expression reads an empty cell.",
        )
        .code(Code::Row)
        .optional()
        .more_inputs()
        .output("rows", Type::Json.list(), "The rows with these columns.")
        .output("columns", Type::Text.list(), "The names of the columns, in order.")
        .remember()
        .run(off_loop(run))
}

fn run(work: &OffLoop) -> Result<Values, String> {
    let given = work.list("rows")?;
    let table = Table::of(&given)?;
    let kept = selected(&table, &work.inputs)?;
    let mut added = Vec::new();
    match work.inputs.maybe("add") {
        None => {}
        Some(Value::Object(columns)) => {
            for (name, source) in columns {
                let source = source
                    .as_text()
                    .ok_or_else(|| format!("`{}` in `add` is not an expression", cut(name, 60)))?;
                added.push((name, work.expression(source, Element::Row)?));
            }
        }
        Some(_) => return Err("`add` is not an object; write `{ total: row.price * row.count }`".into()),
    }
    let mut bound = Bound::new(MAX_BYTES);
    let mut rows = Vec::with_capacity(table.len());
    for (index, row) in table.rows().enumerate() {
        // What was dropped can still be computed with.
        let mut whole = Value::Object(row.clone());
        let mut computed = Row::new();
        for (name, compute) in &added {
            let value =
                compute(&whole, index).map_err(|error| format!("column `{}`: {error}", cut(name, 60)))?;
            let value = value.unwrap_or_default();
            bound.add(&value)?;
            if let Value::Object(cells) = &mut whole {
                cells.insert((*name).clone(), value.clone());
            }
            computed.insert((*name).clone(), value);
        }
        let mut cells = Row::new();
        for (name, new) in &kept {
            let value = row.get(name).cloned().unwrap_or_default();
            bound.add(&value)?;
            cells.insert(new.clone(), value);
        }
        cells.extend(computed);
        rows.push(Value::Object(cells));
    }
    let mut columns: Vec<&String> = kept.iter().map(|(_, new)| new).collect();
    columns
        .extend(added.iter().map(|(name, _)| *name).filter(|name| !kept.iter().any(|(_, new)| new == *name)));
    let columns: Vec<Value> = columns.into_iter().map(|it| it.as_str().into()).collect();
    Ok(Values::from([("rows".to_owned(), rows.into()), ("columns".to_owned(), columns.into())]))
}

/// Returns the columns that are kept, each with its new name.
fn selected(table: &Table<'_>, inputs: &Values) -> Result<Vec<(String, String)>, String> {
    let kept: Vec<(String, String)> = match inputs.maybe("columns") {
        Some(Value::Object(renamed)) => {
            let pair = |(new, old): (&String, &Value)| match old.as_text() {
                Some(old) => Ok((old.to_owned(), new.clone())),
                None => Err(format!(
                    "`{}` in `columns` does not name a column; write `{{ new: old }}`",
                    cut(new, 60)
                )),
            };
            renamed.iter().map(pair).collect::<Result<_, String>>()?
        }
        _ => {
            let columns = column_names(inputs, "columns")?.unwrap_or_else(|| table.columns());
            columns.into_iter().map(|column| (column.clone(), column)).collect()
        }
    };
    table.check_columns(&kept.iter().map(|(old, _)| old.clone()).collect::<Vec<_>>())?;
    let dropped = column_names(inputs, "drop")?.unwrap_or_default();
    table.check_columns(&dropped)?;
    Ok(kept.into_iter().filter(|(old, _)| !dropped.contains(old)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made_off_loop};

    const ROWS: &str = r#"[{"name": "pen", "price": 2, "n": 3}, {"name": "ink", "price": 5, "n": null}]"#;

    fn select(given: &[(&str, Value)]) -> Result<(String, String), String> {
        let mut all = vec![("rows", json(ROWS))];
        all.extend(given.iter().cloned());
        let made = made_off_loop(&node_type(), run, &all)?;
        Ok((made["rows"].to_json().to_string(), made["columns"].to_json().to_string()))
    }

    #[test]
    fn columns_are_picked_renamed_and_dropped() {
        let rows = |made: Result<(String, String), String>| made.unwrap().0;
        assert_eq!(
            rows(select(&[("columns", json(r#"["n", "name"]"#))])),
            r#"[{"n":3,"name":"pen"},{"n":null,"name":"ink"}]"#
        );
        assert_eq!(
            rows(select(&[("columns", json(r#"{"title": "name"}"#))])),
            r#"[{"title":"pen"},{"title":"ink"}]"#
        );
        assert_eq!(rows(select(&[("drop", json(r#"["n", "name"]"#))])), r#"[{"price":2},{"price":5}]"#);
    }

    #[test]
    fn columns_are_computed_in_order_from_the_whole_row() {
        let add =
            json(r#"{"total": "row.price * row.n * inputs.rate", "twice": "row.total * 2", "at": "index"}"#);
        let given = [("add", add), ("columns", json(r#"["name"]"#)), ("rate", Value::Int(10))];
        let (rows, columns) = select(&given).unwrap();
        assert_eq!(
            rows,
            r#"[{"name":"pen","total":60,"twice":120,"at":0},{"name":"ink","total":null,"twice":null,"at":1}]"#
        );
        assert_eq!(columns, r#"["name","total","twice","at"]"#);
    }

    #[test]
    fn unknown_columns_and_wrong_expressions_are_named() {
        assert!(select(&[("columns", json(r#"["prize"]"#))]).unwrap_err().contains("did you mean `price`?"));
        assert!(
            select(&[("add", json(r#"{"x": "row.name - 1"}"#))])
                .unwrap_err()
                .starts_with("column `x`: row 0: ")
        );
        assert!(select(&[("add", json(r#"{"x": 1}"#))]).unwrap_err().contains("not an expression"));
    }

    #[test]
    fn rows_that_take_too_much_memory_are_refused_early() {
        let rows = Value::from(vec![json(r#"{"a": 1}"#); 5_000]);
        let given =
            [("rows", rows), ("add", json(r#"{"b": "inputs.long"}"#)), ("long", "x".repeat(60_000).into())];
        assert!(made_off_loop(&node_type(), run, &given).unwrap_err().contains("more than 16 MiB"));
    }
}
