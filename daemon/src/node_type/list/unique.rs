//! `list.unique`

use std::collections::HashSet;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use crate::node_type::build::Build;
use crate::node_type::compare::identity;
use crate::node_type::field::field_of_each;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("list.unique", "Removes repeated items and keeps the first of each.")
        .input("items", Type::Any.list(), "The items. Files with the same bytes are equal.")
        .input(
            "by",
            Type::Text,
            "The field to compare by, such as `price` or `size.width`; for files `name`, `stem`, `ext` or `size`.",
        )
        .optional()
        .output("items", Type::Any.list(), "Each item once.")
        .output("repeated", Type::Any.list(), "The removed items.")
        .output("count", Type::Int, "The number of different items.")
        .max_bytes(64 << 20)
        .run(Runner::inline(run))
}

fn run(mut inputs: Values) -> Result<Values, String> {
    let by = inputs.maybe("by").and_then(Value::as_text).map(str::to_owned);
    let Some(Value::List(items)) = inputs.swap_remove("items") else {
        return Err("input `items` is not a list".into());
    };
    let keys: Vec<String> = match &by {
        Some(by) => field_of_each(&items, by)?.iter().map(identity).collect(),
        None => items.iter().map(identity).collect(),
    };
    let mut known = HashSet::new();
    let (mut unique, mut repeated) = (Vec::new(), Vec::new());
    for (item, key) in items.into_iter().zip(keys) {
        if known.insert(key) { unique.push(item) } else { repeated.push(item) }
    }
    let count = Value::Int(i64::try_from(unique.len()).unwrap_or(i64::MAX));
    let outputs = [("items", unique.into()), ("repeated", repeated.into()), ("count", count)];
    Ok(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made};

    #[test]
    fn the_first_of_each_stays() {
        let made_of = |items: &str, by: Option<&str>| {
            let mut given = vec![("items", json(items))];
            given.extend(by.map(|by| ("by", by.into())));
            made(&node_type(), &given).unwrap()
        };
        let made = made_of(r#"[1, "1", 1.0, null, [2], [2], null]"#, None);
        assert_eq!(made["items"], json(r#"[1, "1", null, [2]]"#));
        assert_eq!((&made["repeated"], &made["count"]), (&json("[1.0, [2], null]"), &Value::Int(4)));
        let made = made_of(r#"[{"k": "a", "n": 1}, {"k": "a", "n": 2}, {"n": 3}]"#, Some("k"));
        assert_eq!(made["items"], json(r#"[{"k": "a", "n": 1}, {"n": 3}]"#));
    }

    #[test]
    fn a_field_that_no_item_has_is_an_error() {
        let given = [("items", json(r#"[{"k": 1}, {"k": 2}]"#)), ("by", "kk".into())];
        assert_eq!(made(&node_type(), &given).unwrap_err(), "no item has a field `kk`");
        assert_eq!(
            made(&node_type(), &[("items", json("[]")), ("by", "k".into())]).unwrap()["items"],
            json("[]")
        );
    }
}
