//! Workflows of other tools as workflow files: those of NodeTool, and graphs of ComfyUI. What has no counterpart is listed.

mod comfy;
mod draft;
mod nodetool;
mod table;

use serde_json::Value as Json;

pub(crate) use draft::Draft;

/// Converts a workflow of another tool.
///
/// # Errors
/// A sentence: it is of no tool that is known here.
pub(crate) fn convert(json: &Json, name: &str) -> Result<Draft, String> {
    let list = |of: &Json, field: &str| of.get(field).is_some_and(Json::is_array);
    let graph = json.get("graph").unwrap_or(json);
    if list(graph, "nodes") && list(graph, "edges") {
        return Ok(nodetool::convert(json, graph, name));
    }
    if list(json, "nodes") && list(json, "links") {
        return Ok(comfy::of_editor(json, name));
    }
    let nodes = json.get("prompt").filter(|prompt| prompt.is_object()).unwrap_or(json).as_object();
    match nodes
        .filter(|nodes| !nodes.is_empty() && nodes.values().all(|node| node.get("class_type").is_some()))
    {
        Some(nodes) => Ok(comfy::of_api(nodes.clone(), name)),
        None => Err("it is neither a workflow of NodeTool nor a graph of ComfyUI".to_owned()),
    }
}

#[cfg(test)]
mod tests;
