//! `list.zip`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use crate::node_type::build::Build;
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new(
        "list.zip",
        "Puts lists side by side: an object for each position, with a field for each list, given by inputs of any name.",
    )
    .input("lengths", Type::Choice, "What becomes of lists of different lengths: an error, an end at the `shortest`, or `longest`, where what is missing is `null`.")
    .default("same")
    .choices(&["same", "shortest", "longest"])
    .more_inputs()
    .output("items", Type::Any.list(), "The objects: `item.NAME` under `each`.")
    .max_bytes(64 << 20)
    .run(Runner::inline(run))
}

fn run(mut inputs: Values) -> Result<Values, String> {
    let lengths = inputs.text("lengths")?.to_owned();
    inputs.shift_remove("lengths");
    let lists = lists(inputs)?;
    let shortest = lists.iter().min_by_key(|(_, items)| items.len());
    let longest = lists.iter().max_by_key(|(_, items)| items.len());
    let (Some((short_name, short)), Some((long_name, long))) = (shortest, longest) else {
        return Err("there is no list; give each by an input of its own".into());
    };
    if lengths == "same" && short.len() != long.len() {
        return Err(format!(
            "`{short_name}` has {} items and `{long_name}` has {}; set `lengths` to `shortest` or `longest` if that is meant",
            short.len(),
            long.len()
        ));
    }
    let count = if lengths == "longest" { long.len() } else { short.len() };
    let mut lists: Vec<(String, std::vec::IntoIter<Value>)> =
        lists.into_iter().map(|(name, items)| (name, items.into_iter())).collect();
    let mut next = || {
        let fields = lists.iter_mut().map(|(name, items)| (name.clone(), items.next().unwrap_or_default()));
        Value::Object(fields.collect())
    };
    Ok(one("items", (0..count).map(|_| next()).collect::<Vec<_>>()))
}

/// Every input as a list.
pub(super) fn lists(inputs: Values) -> Result<Vec<(String, Vec<Value>)>, String> {
    inputs
        .into_iter()
        .map(|(name, value)| match value {
            Value::List(items) => Ok((name, items)),
            other => Err(format!("input `{name}`: expected a list, got {}", other.type_of())),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made};

    fn zip(a: &str, b: &str, lengths: &str) -> Result<Value, String> {
        let given = [("a", json(a)), ("b", json(b)), ("lengths", lengths.into())];
        made(&node_type(), &given).map(|made| made["items"].clone())
    }

    #[test]
    fn lists_stand_side_by_side_by_the_names_of_their_inputs() {
        assert_eq!(
            zip("[1, 2]", r#"["x", "y"]"#, "same"),
            Ok(json(r#"[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]"#))
        );
        assert_eq!(zip("[1, 2]", "[3]", "shortest"), Ok(json(r#"[{"a": 1, "b": 3}]"#)));
        assert_eq!(zip("[1, 2]", "[3]", "longest"), Ok(json(r#"[{"a": 1, "b": 3}, {"a": 2, "b": null}]"#)));
        assert_eq!(zip("[]", "[]", "same"), Ok(json("[]")));
    }

    #[test]
    fn different_lengths_and_what_is_no_list_are_errors() {
        assert!(zip("[1, 2]", "[3]", "same").unwrap_err().starts_with("`b` has 1 items and `a` has 2;"));
        assert!(zip("[1]", "3", "same").unwrap_err().contains("input `b`: expected a list, got int"));
        assert!(made(&node_type(), &[]).unwrap_err().contains("no list"));
    }
}
