//! Tools that are node types which run in the daemon.

use std::sync::Arc;

use fanlight_shared::value::Values;
use serde_json::Value as Json;

use super::ToolResult;
use super::given;
use super::made::MadeFiles;
use crate::content;
use crate::file_error::FileError;
use crate::node_type::{Made, NodeCall, NodeType, Runner};

/// Runs a node type with the model's inputs. The outer error ends the node.
pub(super) async fn call(
    call: &NodeCall,
    native: &Arc<NodeType>,
    fixed: &Values,
    arguments: Json,
    made: &MadeFiles,
) -> Result<ToolResult, FileError> {
    let mut inputs = match given::values(&native.spec.inputs, fixed, arguments, made) {
        Ok(inputs) => inputs,
        Err(why) => return Ok(Err(why)),
    };
    for (name, spec) in &native.spec.inputs {
        if let Some(default) = spec.default.as_ref().filter(|_| !inputs.contains_key(name)) {
            inputs.insert(name.clone(), default.clone());
        }
    }
    let done: Made = match &native.run {
        Runner::Daemon(run) => {
            let (attempt, services, blobs) =
                (call.attempt.clone(), call.services.clone(), call.blobs.clone());
            run(NodeCall { attempt, services, inputs, blobs, writable: call.writable.clone() }).await
        }
        _ => {
            let (native, blobs) = (Arc::clone(native), call.blobs.clone());
            call.services.blocking(move || native.run_off_loop(inputs.clone(), &blobs)).await
        }
    };
    match done {
        Err(full @ FileError::Full(_)) => Err(full),
        Err(FileError::Other(why)) => Ok(Err(why)),
        Ok((values, held)) => {
            let blobs = call.blobs.clone();
            let read = move || Ok(content::whole(values.clone(), &blobs)?);
            let values = call.services.blocking(read).await?;
            Ok(Ok(made.take(&values, held)))
        }
    }
}
