//! `list.sort`

use std::borrow::Cow;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use crate::node_type::build::Build;
use crate::node_type::compare::sort_by_keys;
use crate::node_type::field::field;
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("list.sort", "Sorts a list; equal items stay in their order.")
        .input("items", Type::Any.list(), "Numbers, texts or, with `by`, what has fields.")
        .input("by", Type::Text, "The field that decides: `price`, `size.width`; of files `name`, `stem`, `ext` and `size`.")
        .optional()
        .input("order", Type::Choice, "Numbers go by size, texts by the alphabet without regard to case; what is empty comes last in either order.")
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
    let key = |item: &Value| match &by {
        Some(by) => field(item, by).map(Cow::into_owned).unwrap_or_default(),
        None => item.clone(),
    };
    let mut keyed: Vec<(Vec<Value>, Value)> =
        items.into_iter().map(|item| (vec![key(&item)], item)).collect();
    if let Some(by) = &by
        && !keyed.is_empty()
        && keyed.iter().all(|(key, _)| key[0] == Value::None)
    {
        return Err(format!("no item has a field `{}`", fanlight_shared::value::cut(by, 60)));
    }
    sort_by_keys(&mut keyed, &[descending])?;
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
    fn what_has_no_order_and_a_field_that_is_nowhere_are_errors() {
        assert!(sort(r#"[1, "a"]"#, None, "ascending").unwrap_err().contains("be ordered"));
        assert_eq!(sort(r#"[{"a": 1}]"#, Some("b"), "ascending").unwrap_err(), "no item has a field `b`");
        assert!(sort("[1]", None, "up").unwrap_err().contains("`up` is not one of ascending, descending"));
    }
}
