//! Code nodes, whose inputs and outputs a person has added.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::value::{is_empty, is_media, shown};
use super::{Conversion, Made, Row, key};
use crate::convert::table::{NOT_IN_CODE, TYPES};

/// The limits of their code, which has those of this daemon.
const LIMITS: [&str; 3] = ["code", "timeout", "max_response_mb"];

impl Conversion {
    /// Adds a node with code. Inputs and outputs keep their names, which the code has.
    pub(super) fn code(&mut self, id: &str, row: &Row, inputs: Vec<(String, Made)>) {
        let node = self.graph.nodes[id].clone();
        if inputs.iter().any(|(name, _)| name == "code") {
            return self.skip(id, "its code is a value, and here it is a part of the file");
        }
        let code = node.properties.get("code").and_then(Json::as_str).filter(|code| !code.trim().is_empty());
        let Some(code) = code else { return self.skip(id, "it has no code") };
        let outputs = match self.outputs_of_code(id) {
            Ok(outputs) => outputs,
            Err(why) => return self.skip(id, &why),
        };
        let names = inputs.iter().map(|(name, _)| name).chain(node.dynamic.keys());
        if let Some(name) = names.into_iter().find(|name| key(name) != **name) {
            return self
                .skip(id, &format!("an input can't have the name `{name}` here, and its code has it"));
        }
        for word in NOT_IN_CODE.iter().filter(|word| code.contains(**word)) {
            self.draft.lost.push(format!("`code` of node `{id}` has `{word}`, which is not available here"));
        }
        for (name, value) in &node.properties {
            let is_nothing = is_empty(value) || *value == false;
            if !is_nothing
                && !LIMITS.contains(&name.as_str())
                && name != "dynamic_properties"
                && name != "dynamic_outputs"
            {
                self.draft.lost.push(format!("`{name}` of node `{id}`: {}", shown(value)));
            }
        }
        let mut with = IndexMap::new();
        for (name, value) in &node.dynamic {
            if inputs.iter().any(|(input, _)| input == name) {
                continue;
            }
            if is_media(value) {
                self.draft.lost.push(format!("`{name}` of node `{id}`: {}", shown(value)));
            } else {
                with.insert(name.clone(), self.literal(id, name, value));
            }
        }
        for (name, _) in &inputs {
            with.insert(name.clone(), format!("\0{name}").into());
        }
        with.insert("code".to_owned(), self.literal(id, "code", &code.into()));
        let (name, stream) = self.add(id, row, inputs, with);
        for output in outputs.keys() {
            let made = Made { expression: format!("{name}.{output}"), stream: stream.clone() };
            self.makes(id, output, made);
        }
        if let Some(node) = self.draft.nodes.get_mut(&name) {
            node.outputs = outputs;
        }
    }

    /// Returns the outputs of a node with code, by their types: those that it declares, and those that others read.
    fn outputs_of_code(&self, id: &str) -> Result<IndexMap<String, String>, String> {
        let mut outputs = IndexMap::new();
        for (name, declared) in &self.graph.nodes[id].outputs {
            let theirs = declared.get("type").and_then(Json::as_str).unwrap_or("any");
            let ours = TYPES.iter().find(|(known, _)| *known == theirs).map(|(_, ours)| *ours);
            let ours = ours.ok_or_else(|| {
                format!("its output `{name}` is of the type `{theirs}`, which code can't make here")
            })?;
            outputs.insert(name.clone(), ours.to_owned());
        }
        for name in self.graph.outputs_of(id) {
            outputs.entry(name).or_insert_with(|| "any".to_owned());
        }
        if let Some(name) = outputs.keys().find(|name| key(name) != **name) {
            return Err(format!("an output can't have the name `{name}` here, and its code has it"));
        }
        Ok(outputs)
    }
}
