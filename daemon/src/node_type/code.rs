//! `code.js`: JavaScript that computes values.
//!
//! The engine is QuickJS, with nothing that reaches out of it: no files, no network, no modules, no clock, no chance, and
//! no code that is made of values. It has its own limits of memory, stack and time, besides those of the worker.

mod convert;
mod engine;
mod error;

use std::time::Duration;

use fanlight_shared::node_type::{Code, DeclaredOutputs};
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;

use super::build::Build;
use super::typed_inputs::TypedInputs;
use super::{NodeType, Runner, Workspace};
use crate::file_error::FileError;
use engine::{Ended, Limits};

/// The output of a node that declares none.
const VALUE: &str = "value";

/// The limits of a node.
const LIMITS: Limits =
    Limits { time: Duration::from_secs(60), memory_bytes: 256 << 20, value_bytes: MAX_BYTES };
/// The most bytes of all outputs.
const MAX_BYTES: u64 = 16 << 20;

pub(super) fn node_type() -> NodeType {
    Build::new(
        "code.js",
        "Computes values with JavaScript, which reaches no files, no network and no clock.",
    )
    .input(
        "code",
        Type::Text,
        "The body of a function: `return { total: inputs.prices.length };`. All other inputs are fields of `inputs`.",
    )
    .code(Code::JavaScript)
    .more_inputs()
    .output(VALUE, Type::Any, "What the code returns, if the node declares no outputs; otherwise each is a field of it.")
    .declared_outputs(DeclaredOutputs::Values)
    .max_bytes(MAX_BYTES)
    // Another version of the engine needs another version of the type.
    .remember()
    .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    compute(workspace, inputs, LIMITS)
}

fn compute(workspace: &mut Workspace, mut inputs: Values, limits: Limits) -> Result<Values, FileError> {
    let code = inputs.text("code")?.to_owned();
    inputs.shift_remove("code");
    if let Some((name, _)) = inputs.iter().find(|(_, value)| value.has_media()) {
        return Err(format!(
            "input `{name}` contains a file, which code can't read; `file.read` reads its text"
        )
        .into());
    }
    let declared: Vec<String> = workspace.outputs().keys().cloned().collect();
    let log = workspace.services().clone();
    let returned = match engine::run(code, inputs, declared, limits, log)? {
        Ended::Done(values) => values,
        Ended::Failed(error) => return Err(error.into()),
        Ended::OutOfLimits(error) => {
            workspace.give_up();
            return Err(error.into());
        }
    };
    Ok(typed(returned, workspace.outputs())?)
}

/// Converts the outputs to their declared types.
fn typed(returned: Values, declared: &IndexMap<String, Type>) -> Result<Values, String> {
    let convert = |(name, value): (String, Value)| {
        let ty = declared.get(&name).unwrap_or(&Type::Any);
        let value = value.convert(ty).map_err(|error| format!("output `{name}`: {error}"))?;
        Ok((name, value))
    };
    returned.into_iter().map(convert).collect()
}

#[cfg(test)]
mod tests;
