//! `list.of`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use crate::node_type::build::Build;
use crate::node_type::typed_inputs::one;
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new(
        "list.of",
        "Makes a list of its inputs, whatever their names, in the order of the workflow file.",
    )
    .more_inputs()
    .output("items", Type::Any.list(), "The values.")
    .max_bytes(64 << 20)
    .run(Runner::handles(run))
}

#[allow(clippy::unnecessary_wraps)]
fn run(inputs: Values) -> Result<Values, String> {
    Ok(one("items", inputs.into_values().collect::<Vec<_>>()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanlight_shared::value::Value;

    #[test]
    fn items_are_in_the_order_of_the_inputs() {
        let mut inputs = one("z", 1_i64);
        inputs.insert("a".into(), "two".into());
        assert_eq!(run(inputs).unwrap()["items"], Value::from(vec![Value::Int(1), "two".into()]));
    }
}
