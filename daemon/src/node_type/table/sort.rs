//! `table.sort`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};

use super::rows::{Table, column_names};
use crate::node_type::build::Build;
use crate::node_type::compare::{check_order, sort_by_keys};
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("table.sort", "Sorts rows by one or more columns; equal rows keep their order.")
        .input("rows", Type::Json.list(), "The rows.")
        .input("by", Type::Any, "The column to sort by, or a list of columns; a `-` before a name reverses the order of that column.")
        .input("order", Type::Choice, "The order. Text is sorted alphabetically, ignoring case; empty cells come last in either order.")
        .default("ascending")
        .choices(&["ascending", "descending"])
        .output("rows", Type::Json.list(), "The sorted rows.")
        .remember()
        .run(Runner::inline(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let given = inputs.list("rows")?;
    let table = Table::of(given)?;
    let descending = inputs.text("order")? == "descending";
    let known = table.columns();
    let by = column_names(&inputs, "by")?.unwrap_or_default();
    let by: Vec<(String, bool)> = by
        .into_iter()
        .map(|name| match name.strip_prefix('-') {
            Some(turned) if !known.contains(&name) => (turned.to_owned(), !descending),
            _ => (name, descending),
        })
        .collect();
    table.check_columns(&by.iter().map(|(column, _)| column.clone()).collect::<Vec<_>>())?;
    let mut keyed: Vec<(Vec<Value>, &Value)> = table
        .rows()
        .zip(given)
        .map(|(row, value)| {
            (by.iter().map(|(column, _)| row.get(column).cloned().unwrap_or_default()).collect(), value)
        })
        .collect();
    let directions: Vec<bool> = by.iter().map(|(_, descending)| *descending).collect();
    for (nth, (column, _)) in by.iter().enumerate() {
        check_order(keyed.iter().map(|(cells, _)| &cells[nth]).enumerate(), "row")
            .map_err(|error| format!("column `{}`: {error}", cut(column, 60)))?;
    }
    sort_by_keys(&mut keyed, &directions);
    Ok(one("rows", keyed.into_iter().map(|(_, row)| row.clone()).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made};

    fn sorted(by: &str, order: &str) -> Result<String, String> {
        let rows = r#"[{"k": "b", "n": 1}, {"k": "a", "n": 1}, {"k": "c", "n": null}, {"k": "d", "n": 9}]"#;
        let given = [("rows", json(rows)), ("by", json(by)), ("order", order.into())];
        let made = made(&node_type(), &given)?;
        let key = |row: &Value| match row {
            Value::Object(cells) => cells["k"].as_text().unwrap_or_default().to_owned(),
            _ => String::new(),
        };
        Ok(made["rows"].as_list().unwrap().iter().map(key).collect())
    }

    #[test]
    fn rows_are_sorted_by_one_column_after_the_other_each_in_its_order() {
        assert_eq!(sorted(r#""n""#, "ascending").unwrap(), "badc");
        assert_eq!(sorted(r#"["n", "k"]"#, "descending").unwrap(), "dbac");
        assert_eq!(sorted(r#"["-n", "k"]"#, "ascending").unwrap(), "dabc");
    }

    #[test]
    fn an_unknown_column_is_named() {
        assert!(sorted(r#""m""#, "ascending").unwrap_err().contains("no column `m`; it has k, n"));
        assert!(sorted("7", "ascending").unwrap_err().contains("the name of a column"));
    }

    #[test]
    fn a_column_of_numbers_and_text_has_no_order() {
        let given = [("rows", json(r#"[{"k": 1}, {"k": "a"}]"#)), ("by", "k".into())];
        assert_eq!(
            made(&node_type(), &given).unwrap_err(),
            "column `k`: row 0 is a number and row 1 is text, which can't be ordered"
        );
    }
}
