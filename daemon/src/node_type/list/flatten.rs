//! `list.flatten`

use fanlight_shared::types::Type;
use fanlight_shared::value::{DEPTH_LIMIT, Value, Values};

use crate::node_type::build::Build;
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("list.flatten", "Turns a list of lists into one list; items that are not lists are kept.")
        .input("items", Type::Any.list(), "The lists.")
        .input("levels", Type::Int, "The number of levels to flatten.")
        .default(1_i64)
        .range(1.0, DEPTH_LIMIT as f64)
        .output("items", Type::Any.list(), "The items of all lists, in order.")
        .max_bytes(64 << 20)
        .run(Runner::inline(run))
}

fn run(mut inputs: Values) -> Result<Values, String> {
    let levels = inputs.count("levels")?;
    let Some(Value::List(items)) = inputs.swap_remove("items") else {
        return Err("input `items` is not a list".into());
    };
    let mut flat = Vec::with_capacity(items.len());
    flatten(items, levels, &mut flat);
    Ok(one("items", flat))
}

fn flatten(items: Vec<Value>, levels: u32, flat: &mut Vec<Value>) {
    for item in items {
        match item {
            Value::List(inner) if levels > 0 => flatten(inner, levels - 1, flat),
            other => flat.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made};

    fn flat(levels: i64) -> Result<Value, String> {
        let given = [("items", json("[[1, [2]], 3, [], [[4]]]")), ("levels", Value::Int(levels))];
        made(&node_type(), &given).map(|made| made["items"].clone())
    }

    #[test]
    fn the_given_number_of_levels_is_flattened() {
        assert_eq!(flat(1), Ok(json("[1, [2], 3, [4]]")));
        assert_eq!(flat(2), Ok(json("[1, 2, 3, 4]")));
        assert!(flat(0).unwrap_err().contains("input `levels`: 0 is not within"));
    }
}
