//! Workflows of NodeTool. A value that a node sends item by item makes its readers run for each item; a node that collects
//! them has the list.

mod code;
mod graph;
mod param;
mod value;

use std::collections::HashMap;

use fanlight_shared::expression::template_variables;
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::draft::{Draft, Node, Param};
use super::table::{IGNORED, Kind, NODETOOL, PROVIDERS, Row, STREAMS};
use graph::{Edge, Graph};
use value::{is_empty, is_media, note, shown};

/// A value that a converted node makes.
#[derive(Clone, Debug)]
struct Made {
    /// The expression with the value; with the list of all items if it is sent item by item.
    expression: String,
    /// The node that began to send items.
    stream: Option<String>,
}

struct Conversion {
    graph: Graph,
    draft: Draft,
    /// What nodes make, by their id and output.
    made: HashMap<(String, String), Made>,
    /// The nodes that are left out.
    skipped: Vec<String>,
}

/// Converts a workflow.
pub(super) fn convert(whole: &Json, graph: &Json, name: &str) -> Draft {
    let text = |field: &str| whole.get(field).and_then(Json::as_str).unwrap_or_default().to_owned();
    let draft = Draft {
        name: Some(text("name")).filter(|name| !name.is_empty()).unwrap_or_else(|| name.to_owned()),
        description: text("description"),
        ..Draft::default()
    };
    let mut conversion =
        Conversion { graph: Graph::read(graph), draft, made: HashMap::new(), skipped: Vec::new() };
    for id in conversion.graph.in_order() {
        conversion.node(&id);
    }
    conversion.draft
}

impl Conversion {
    fn node(&mut self, id: &str) {
        let Some(node) = self.graph.nodes.get(id).cloned() else { return };
        if let Some(group) = self.group(&node) {
            return self.skip(id, &group);
        }
        if node.is_bypassed {
            return self.bypass(id, &node.kind);
        }
        let Some(row) = row(&node.kind) else {
            return self.skip(id, "there is no such node type here");
        };
        let missing =
            self.graph.edges_of(id).map(|edge| &edge.source).find(|it| self.skipped.contains(it)).cloned();
        if let Some(missing) = missing {
            return self.skip(id, &format!("it reads `{missing}`, which is left out"));
        }
        let inputs = match self.inputs(id) {
            Ok(inputs) => inputs,
            Err(why) => return self.skip(id, &why),
        };
        match row.kind {
            Kind::Nothing => {}
            Kind::Note => {
                let text = node.properties.get("comment").map(note).unwrap_or_default();
                self.draft.notes.extend(Some(text).filter(|text| !text.is_empty()));
            }
            Kind::Param(ty) => self.param(id, ty),
            Kind::Output => self.output(id, &inputs),
            Kind::Same => self.same(id, &inputs),
            Kind::Items => match inputs.into_iter().find(|(name, _)| name == "input_list") {
                Some((_, Made { expression, stream: None })) => {
                    let made = Made { expression, stream: Some(id.to_owned()) };
                    self.makes(id, "output", made);
                }
                Some(_) => self.skip(id, "it sends the items of several lists"),
                None => self.skip(id, "its list is not connected"),
            },
            Kind::Collect => match inputs.into_iter().find(|(name, _)| name == "input_item") {
                Some((_, Made { expression, stream: Some(_) })) => {
                    self.makes(id, "output", Made { expression: expression.clone(), stream: None });
                    self.makes(id, "list", Made { expression, stream: None });
                }
                _ => self.skip(id, "it collects items that are not sent one by one"),
            },
            Kind::Template => self.template(id, row, inputs),
            Kind::List(port) => {
                let items = inputs.iter().map(|(name, _)| Json::from(format!("\u{0}{name}"))).collect();
                self.add(id, row, inputs, [(port.to_owned(), Json::Array(items))].into());
            }
            Kind::If => {
                let cases = IndexMap::from([("cases".to_owned(), Json::from(vec![true]))]);
                self.add(id, &Row { kind: Kind::Node, ..*row }, inputs, cases);
            }
            Kind::Code => self.code(id, row, inputs),
            Kind::Node => drop(self.add(id, row, inputs, IndexMap::new())),
        }
    }

    /// Returns why a node can't be converted because of the groups that it is in. Those that only arrange the picture
    /// don't matter.
    fn group(&self, node: &graph::Node) -> Option<String> {
        let mut parent = node.parent.as_ref();
        // A file may say that a group is in itself.
        for _ in 0..self.graph.nodes.len() {
            let id = parent?;
            let Some(group) = self.graph.nodes.get(id) else {
                return Some(format!("it is in the group `{id}`, which the file lacks"));
            };
            if row(&group.kind).is_none_or(|row| row.kind != Kind::Nothing) {
                return Some(format!(
                    "it is in the group `{id}` ({}), which runs it in its own way",
                    group.kind
                ));
            }
            parent = group.parent.as_ref();
        }
        None
    }

    /// Leaves out a bypassed node: its readers take its input instead. NodeTool chooses the input by types, which the file
    /// does not have, so it is clear only if an input has the name of the output, or if there is a single one.
    fn bypass(&mut self, id: &str, kind: &str) {
        let inputs = self.inputs(id).unwrap_or_default();
        for output in self.graph.outputs_of(id) {
            let same = inputs.iter().find(|(input, _)| *input == output);
            let made = same.or(if let [one] = &*inputs { Some(one) } else { None });
            if let Some((_, made)) = made {
                self.makes(id, &output, made.clone());
            }
        }
        self.draft
            .lost
            .push(format!("node `{id}` ({kind}): it is bypassed, so that its readers take its input"));
    }

    fn skip(&mut self, id: &str, why: &str) {
        let kind = self.graph.nodes.get(id).map(|node| node.kind.clone()).unwrap_or_default();
        self.draft.lost.push(format!("node `{id}` ({kind}): {why}"));
        self.skipped.push(id.to_owned());
    }

    fn makes(&mut self, id: &str, output: &str, made: Made) {
        self.made.insert((id.to_owned(), output.to_owned()), made);
    }

    /// Returns what the inputs of a node read.
    fn inputs(&mut self, id: &str) -> Result<Vec<(String, Made)>, String> {
        let edges: Vec<Edge> = self.graph.edges_of(id).cloned().collect();
        let mut inputs = Vec::new();
        for Edge { source, output, input, is_control, .. } in edges {
            let lost = format!("the edge from `{source}` ({output}) to `{id}` ({input})");
            if is_control {
                self.draft.lost.push(format!("{lost}: it controls and carries no value"));
                continue;
            }
            match self.made.get(&(source.clone(), output.clone())) {
                Some(made) => inputs.push((input, made.clone())),
                None => self.draft.lost.push(format!("{lost}: there is no such output")),
            }
        }
        let mut streams: Vec<&String> = inputs.iter().filter_map(|(_, made)| made.stream.as_ref()).collect();
        streams.dedup();
        if streams.iter().any(|stream| *stream != streams[0]) {
            return Err("it joins items of several nodes".to_owned());
        }
        Ok(inputs)
    }

    fn output(&mut self, id: &str, inputs: &[(String, Made)]) {
        let node = &self.graph.nodes[id];
        let name = node.properties.get("name").and_then(Json::as_str).filter(|name| !name.is_empty());
        let name = name.map_or_else(
            || if node.title.is_empty() { "preview".to_owned() } else { node.title.clone() },
            str::to_owned,
        );
        match inputs.iter().find(|(input, _)| input == "value") {
            Some((_, made)) => self.draft.output(&name, made.expression.clone()),
            None => self.draft.lost.push(format!("output `{name}`: nothing is connected to it")),
        }
    }

    fn same(&mut self, id: &str, inputs: &[(String, Made)]) {
        match inputs.first() {
            Some((_, made)) => {
                for output in ["output", "value"] {
                    self.makes(id, output, made.clone());
                }
            }
            None => self.skip(id, "nothing is connected to it"),
        }
    }

    /// Adds a template with its variables.
    fn template(&mut self, id: &str, row: &Row, inputs: Vec<(String, Made)>) {
        let node = self.graph.nodes[id].clone();
        let is_template = |name: &str| row.inputs.iter().any(|(theirs, _)| *theirs == name);
        if inputs.iter().any(|(name, _)| is_template(name)) {
            return self.skip(id, "its template is a value, and here it is a part of the file");
        }
        let template = row.inputs.iter().find_map(|(theirs, _)| node.properties.get(*theirs)?.as_str());
        let Some(template) = template else { return self.skip(id, "it has no template") };
        let variables = match template_variables(template) {
            Ok(variables) => variables,
            Err(why) => return self.skip(id, &format!("its template can't be filled here: {why}")),
        };
        let mut with =
            IndexMap::from([("template".to_owned(), self.literal(id, "template", &template.into()))]);
        for name in &variables {
            if inputs.iter().any(|(input, _)| input == name) {
                with.insert(name.clone(), format!("\u{0}{name}").into());
            } else {
                let value = node.dynamic.get(name).map(|value| self.literal(id, name, value));
                let value = value.unwrap_or_else(|| {
                    self.draft.lost.push(format!(
                        "input `{name}` of the template `{id}`: it has no value, and is empty"
                    ));
                    "".into()
                });
                with.insert(name.clone(), value);
            }
        }
        let inputs = inputs.into_iter().filter(|(name, _)| variables.contains(name)).collect();
        self.add(id, &Row { inputs: &[], ..*row }, inputs, with);
    }

    /// Returns a value of their file as one that an input has here: neither an expression nor the name of an input.
    fn literal(&mut self, id: &str, input: &str, value: &Json) -> Json {
        let mut value = value.clone();
        self.draft.clean(&format!("`{input}` of node `{id}`"), &mut value);
        value
    }

    /// Adds a node. In `with`, a text that begins with NUL is the name of an input. Returns its name, and what its items come
    /// from, if it runs for each.
    fn add(
        &mut self,
        id: &str,
        row: &Row,
        inputs: Vec<(String, Made)>,
        mut with: IndexMap<String, Json>,
    ) -> (String, Option<String>) {
        let node = self.graph.nodes[id].clone();
        let ready: Vec<String> = with.values().flat_map(names).map(str::to_owned).collect();
        for (name, _) in inputs.clone() {
            match row.inputs.iter().find(|(theirs, _)| *theirs == name) {
                Some((_, ours)) => drop(with.insert((*ours).to_owned(), format!("\u{0}{name}").into())),
                None if ready.contains(&name) => {}
                None => self.draft.lost.push(format!("input `{name}` of node `{id}`, which is connected")),
            }
        }
        if row.kind == Kind::Node {
            for (theirs, value) in &node.properties {
                let ours = row.inputs.iter().find(|(name, _)| name == theirs).map(|(_, ours)| *ours);
                match ours {
                    Some(ours) if with.contains_key(ours) => {}
                    // It is required here, and a text may be empty.
                    Some(ours @ ("prompt" | "text")) if value == "" => {
                        drop(with.insert(ours.to_owned(), "".into()))
                    }
                    _ if is_empty(value) || IGNORED.contains(&theirs.as_str()) => {}
                    Some(ours) if !is_media(value) => {
                        drop(with.insert(ours.to_owned(), self.literal(id, ours, value)))
                    }
                    _ => self.draft.lost.push(format!("`{theirs}` of node `{id}`: {}", shown(value))),
                }
            }
        }
        for (name, value) in row.fixed {
            with.insert((*name).to_owned(), (*value).into());
        }
        if let Some(model) = row.model {
            self.model(id, model, node.properties.get("model"), &mut with);
        }
        let streams: Vec<&(String, Made)> = inputs.iter().filter(|(_, made)| made.stream.is_some()).collect();
        let each = match streams.as_slice() {
            [] => None,
            [(_, one)] => Some(expression(&one.expression)),
            several => {
                let lists = several.iter().map(|(name, made)| (key(name), expression(&made.expression)));
                Some(Json::Object(lists.collect()))
            }
        };
        let alone = streams.len() == 1;
        let of = |name: &str| {
            let (_, made) = inputs.iter().find(|(input, _)| input == name)?;
            Some(match &made.stream {
                None => expression(&made.expression),
                Some(_) if alone => expression("item"),
                Some(_) => expression(&format!("item.{}", key(name))),
            })
        };
        for (ours, value) in &mut with {
            fill(value, &of);
            // A list of one where NodeTool takes one or several.
            let is_list = ["images", "audio"].contains(&ours.as_str()) && row.uses == "llm.chat";
            if is_list && value.is_string() {
                *value = Json::Array(vec![value.take()]);
            }
        }
        let stream = streams.first().and_then(|(_, made)| made.stream.clone());
        let name = self.draft.node_name(if node.title.is_empty() {
            row.uses.rsplit('.').next().unwrap_or(id)
        } else {
            &node.title
        });
        self.draft
            .nodes
            .insert(name.clone(), Node { uses: row.uses.to_owned(), each, with, ..Node::default() });
        for (theirs, ours) in row.outputs {
            let begins = STREAMS.contains(&(row.uses, *theirs));
            if begins && stream.is_some() {
                continue;
            }
            let stream = if begins { Some(id.to_owned()) } else { stream.clone() };
            self.makes(id, theirs, Made { expression: format!("{name}.{ours}"), stream });
        }
        (name, stream)
    }

    /// Adds the provider and the model: those that the node names, or params.
    fn model(&mut self, id: &str, param: &str, model: Option<&Json>, with: &mut IndexMap<String, Json>) {
        let text =
            |field: &str| model.and_then(|model| model.get(field)).and_then(Json::as_str).unwrap_or_default();
        let (theirs, named) = (text("provider"), text("id"));
        let known = PROVIDERS.iter().find(|(name, _)| *name == theirs.to_lowercase());
        if let (Some((_, ours)), false) = (known, named.is_empty()) {
            with.insert("provider".to_owned(), (*ours).into());
            with.insert("model".to_owned(), self.literal(id, "model", &named.into()));
            return;
        }
        if !["", "empty"].contains(&theirs) {
            self.draft.lost.push(format!("the model of node `{id}`: `{named}` of the provider `{theirs}`"));
        }
        let mut ask = |name: &str, default: &str, description: &str| {
            if !self.draft.params.contains_key(name) {
                let (default, description) = (Some(default.into()), description.to_owned());
                let param = Param { ty: "text".to_owned(), default, description, limits: Vec::new() };
                self.draft.param(name, param);
            }
            expression(&format!("params.{name}"))
        };
        let provider =
            ask("provider", "offline", "Who is asked: a provider of the config; `offline` is a stand-in");
        let model = ask(param, "", "The model; by default the first of the provider's models in the config");
        with.insert("provider".to_owned(), provider);
        with.insert("model".to_owned(), model);
    }
}

fn expression(text: &str) -> Json {
    format!("${{{{ {text} }}}}").into()
}

/// Returns the name of a field of an item.
fn key(name: &str) -> String {
    super::draft::free(name, |_| false)
}

/// Returns the names of inputs in a value.
fn names(value: &Json) -> impl Iterator<Item = &str> {
    let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    items.iter().filter_map(|item| item.as_str()?.strip_prefix('\0'))
}

/// Replaces the names of inputs by what they read.
fn fill(value: &mut Json, of: &impl Fn(&str) -> Option<Json>) {
    if let Json::Array(items) = value {
        return items.iter_mut().for_each(|item| fill(item, of));
    }
    if let Some(made) = value.as_str().and_then(|text| text.strip_prefix('\0')).and_then(of) {
        *value = made;
    }
}

/// Returns how a node type is converted.
fn row(kind: &str) -> Option<&'static Row> {
    let kind = kind.strip_prefix("nodetool.").unwrap_or(kind);
    NODETOOL.iter().find(|row| row.names.contains(&kind))
}

/// The properties of a node.
type Properties = Map<String, Json>;
