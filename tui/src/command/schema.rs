//! `fanlight schema`: the JSON Schema of workflow files.

use crate::embedded;
use crate::failure::Failure;
use crate::output::Out;

/// Runs `schema`.
pub(super) fn run() -> Result<(), Failure> {
    let schema = fanlight_shared::document::schema::schema(&embedded::catalogue());
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Failure::failed(format!("the schema can't be written: {error}")))?;
    let mut out = Out::new();
    out.json(&text)?;
    out.flush()
}
