//! `table.sort`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::rows::{Table, column_names};
use crate::node_type::build::Build;
use crate::node_type::compare::sort_by_keys;
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("table.sort", "Sorts rows by columns; equal rows stay in their order.")
        .input("rows", Type::Json.list(), "The rows.")
        .input("by", Type::Any, "The column that decides, or a list of columns; a `-` before its name turns the order of one around.")
        .input("order", Type::Choice, "Numbers go by size, texts by the alphabet without regard to case; empty cells come last in either order.")
        .default("ascending")
        .choices(&["ascending", "descending"])
        .output("rows", Type::Json.list(), "The sorted rows.")
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
    sort_by_keys(&mut keyed, &directions)?;
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
    fn columns_decide_one_after_the_other_each_in_its_order() {
        assert_eq!(sorted(r#""n""#, "ascending").unwrap(), "badc");
        assert_eq!(sorted(r#"["n", "k"]"#, "descending").unwrap(), "dbac");
        assert_eq!(sorted(r#"["-n", "k"]"#, "ascending").unwrap(), "dabc");
    }

    #[test]
    fn a_column_that_is_nowhere_is_named() {
        assert!(sorted(r#""m""#, "ascending").unwrap_err().contains("no column `m`; it has k, n"));
        assert!(sorted("7", "ascending").unwrap_err().contains("the name of a column"));
    }
}
