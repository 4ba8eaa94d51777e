//! `workflow.run`

use fanlight_shared::document::children::FILE_INPUT;
use fanlight_shared::node_type::{DeclaredOutputs, Effects, RUN_TYPE};
use fanlight_shared::types::Type;

use super::build::Build;
use super::{NodeType, Runner};

/// The name of the executor that starts runs.
pub(crate) const CHILDREN: &str = "children";

pub(super) fn node_type() -> NodeType {
    Build::new(RUN_TYPE, "Runs another workflow and takes its outputs; the other inputs are its params.")
        // A repeated attempt finds the run of the one before.
        .effects(Effects::Idempotent)
        .source()
        .input(
            FILE_INPUT,
            Type::Text,
            "The file, relative to this one; it is read when the run is submitted.",
        )
        .more_inputs()
        .output("outputs", Type::Any, "Its outputs by name, unless the node declares them.")
        .declared_outputs(DeclaredOutputs::Any)
        .run(Runner::Executor { name: CHILDREN.to_owned(), pool: None, at_once: None })
}
