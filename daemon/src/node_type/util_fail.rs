//! `util.fail`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::build::Build;
use super::typed_inputs::TypedInputs;
use super::{Made, NodeCall, NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new(
        "util.fail",
        "Fails, always or only in its first attempts; for testing retries and failing branches.",
    )
    .input("message", Type::Text, "The error message.")
    .default("failed on purpose")
    .input("times", Type::Int, "The number of attempts that fail before one succeeds; by default all fail.")
    .optional()
    .range(0.0, 1_000_000.0)
    .input("value", Type::Any, "The value to pass through when an attempt succeeds.")
    .optional()
    .output("value", Type::Any, "The input `value`; absent if none was given.")
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
