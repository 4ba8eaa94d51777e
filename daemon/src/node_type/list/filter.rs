//! `list.filter`

use fanlight_shared::expression::{Element, truthy};
use fanlight_shared::node_type::Code;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use crate::node_type::NodeType;
use crate::node_type::build::Build;
use crate::node_type::off_loop::{OffLoop, off_loop};
use crate::node_type::typed_inputs::TypedInputs;

pub(super) fn node_type() -> NodeType {
    Build::new("list.filter", "Keeps the items for which a condition is true.")
        .input("items", Type::Any.list(), "The items to filter.")
        .input(
            "where",
            Type::Text,
            "The condition, an expression over `item`, `index` and `inputs`: `item.size > inputs.least`. It is false if it reads an empty field.",
        )
        .code(Code::Item)
        .more_inputs()
        .output("items", Type::Any.list(), "The items for which it is true.")
        .output("rest", Type::Any.list(), "The other items.")
        .output("indexes", Type::Int.list(), "The positions of the kept items, from 0.")
        .output("count", Type::Int, "The number of kept items.")
        .max_bytes(64 << 20)
        .run(off_loop(run))
}

fn run(work: &OffLoop) -> Result<Values, String> {
    let condition = work.expression(work.inputs.text("where")?, Element::Item)?;
    let (mut kept, mut rest, mut indexes) = (Vec::new(), Vec::new(), Vec::new());
    for (index, item) in work.list("items")?.into_iter().enumerate() {
        if condition(&item, index)?.is_some_and(|value| truthy(&value)) {
            indexes.push(Value::Int(i64::try_from(index).unwrap_or(i64::MAX)));
            kept.push(item);
        } else {
            rest.push(item);
        }
    }
    let count = Value::Int(i64::try_from(kept.len()).unwrap_or(i64::MAX));
    let outputs =
        [("items", kept.into()), ("rest", rest.into()), ("indexes", indexes.into()), ("count", count)];
    Ok(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made_off_loop};

    fn filter(items: &str, condition: &str) -> Result<Values, String> {
        let given = [("items", json(items)), ("where", condition.into()), ("least", Value::Int(3))];
        made_off_loop(&node_type(), run, &given)
    }

    #[test]
    fn matching_items_are_kept_with_their_positions() {
        let made = filter("[5, 1, 4]", "item > inputs.least").unwrap();
        assert_eq!((&made["items"], &made["rest"]), (&json("[5, 4]"), &json("[1]")));
        assert_eq!((&made["indexes"], &made["count"]), (&json("[0, 2]"), &Value::Int(2)));
        let made = filter(r#"[{"n": 5}, {"n": null}, {}]"#, "item.n > 3").unwrap();
        assert_eq!(made["items"], json(r#"[{"n": 5}]"#), "what is empty is not compared");
    }

    #[test]
    fn an_item_that_the_condition_cannot_be_computed_for_is_named() {
        let error = filter(r#"[5, "x"]"#, "item > 3").unwrap_err();
        assert!(error.starts_with("item 1: ") && error.contains("be ordered"), "{error}");
        assert!(filter("[1]", "itm > 3").unwrap_err().contains("`itm` alone is not a value"));
    }
}
