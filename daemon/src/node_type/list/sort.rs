//! `list.sort`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use crate::node_type::build::Build;
use crate::node_type::compare::{check_order, sort_by_keys};
use crate::node_type::field::field_of_each;
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("list.sort", "Sorts a list; equal items keep their order.")
        .input("items", Type::Any.list(), "Numbers, texts or bools, or objects and files with `by`.")
        .input("by", Type::Text, "The field to sort by, such as `price` or `size.width`; for files `name`, `stem`, `ext` or `size`.")
        .optional()
        .input("order", Type::Choice, "The order. Text is sorted alphabetically, ignoring case; empty values come last in either order.")
        .default("ascending")
        .choices(&["ascending", "descending"])
        .output("items", Type::Any.list(), "The sorted list.")
        .max_bytes(64 << 20)
        .run(Runner::inline(run))
}

fn run(mut inputs: Values) -> Result<Values, String> {
    let descending = inputs.text("order")? == "descending";
    let by = inputs.maybe("by").and_then(Value::as_text).map(str::to_owned);
    let Some(Value::List(items)) = inputs.swap_remove("items") else {
        return Err("input `items` is not a list".into());
    };
    let keys = match &by {
        Some(by) => field_of_each(&items, by)?,
        None => items.clone(),
    };
    check_order(keys.iter().enumerate(), "item").map_err(|error| match (&by, &items[0]) {
        (None, Value::Object(_)) => format!("{error}; name the field to sort by in `by`"),
        _ => error,
    })?;
    let mut keyed: Vec<(Vec<Value>, Value)> = keys.into_iter().map(|key| vec![key]).zip(items).collect();
    sort_by_keys(&mut keyed, &[descending]);
    Ok(one("items", keyed.into_iter().map(|(_, item)| item).collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made};

    fn sort(items: &str, by: Option<&str>, order: &str) -> Result<Value, String> {
        let mut given = vec![("items", json(items)), ("order", order.into())];
        given.extend(by.map(|by| ("by", by.into())));
        made(&node_type(), &given).map(|made| made["items"].clone())
    }

    #[test]
    fn items_are_sorted_by_themselves_or_by_a_field() {
        assert_eq!(sort("[3, 1, 2]", None, "descending"), Ok(json("[3, 2, 1]")));
        let items = r#"[{"a": {"n": 2}}, {"a": {"n": 1}, "x": 1}, {}, {"a": {"n": 1}, "x": 2}]"#;
        let sorted = r#"[{"a": {"n": 1}, "x": 1}, {"a": {"n": 1}, "x": 2}, {"a": {"n": 2}}, {}]"#;
        assert_eq!(sort(items, Some("a.n"), "ascending"), Ok(json(sorted)));
    }

    #[test]
    fn values_without_an_order_and_unknown_fields_are_errors() {
        assert!(sort(r#"[1, "a"]"#, None, "ascending").unwrap_err().contains("be ordered"));
        assert_eq!(sort(r#"[{"a": 1}]"#, Some("b"), "ascending").unwrap_err(), "no item has a field `b`");
        assert!(sort("[1]", None, "up").unwrap_err().contains("`up` is not one of ascending, descending"));
    }
}
