//! `table.filter`

use fanlight_shared::expression::{Element, truthy};
use fanlight_shared::node_type::Code;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::rows::Table;
use crate::node_type::NodeType;
use crate::node_type::build::Build;
use crate::node_type::off_loop::{OffLoop, off_loop};
use crate::node_type::typed_inputs::TypedInputs;

pub(super) fn node_type() -> NodeType {
    Build::new("table.filter", "Keeps the rows for which a condition is true.")
        .input("rows", Type::Json.list(), "The rows.")
        .input(
            "where",
            Type::Text,
            "The condition, an expression over `row`, `index` and `inputs`: `row.price > inputs.least and row['Unit'] == 'kg'`. It is false if it reads an empty cell.",
        )
        .code(Code::Row)
        .more_inputs()
        .output("rows", Type::Json.list(), "The rows for which it is true.")
        .output("rest", Type::Json.list(), "The other rows.")
        .output("count", Type::Int, "The number of rows for which it is true.")
        .remember()
        .run(off_loop(run))
}

fn run(work: &OffLoop) -> Result<Values, String> {
    let condition = work.expression(work.inputs.text("where")?, Element::Row)?;
    let given = work.list("rows")?;
    Table::of(&given)?;
    let (mut kept, mut rest) = (Vec::new(), Vec::new());
    for (index, row) in given.into_iter().enumerate() {
        let holds = condition(&row, index)?.is_some_and(|value| truthy(&value));
        if holds { kept.push(row) } else { rest.push(row) }
    }
    let count = Value::Int(i64::try_from(kept.len()).unwrap_or(i64::MAX));
    let outputs = [("rows", kept.into()), ("rest", rest.into()), ("count", count)];
    Ok(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made_off_loop};

    fn filter(rows: &str, condition: &str) -> Result<Values, String> {
        let given = [("rows", json(rows)), ("where", condition.into()), ("kind", "a' or true or 'a".into())];
        made_off_loop(&node_type(), run, &given)
    }

    #[test]
    fn rows_are_kept_or_go_to_the_rest() {
        let rows = r#"[{"n": 1, "Unit": "kg"}, {"n": 5, "Unit": "kg"}, {"n": null}]"#;
        let made = filter(rows, "row.n > 2 and row['Unit'] == 'kg'").unwrap();
        assert_eq!((&made["rows"], &made["count"]), (&json(r#"[{"n": 5, "Unit": "kg"}]"#), &Value::Int(1)));
        assert_eq!(made["rest"], json(r#"[{"n": 1, "Unit": "kg"}, {"n": null}]"#));
        assert_eq!(
            filter(r#"[{"k": "a"}]"#, "row.k == inputs.kind").unwrap()["count"],
            Value::Int(0),
            "a value is no code"
        );
    }

    #[test]
    fn a_row_that_the_condition_cannot_be_computed_for_is_named() {
        assert!(filter(r#"[{"n": 1}, {"n": "x"}]"#, "row.n > 2").unwrap_err().starts_with("row 1: "));
        assert_eq!(filter("[1]", "row.n > 2").unwrap_err(), "row 0 is int, not an object with cells");
    }
}
