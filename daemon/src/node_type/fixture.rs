//! Tries out node types in tests.

use fanlight_shared::value::{Value, Values};
use tokio_util::sync::CancellationToken;

use super::off_loop::OffLoop;
use super::{NodeType, Runner};

/// Returns a value from JSON.
pub(crate) fn json(text: &str) -> Value {
    Value::parse_json(text).unwrap()
}

/// Inputs as the engine hands them over: checked against the spec, defaults filled in.
pub(crate) fn inputs(node_type: &NodeType, given: &[(&str, Value)]) -> Result<Values, String> {
    let mut inputs: Values = given.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    for (name, input) in &node_type.spec.inputs {
        match inputs.get_mut(name) {
            Some(value) => {
                *value = input.check(value.clone()).map_err(|error| format!("input `{name}`: {error}"))?;
            }
            None => {
                if let Some(default) = &input.default {
                    inputs.insert(name.clone(), default.clone());
                }
                assert!(!input.required(), "`{name}` is not given");
            }
        }
    }
    Ok(inputs)
}

/// Runs a type that is computed inline.
pub(crate) fn made(node_type: &NodeType, given: &[(&str, Value)]) -> Result<Values, String> {
    let inputs = inputs(node_type, given)?;
    match &node_type.run {
        Runner::Inline(run) | Runner::Handles(run) => run(inputs),
        other => panic!("{} runs by {other:?}", node_type.spec.name),
    }
}

/// Runs a type that works outside the engine's loop.
pub(crate) fn made_off_loop(
    node_type: &NodeType,
    run: fn(&OffLoop) -> Result<Values, String>,
    given: &[(&str, Value)],
) -> Result<Values, String> {
    run(&OffLoop::new(inputs(node_type, given)?, None, CancellationToken::new()))
}
