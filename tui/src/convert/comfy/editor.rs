//! Workflows of ComfyUI's editor as graphs for its API, as the editor exports them: the nodes of a subgraph take its place, with
//! ids that begin with its own.

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
/// The ends of links that lead into a subgraph and out of it.
const INSIDE: &str = "-10";
const OUTSIDE: &str = "-20";
/// How deep subgraphs may be in each other, and the most nodes of all of them.
const MAX_DEPTH: usize = 8;
const MAX_NODES: usize = 10_000;

/// The nodes and links of a workflow.
struct Editor<'a> {
    /// By their whole ids.
    nodes: IndexMap<String, Placed<'a>>,
    /// By the subgraph that they are in, which is empty for the workflow itself, and by their ids.
    links: HashMap<(String, i64), Link>,
    /// The subgraphs by the nodes that stand for them.
    subgraphs: HashMap<String, &'a Json>,
}

/// A node, and the node of the subgraph that it is in.
struct Placed<'a> {
    node: &'a Json,
    scope: String,
}

/// The output that a link begins at, the type of what it carries, and the input that it ends at.
struct Link {
    from: (String, u64),
    ty: Json,
    to: (String, u64),
}

/// Where an input gets its value.
enum Origin {
    Output(String, u64),
    Value(Json),
    Nothing,
}

/// Returns the graph.
pub(super) fn api(json: &Json, draft: &mut Draft) -> Map<String, Json> {
    let editor = Editor::read(json, draft);
    let mut graph = Map::new();
    for (id, Placed { node, scope }) in &editor.nodes {
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
            _ if editor.subgraphs.contains_key(id) => continue,
            // The editor names subgraphs by an id.
            _ if kind.len() == 36 && kind.matches('-').count() == 4 => {
                draft.lost.push(format!("node {id} (`{title}`) is a subgraph that the file does not have"));
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
            match editor.origin(scope, link) {
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

/// Returns the whole id of a node in a subgraph.
fn within(scope: &str, id: &str) -> String {
    if scope.is_empty() { id.to_owned() } else { format!("{scope}:{id}") }
}

impl Link {
    /// Reads a link and its id: a list of the id, the two ends and the type; an object in newer versions.
    fn read(link: &Json) -> Option<(i64, Self)> {
        let at = |index: usize, name: &str| link.get(index).or_else(|| link.get(name)).cloned();
        let end = |index: usize, node: &str, slot: &str| {
            Some((id(&at(index, node)?), at(index + 1, slot).and_then(|it| it.as_u64()).unwrap_or_default()))
        };
        let from = (id(&at(1, "origin_id")?), at(2, "origin_slot")?.as_u64()?);
        let to = end(3, "target_id", "target_slot").unwrap_or_default();
        Some((at(0, "id")?.as_i64()?, Self { from, ty: at(5, "type").unwrap_or_default(), to }))
    }
}

/// Returns an id, which is a number or a text.
fn id(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

impl<'a> Editor<'a> {
    fn read(json: &'a Json, draft: &mut Draft) -> Self {
        let known = json.get("definitions").into_iter().flat_map(|it| list(it, "subgraphs"));
        let known: HashMap<&str, &Json> =
            known.filter_map(|graph| Some((graph.get("id")?.as_str()?, graph))).collect();
        let mut editor = Self { nodes: IndexMap::new(), links: HashMap::new(), subgraphs: HashMap::new() };
        let mut waiting = vec![(String::new(), json, 0)];
        while let Some((scope, graph, depth)) = waiting.pop() {
            editor.links.extend(
                list(graph, "links").filter_map(Link::read).map(|(id, link)| ((scope.clone(), id), link)),
            );
            for node in list(graph, "nodes") {
                let Some(own) = node.get("id").map(id) else { continue };
                let whole = within(&scope, &own);
                let of = node.get("type").and_then(Json::as_str).and_then(|kind| known.get(kind).copied());
                if let Some(inner) = of.filter(|_| ![MUTED, BYPASSED].contains(&mode(node))) {
                    if depth >= MAX_DEPTH || editor.nodes.len() >= MAX_NODES {
                        let why = "a subgraph that is too deep or too large";
                        if !draft.lost.iter().any(|lost| lost == why) {
                            draft.lost.push(why.to_owned());
                        }
                        continue;
                    }
                    if list(node, "widgets_values").any(|value| !value.is_null()) {
                        draft.lost.push(format!(
                            "the values that the subgraph {whole} shows: those of its nodes are taken, which may be older"
                        ));
                    }
                    editor.subgraphs.insert(whole.clone(), inner);
                    waiting.push((whole.clone(), inner, depth + 1));
                }
                editor.nodes.insert(whole, Placed { node, scope: scope.clone() });
            }
        }
        editor
    }

    /// Follows a link to the node that makes the value: through nodes that only pass it on, into subgraphs and out of them.
    fn origin(&self, scope: &str, link: i64) -> Origin {
        let mut at = (scope.to_owned(), link);
        for _ in 0..MAX_HOPS {
            let Some(Link { from: (from, slot), ty, .. }) = self.links.get(&at) else {
                return Origin::Nothing;
            };
            let scope = &at.0;
            if from == INSIDE {
                match self.entering(scope, *slot) {
                    Some(next) => at = next,
                    None => return Origin::Nothing,
                }
                continue;
            }
            let whole = within(scope, from);
            if self.subgraphs.contains_key(&whole) {
                let ends = |of: &Link| of.to.0 == OUTSIDE && of.to.1 == *slot;
                let inner = self.links.iter().find(|((scope, _), of)| *scope == whole && ends(of));
                match inner {
                    Some((next, _)) => at = next.clone(),
                    None => return Origin::Nothing,
                }
                continue;
            }
            let Some(Placed { node, .. }) = self.nodes.get(&whole) else { return Origin::Nothing };
            let next = match node.get("type").and_then(Json::as_str) {
                Some("PrimitiveNode") => {
                    let value = node.get("widgets_values").and_then(|values| values.get(0)).cloned();
                    return value.map_or(Origin::Nothing, Origin::Value);
                }
                Some("Reroute") => list(node, "inputs").next(),
                _ if mode(node) == MUTED => None,
                _ if mode(node) == BYPASSED => list(node, "inputs")
                    .find(|input| input.get("type") == Some(ty) && !input["link"].is_null()),
                _ => return Origin::Output(whole, *slot),
            };
            match next.and_then(|input| input.get("link")?.as_i64()) {
                Some(next) => at.1 = next,
                None => return Origin::Nothing,
            }
        }
        Origin::Nothing
    }

    /// Returns the link that leads to an input of a subgraph.
    fn entering(&self, of: &str, slot: u64) -> Option<(String, i64)> {
        let name = list(self.subgraphs.get(of)?, "inputs").nth(usize::try_from(slot).ok()?)?.get("name")?;
        let Placed { node, scope } = self.nodes.get(of)?;
        let input = list(node, "inputs").find(|input| input.get("name") == Some(name))?;
        Some((scope.clone(), input.get("link")?.as_i64()?))
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
