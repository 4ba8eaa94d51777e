//! `fanlight schema`: the JSON Schema of workflow files.

use crate::failure::Failure;
use crate::node_types;
use crate::output::Out;

/// Runs `schema`.
pub(crate) async fn run() -> Result<(), Failure> {
    let schema = fanlight_shared::document::schema::schema(&node_types::current().await);
    let text = serde_json::to_string_pretty(&schema)
        .map_err(|error| Failure::failed(format!("the schema can't be written: {error}")))?;
    let mut out = Out::new();
    out.json(&text)?;
    out.flush()
}
