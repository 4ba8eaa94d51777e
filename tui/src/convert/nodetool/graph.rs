//! The nodes and edges of a workflow of NodeTool.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::Properties;

/// The graph.
pub(super) struct Graph {
    pub(super) nodes: IndexMap<String, Node>,
    edges: Vec<Edge>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) kind: String,
    pub(super) title: String,
    pub(super) properties: Properties,
    /// The values of inputs that a person added.
    pub(super) dynamic: Properties,
    /// The outputs that a person added, with their types.
    pub(super) outputs: Properties,
    /// Whether its readers take its input instead.
    pub(super) is_bypassed: bool,
    /// The group that it is in.
    pub(super) parent: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) source: String,
    pub(super) output: String,
    target: String,
    pub(super) input: String,
    /// Whether it only says when its target runs.
    pub(super) is_control: bool,
}

impl Graph {
    pub(super) fn read(json: &Json) -> Self {
        let list = |field: &str| json.get(field).and_then(Json::as_array).into_iter().flatten();
        let nodes =
            list("nodes").filter_map(|node| Some((node.get("id")?.as_str()?.to_owned(), Node::read(node))));
        let edge = |edge: &Json| {
            let text = |field: &str| edge.get(field).and_then(Json::as_str).map(str::to_owned);
            let kind = text("edge_type").or_else(|| text("type")).unwrap_or_default();
            let input = text("targetHandle")?;
            let is_control = kind == "control" || input == "__control__";
            Some(Edge {
                source: text("source")?,
                output: text("sourceHandle")?,
                target: text("target")?,
                input,
                is_control,
            })
        };
        Self { nodes: nodes.collect(), edges: list("edges").filter_map(edge).collect() }
    }

    /// Returns the edges into a node.
    pub(super) fn edges_of(&self, id: &str) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.target == id)
    }

    /// Returns the outputs of a node that others read, each once.
    pub(super) fn outputs_of(&self, id: &str) -> Vec<String> {
        let read = self.edges.iter().filter(|edge| edge.source == id && !edge.is_control);
        let mut outputs: Vec<String> = read.map(|edge| edge.output.clone()).collect();
        outputs.sort_unstable();
        outputs.dedup();
        outputs
    }

    /// Returns the nodes, each after those that it reads; those of a circle at the end.
    pub(super) fn in_order(&self) -> Vec<String> {
        let mut order: Vec<String> = Vec::new();
        let mut placed: HashSet<&str> = HashSet::new();
        loop {
            let is_ready = |id: &str| {
                let mut edges = self.edges_of(id).filter(|edge| !edge.is_control);
                edges.all(|edge| {
                    placed.contains(edge.source.as_str()) || !self.nodes.contains_key(&edge.source)
                })
            };
            let ready = self.nodes.keys().filter(|id| !placed.contains(id.as_str()) && is_ready(id));
            let ready: Vec<&String> = ready.collect();
            if ready.is_empty() {
                break;
            }
            order.extend(ready.iter().map(|id| (*id).clone()));
            placed.extend(ready.iter().map(|id| id.as_str()));
        }
        order.extend(self.nodes.keys().filter(|id| !placed.contains(id.as_str())).cloned());
        order
    }
}

impl Node {
    fn read(node: &Json) -> Self {
        let object =
            |of: &Json, field: &str| of.get(field).and_then(Json::as_object).cloned().unwrap_or_default();
        let data = node.get("data").or_else(|| node.get("properties")).cloned().unwrap_or_default();
        // They are beside the properties, or among them in older files.
        let mut dynamic = object(&data, "dynamic_properties");
        dynamic.extend(object(node, "dynamic_properties"));
        let mut outputs = object(&data, "dynamic_outputs");
        outputs.extend(object(node, "dynamic_outputs"));
        let of_ui = |field: &str| node.get("ui_properties").and_then(|ui| ui.get(field));
        let title = of_ui("title").and_then(Json::as_str).unwrap_or_default();
        let parent = node.get("parent_id").and_then(Json::as_str).filter(|id| !id.is_empty());
        Self {
            kind: node.get("type").and_then(Json::as_str).unwrap_or_default().to_owned(),
            title: title.to_owned(),
            properties: data.as_object().cloned().unwrap_or_default(),
            dynamic,
            outputs,
            is_bypassed: of_ui("bypassed").and_then(Json::as_bool).unwrap_or(false),
            parent: parent.map(str::to_owned),
        }
    }
}
