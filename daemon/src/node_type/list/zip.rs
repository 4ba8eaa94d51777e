//! `list.zip`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use crate::node_type::bound::Bound;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner};

/// The most bytes of all objects.
const MAX_BYTES: u64 = 64 << 20;

pub(super) fn node_type() -> NodeType {
    Build::new(
        "list.zip",
        "Combines lists item by item: an object for each position, with a field for each list. Each list is an input of any name.",
    )
    .input("lengths", Type::Choice, "How to treat lists of different lengths: `same` is an error, `shortest` ends with the shortest list, `longest` fills missing items with `null`.")
    .default("same")
    .choices(&["same", "shortest", "longest"])
    .more_inputs()
    .output("items", Type::Any.list(), "The objects; under `each`, their fields are `item.NAME`.")
    .max_bytes(MAX_BYTES)
    .run(Runner::inline(run))
}

fn run(mut inputs: Values) -> Result<Values, String> {
    let lengths = inputs.text("lengths")?.to_owned();
    inputs.shift_remove("lengths");
    let lists = lists(inputs)?;
    let shortest = lists.iter().min_by_key(|(_, items)| items.len());
    let longest = lists.iter().max_by_key(|(_, items)| items.len());
    let (Some((short_name, short)), Some((long_name, long))) = (shortest, longest) else {
        return Err("there is no list; pass each list as an input".into());
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
    // One long list and many short ones make far more fields than there are items.
    let mut bound = Bound::new(MAX_BYTES);
    let mut next = || {
        let fields = lists.iter_mut().map(|(name, items)| (name.clone(), items.next().unwrap_or_default()));
        let item = Value::Object(fields.collect());
        bound.add(&item).map(|()| item)
    };
    Ok(one("items", (0..count).map(|_| next()).collect::<Result<Vec<_>, _>>()?))
}

/// Returns every input as a list.
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
    fn items_are_combined_by_the_names_of_their_inputs() {
        assert_eq!(
            zip("[1, 2]", r#"["x", "y"]"#, "same"),
            Ok(json(r#"[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]"#))
        );
        assert_eq!(zip("[1, 2]", "[3]", "shortest"), Ok(json(r#"[{"a": 1, "b": 3}]"#)));
        assert_eq!(zip("[1, 2]", "[3]", "longest"), Ok(json(r#"[{"a": 1, "b": 3}, {"a": 2, "b": null}]"#)));
        assert_eq!(zip("[]", "[]", "same"), Ok(json("[]")));
    }

    #[test]
    fn different_lengths_and_inputs_that_are_not_lists_are_errors() {
        assert!(zip("[1, 2]", "[3]", "same").unwrap_err().starts_with("`b` has 1 items and `a` has 2;"));
        assert!(zip("[1]", "3", "same").unwrap_err().contains("input `b`: expected a list, got int"));
        assert!(made(&node_type(), &[]).unwrap_err().contains("no list"));
    }

    #[test]
    fn many_short_lists_and_a_long_one_are_refused_early() {
        let long = ("long".to_owned(), Value::List(vec![Value::None; 100_000]));
        let short = (0..200).map(|nth| (format!("short{nth}"), Value::List(Vec::new())));
        let mut inputs: Values = [long].into_iter().chain(short).collect();
        inputs.insert("lengths".into(), "longest".into());
        assert!(run(inputs).unwrap_err().contains("more than 64 MiB"));
    }
}
