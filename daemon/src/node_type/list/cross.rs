//! `list.cross`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;

use super::MAX_ITEMS;
use super::zip::lists;
use crate::node_type::bound::Bound;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::one;
use crate::node_type::{NodeType, Runner};

/// The most bytes of all objects.
const MAX_BYTES: u64 = 64 << 20;

pub(super) fn node_type() -> NodeType {
    Build::new(
        "list.cross",
        "Combines every item of each list with every item of the others: objects with a field for each list. Each list is an input of any name.",
    )
    .more_inputs()
    .output("items", Type::Any.list(), "The objects; under `each`, their fields are `item.NAME`. The items of the first list change slowest.")
    .max_bytes(MAX_BYTES)
    .run(Runner::inline(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let lists = lists(inputs)?;
    if lists.is_empty() {
        return Err("there is no list; pass each list as an input".into());
    }
    let count = lists.iter().try_fold(1_usize, |so_far, (_, items)| so_far.checked_mul(items.len()));
    let count = count.filter(|count| *count <= MAX_ITEMS).ok_or_else(|| {
        let lengths: Vec<String> = lists.iter().map(|(_, items)| items.len().to_string()).collect();
        format!("{} are more than {MAX_ITEMS} combinations", lengths.join(" × "))
    })?;
    let combination = |number: usize| {
        let mut rest = number;
        let mut fields: Vec<(String, Value)> = Vec::with_capacity(lists.len());
        for (name, items) in lists.iter().rev() {
            fields.push((name.clone(), items[rest % items.len()].clone()));
            rest /= items.len();
        }
        Value::Object(fields.into_iter().rev().collect::<IndexMap<_, _>>())
    };
    let mut bound = Bound::new(MAX_BYTES);
    let combinations = (0..count).map(combination).map(|item| bound.add(&item).map(|()| item));
    Ok(one("items", combinations.collect::<Result<Vec<_>, _>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made};

    #[test]
    fn every_item_is_combined_with_every_other() {
        let given = [("model", json(r#"["a", "b"]"#)), ("heat", json("[0, 1]"))];
        let items = made(&node_type(), &given).unwrap()["items"].clone();
        let expected = r#"[{"model": "a", "heat": 0}, {"model": "a", "heat": 1}, {"model": "b", "heat": 0}, {"model": "b", "heat": 1}]"#;
        assert_eq!(items.to_json().to_string(), json(expected).to_json().to_string());
        assert_eq!(
            made(&node_type(), &[("a", json("[1]")), ("b", json("[]"))]).unwrap()["items"],
            json("[]")
        );
    }

    #[test]
    fn too_many_combinations_are_refused_before_they_are_made() {
        let many = Value::from(vec![Value::Int(1); 400]);
        let given = [("a", many.clone()), ("b", many.clone()), ("c", many)];
        assert!(
            made(&node_type(), &given)
                .unwrap_err()
                .starts_with("400 × 400 × 400 are more than 100000 combinations")
        );
        assert!(made(&node_type(), &[]).unwrap_err().contains("no list"));
    }

    #[test]
    fn combinations_that_take_too_much_memory_are_refused_early() {
        let long = Value::from(vec![Value::from("x".repeat(60_000))]);
        let given = [("a", long), ("b", Value::from(vec![Value::Int(1); 50_000]))];
        assert!(made(&node_type(), &given).unwrap_err().contains("more than 64 MiB"));
    }
}
