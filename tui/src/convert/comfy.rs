//! Graphs of ComfyUI. They need their server, so that each becomes one `comfy.run` with its literals as params.

mod editor;

use serde_json::{Map, Value as Json};

use super::draft::{Draft, Node, Param};
use super::table::FRACTIONS;

/// Converts a graph in the API format.
pub(super) fn of_api(nodes: Map<String, Json>, name: &str) -> Draft {
    finish(Draft::default(), nodes, name)
}

/// Converts a workflow of ComfyUI's editor.
pub(super) fn of_editor(json: &Json, name: &str) -> Draft {
    let mut draft = Draft::default();
    let nodes = editor::api(json, &mut draft);
    finish(draft, nodes, name)
}

fn finish(mut draft: Draft, mut graph: Map<String, Json>, name: &str) -> Draft {
    draft.name = name.to_owned();
    draft.description = "A graph of ComfyUI, computed on its server.".to_owned();
    let text = |default: &str, description: &str| Param {
        ty: "text".to_owned(),
        default: Some(default.into()),
        description: description.to_owned(),
        ..Param::default()
    };
    let whose = "Whose servers compute it: a provider of the config; `offline` is a stand-in that paints";
    let provider = draft.param("provider", text("comfy", whose));
    let mut set = Map::new();
    for (id, node) in &mut graph {
        let class = node.get("class_type").and_then(Json::as_str).unwrap_or_default().to_owned();
        let title =
            node.get("_meta").and_then(|meta| meta.get("title")).and_then(Json::as_str).unwrap_or(&class);
        let title = title.to_owned();
        let Some(inputs) = node.get_mut("inputs").and_then(Json::as_object_mut) else { continue };
        for (input, value) in inputs {
            draft.clean(&format!("`{input}` of node `{id}` ({class})"), value);
            let is_fraction = FRACTIONS.contains(&input.as_str());
            let ty = match value {
                Json::String(_) => "text",
                Json::Bool(_) => "bool",
                Json::Number(_) if is_fraction => "float",
                Json::Number(number) if number.is_i64() => "int",
                Json::Number(_) => "float",
                Json::Null | Json::Array(_) | Json::Object(_) => continue,
            };
            let known = draft.params.keys().any(|name| name == input);
            let wanted = if known { format!("{title} {input}") } else { input.clone() };
            let param = Param {
                ty: ty.to_owned(),
                default: Some(value.clone()),
                description: format!("`{input}` of node {id}, {title}"),
                ..Param::default()
            };
            let name = draft.param(&wanted, param);
            set.insert(format!("{id}.{input}"), format!("${{{{ params.{name} }}}}").into());
        }
    }
    let with = [
        ("provider", format!("${{{{ params.{provider} }}}}").into()),
        ("set", Json::Object(set)),
        ("graph", Json::Object(graph.clone())),
    ];
    let with = with.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    draft.nodes.insert("graph".to_owned(), Node { uses: "comfy.run".to_owned(), with, ..Node::default() });
    let classes: Vec<&str> = graph.values().filter_map(|node| node.get("class_type")?.as_str()).collect();
    let has = |words: &[&str]| classes.iter().any(|class| words.iter().any(|word| class.contains(word)));
    let ports = [
        ("images", ["SaveImage", "PreviewImage"]),
        ("audio", ["SaveAudio", "PreviewAudio"]),
        ("videos", ["SaveVideo", "VideoCombine"]),
    ];
    for (port, words) in ports {
        if has(&words) {
            draft.output(port, format!("graph.{port}"));
        }
    }
    if draft.outputs.is_empty() {
        ["images", "files"].into_iter().for_each(|port| draft.output(port, format!("graph.{port}")));
    }
    draft
}
