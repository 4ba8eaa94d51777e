//! `list.chunk`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::MAX_ITEMS;
use crate::node_type::bound::Bound;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner};

/// The most bytes of all lists.
const MAX_BYTES: u64 = 64 << 20;

pub(super) fn node_type() -> NodeType {
    Build::new("list.chunk", "Divides a list into lists of a given length.")
        .input("items", Type::Any.list(), "The list to divide.")
        .input("size", Type::Int, "The number of items in each list; the last one may have fewer.")
        .range(1.0, MAX_ITEMS as f64)
        .input("overlap", Type::Int, "The number of items that each list repeats from the previous one.")
        .default(0_i64)
        .range(0.0, MAX_ITEMS as f64)
        .output("chunks", Type::Any.list().list(), "The lists.")
        .output("count", Type::Int, "The number of lists.")
        .max_bytes(MAX_BYTES)
        .run(Runner::handles(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let items = inputs.list("items")?;
    let (size, overlap) = (inputs.count("size")? as usize, inputs.count("overlap")? as usize);
    let Some(step) = size.checked_sub(overlap).filter(|step| *step > 0) else {
        return Err(format!("`overlap` is {overlap}, but must be less than `size`, which is {size}"));
    };
    let rest = items.len().saturating_sub(overlap).max(usize::from(!items.is_empty()));
    if rest.div_ceil(step).saturating_mul(size) > items.len() + 10 * MAX_ITEMS {
        return Err(format!(
            "lists of {size} items that overlap by {overlap} would be too many; reduce `overlap`"
        ));
    }
    let mut bound = Bound::new(MAX_BYTES);
    let mut chunks = Vec::new();
    for start in (0..rest).step_by(step) {
        let chunk = Value::List(items[start..items.len().min(start + size)].to_vec());
        bound.add(&chunk)?;
        chunks.push(chunk);
    }
    let count = Value::Int(i64::try_from(chunks.len()).unwrap_or(i64::MAX));
    Ok(Values::from([("chunks".to_owned(), chunks.into()), ("count".to_owned(), count)]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{json, made};

    fn chunks(items: &str, size: i64, overlap: i64) -> Result<Value, String> {
        let given = [("items", json(items)), ("size", Value::Int(size)), ("overlap", Value::Int(overlap))];
        made(&node_type(), &given).map(|made| made["chunks"].clone())
    }

    #[test]
    fn every_item_is_in_a_chunk() {
        assert_eq!(chunks("[1, 2, 3, 4, 5]", 2, 0), Ok(json("[[1, 2], [3, 4], [5]]")));
        assert_eq!(chunks("[1, 2, 3, 4, 5]", 3, 1), Ok(json("[[1, 2, 3], [3, 4, 5]]")));
        assert_eq!(chunks("[1, 2, 3, 4, 5, 6]", 3, 1), Ok(json("[[1, 2, 3], [3, 4, 5], [5, 6]]")));
        assert_eq!(chunks("[1]", 3, 2), Ok(json("[[1]]")));
        assert_eq!(chunks("[]", 3, 1), Ok(json("[]")));
    }

    #[test]
    fn chunks_that_would_never_end_or_be_too_many_are_refused() {
        assert!(chunks("[1]", 2, 2).unwrap_err().contains("less than `size`"));
        let many = Value::from(vec![Value::Int(1); 5_000]);
        let given = [("items", many), ("size", Value::Int(2_000)), ("overlap", Value::Int(1_999))];
        assert!(made(&node_type(), &given).unwrap_err().contains("too many"));
    }

    #[test]
    fn chunks_that_take_too_much_memory_are_refused_early() {
        let long = Value::from(vec![Value::from("x".repeat(60_000)); 100]);
        let given = [("items", long), ("size", Value::Int(90)), ("overlap", Value::Int(89))];
        assert!(made(&node_type(), &given).is_ok());
        let long = Value::from(vec![Value::from("x".repeat(60_000)); 200]);
        let given = [("items", long), ("size", Value::Int(90)), ("overlap", Value::Int(89))];
        assert!(made(&node_type(), &given).unwrap_err().contains("more than 64 MiB"));
    }
}
