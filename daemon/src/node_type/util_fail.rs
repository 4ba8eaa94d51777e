//! `util.fail`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::build::Build;
use super::typed_inputs::TypedInputs;
use super::{Made, NodeCall, NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new(
        "util.fail",
        "Fails, always or only in its first attempts; for trying out retries and failing branches.",
    )
    .input("message", Type::Text, "What the error says.")
    .default("failed on purpose")
    .input("times", Type::Int, "How many attempts fail before one passes; without it every attempt fails.")
    .optional()
    .range(0.0, 1_000_000.0)
    .input("value", Type::Any, "What is passed through once an attempt passes.")
    .optional()
    .output("value", Type::Any, "The input `value`; absent where none was given.")
    .run(Runner::daemon(|call| std::future::ready(run(&call))))
}

fn run(call: &NodeCall) -> Made {
    let passes = call.inputs.maybe("times").and_then(|it| it.as_int());
    if passes.is_some_and(|times| i64::from(call.attempt.number) > times) {
        let value = call.inputs.maybe("value").cloned();
        return Ok((value.map(|it| ("value".to_owned(), it)).into_iter().collect::<Values>(), Vec::new()));
    }
    Err(call.inputs.text("message")?.into())
}
