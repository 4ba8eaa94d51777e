//! Workflows of ComfyUI's editor as graphs for its API, as the editor exports them.

use std::collections::HashMap;

use indexmap::IndexMap;
use serde_json::{Map, Value as Json, json};

use crate::convert::draft::Draft;
use crate::convert::table::{AFTER_SEED, WIDGETS};

/// Nodes that are switched off, and those that pass their inputs on.
const MUTED: u64 = 2;
const BYPASSED: u64 = 4;
/// The most nodes that a link passes through.
const MAX_HOPS: usize = 1000;

/// The nodes and links of a workflow.
struct Editor<'a> {
    nodes: IndexMap<String, &'a Json>,
    /// The node and the output that each link begins at, and the type of what it carries.
    links: HashMap<i64, (String, u64, Json)>,
}

/// Where an input gets its value.
enum Origin {
    Output(String, u64),
    Value(Json),
    Nothing,
}

/// Returns the graph.
pub(super) fn api(json: &Json, draft: &mut Draft) -> Map<String, Json> {
    let editor = Editor::read(json);
    let mut graph = Map::new();
    for (id, node) in &editor.nodes {
        let kind = node.get("type").and_then(Json::as_str).unwrap_or_default();
        let title = node.get("title").and_then(Json::as_str).unwrap_or(kind);
        match kind {
            "Note" | "MarkdownNote" => {
                let text = node.get("widgets_values").and_then(|values| values.get(0)).and_then(Json::as_str);
                draft.notes.extend(text.map(str::to_owned));
                continue;
            }
            "Reroute" | "PrimitiveNode" => continue,
            _ if [MUTED, BYPASSED].contains(&mode(node)) => continue,
            // The editor names groups of nodes by an id.
            _ if kind.len() == 36 && kind.matches('-').count() == 4 => {
                draft.lost.push(format!(
                    "node {id} (`{title}`) is a subgraph; save the workflow in ComfyUI with `Export (API)`, and convert that file"
                ));
                continue;
            }
            _ => {}
        }
        let mut inputs = Map::new();
        match editor.widgets(node, kind) {
            Ok(values) => inputs.extend(values),
            Err(why) => draft.lost.push(format!("the values of node {id} ({kind}): {why}")),
        }
        for input in list(node, "inputs") {
            let Some(name) = input.get("name").and_then(Json::as_str) else { continue };
            let Some(link) = input.get("link").and_then(Json::as_i64) else { continue };
            match editor.origin(link) {
                Origin::Output(from, slot) => inputs.insert(name.to_owned(), json!([from, slot])),
                Origin::Value(value) => inputs.insert(name.to_owned(), value),
                Origin::Nothing => None,
            };
        }
        let node = json!({"class_type": kind, "inputs": inputs, "_meta": {"title": title}});
        graph.insert(id.clone(), node);
    }
    graph
}

fn list<'a>(of: &'a Json, field: &str) -> impl Iterator<Item = &'a Json> {
    of.get(field).and_then(Json::as_array).into_iter().flatten()
}

fn mode(node: &Json) -> u64 {
    node.get("mode").and_then(Json::as_u64).unwrap_or(0)
}

/// Returns an id, which is a number or a text.
fn id(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

impl<'a> Editor<'a> {
    fn read(json: &'a Json) -> Self {
        let nodes = list(json, "nodes").filter_map(|node| Some((id(node.get("id")?), node))).collect();
        let link = |link: &Json| {
            // A list of the link, the two ends and the type; an object in newer versions.
            let at = |index: usize, name: &str| link.get(index).or_else(|| link.get(name)).cloned();
            let from = (
                id(&at(1, "origin_id")?),
                at(2, "origin_slot")?.as_u64()?,
                at(5, "type").unwrap_or_default(),
            );
            Some((at(0, "id")?.as_i64()?, from))
        };
        Self { nodes, links: list(json, "links").filter_map(link).collect() }
    }

    /// Follows a link to the node that makes the value: through nodes that only pass it on.
    fn origin(&self, mut link: i64) -> Origin {
        for _ in 0..MAX_HOPS {
            let Some((from, slot, ty)) = self.links.get(&link) else { return Origin::Nothing };
            let Some(node) = self.nodes.get(from) else { return Origin::Nothing };
            let next = match node.get("type").and_then(Json::as_str) {
                Some("PrimitiveNode") => {
                    let value = node.get("widgets_values").and_then(|values| values.get(0)).cloned();
                    return value.map_or(Origin::Nothing, Origin::Value);
                }
                Some("Reroute") => list(node, "inputs").next(),
                _ if mode(node) == MUTED => None,
                _ if mode(node) == BYPASSED => list(node, "inputs")
                    .find(|input| input.get("type") == Some(ty) && !input["link"].is_null()),
                _ => return Origin::Output(from.clone(), *slot),
            };
            match next.and_then(|input| input.get("link")?.as_i64()) {
                Some(next) => link = next,
                None => return Origin::Nothing,
            }
        }
        Origin::Nothing
    }

    /// Returns the values of a node's widgets by name.
    ///
    /// # Errors
    /// A sentence: their names are not known.
    fn widgets(&self, node: &Json, kind: &str) -> Result<Map<String, Json>, String> {
        let values = match node.get("widgets_values") {
            Some(Json::Object(named)) => return Ok(named.clone()),
            Some(Json::Array(values)) if !values.is_empty() => values,
            _ => return Ok(Map::new()),
        };
        // Newer editors write the names of all widgets; older ones only of those that were connected.
        let own: Vec<&str> =
            list(node, "inputs").filter_map(|input| input.get("widget")?.get("name")?.as_str()).collect();
        let known = WIDGETS.iter().find(|(class, _)| *class == kind).map(|(_, names)| names.to_vec());
        let attempts = [known, Some(own)];
        attempts.into_iter().flatten().find_map(|names| assign(&names, values)).ok_or_else(|| {
            "the file does not say what they are; save the workflow in ComfyUI with `Export (API)`, and convert that file"
                .to_owned()
        })
    }
}

/// Gives names to values; `None` if they don't correspond.
fn assign(names: &[&str], values: &[Json]) -> Option<Map<String, Json>> {
    let mut values = values.iter().peekable();
    let mut named = Map::new();
    for name in names {
        let Some(value) = values.next() else { break };
        if !name.is_empty() {
            named.insert((*name).to_owned(), value.clone());
        }
        let is_seed = name.ends_with("seed");
        if is_seed
            && values.peek().and_then(|next| next.as_str()).is_some_and(|next| AFTER_SEED.contains(&next))
        {
            values.next();
        }
    }
    // A button has a value too.
    let rest = values
        .all(|value| value.as_str().is_some_and(|it| it.is_empty() || it == "image") || value.is_null());
    rest.then_some(named)
}
