//! What a plugin says of its node types, and the types that Fanlight makes of it.

use fanlight_shared::node_type::{Effects, InputSpec, NodeTypeSpec, OutputSpec, Place};
use fanlight_shared::sanitise;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, cut};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::manifest::Manifest;
use crate::executor::PLUGINS;
use crate::node_type::{NodeType, Runner};

/// The most node types of a plugin.
const MAX_TYPES: usize = 256;
/// The most ports of a node type.
const MAX_PORTS: usize = 100;
/// The maximum total size of the values of one attempt, in bytes.
const MAX_BYTES: u64 = 16 << 20;

/// The result of `describe`. Unknown fields are ignored.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Described {
    node_types: Vec<DescribedType>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct DescribedType {
    name: String,
    summary: String,
    #[serde(default = "one")]
    version: u32,
    #[serde(default)]
    effects: Effects,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pool: Option<String>,
    #[serde(default)]
    inputs: IndexMap<String, DescribedInput>,
    outputs: IndexMap<String, OutputSpec>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct DescribedInput {
    #[serde(rename = "type")]
    ty: Type,
    summary: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    default: Option<Json>,
    #[serde(default)]
    optional: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max: Option<f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    choices: Vec<String>,
    #[serde(default)]
    secret: bool,
}

fn one() -> u32 {
    1
}

impl Described {
    /// Reads the result of `describe`.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn read(result: Json) -> Result<Self, String> {
        serde_json::from_value(result)
            .map_err(|error| format!("its description can't be read: {}", sanitise::line(&error.to_string())))
    }

    /// Returns the names of the types.
    pub(super) fn names(&self) -> Vec<String> {
        self.node_types.iter().map(|it| it.name.clone()).collect()
    }

    /// Returns one node type of a plugin with this manifest, if it is described.
    pub(super) fn node_type(&self, name: &str, manifest: &Manifest) -> Option<NodeType> {
        self.node_types.iter().find(|it| it.name == name)?.node_type(manifest).ok()
    }

    /// Returns the node types of a plugin with this manifest. The registry checks them further.
    ///
    /// # Errors
    /// A sentence that names the type.
    pub(super) fn node_types(&self, manifest: &Manifest) -> Result<Vec<NodeType>, String> {
        if self.node_types.is_empty() {
            return Err("it describes no node type".into());
        }
        if self.node_types.len() > MAX_TYPES {
            return Err(format!("it describes more than {MAX_TYPES} node types"));
        }
        self.node_types.iter().map(|it| it.node_type(manifest)).collect()
    }
}

impl DescribedType {
    fn node_type(&self, manifest: &Manifest) -> Result<NodeType, String> {
        let shown = cut(&sanitise::line(&self.name), 60);
        let family = &manifest.name;
        if self.name.strip_prefix(family.as_str()).is_none_or(|rest| !rest.starts_with('.')) {
            return Err(format!("the node type `{shown}` must have a name that begins with `{family}.`"));
        }
        if self.inputs.len() > MAX_PORTS || self.outputs.len() > MAX_PORTS {
            return Err(format!("the node type `{shown}` has more than {MAX_PORTS} inputs or outputs"));
        }
        let inputs = self.inputs.iter().map(|(name, input)| (name.clone(), input.spec()));
        let spec = NodeTypeSpec {
            name: self.name.clone(),
            summary: self.summary.clone(),
            version: self.version,
            effects: self.effects,
            // Its program may change without a new version of the type.
            remember: false,
            place: Place::Executor,
            source: false,
            max_bytes: MAX_BYTES,
            inputs: inputs.collect(),
            more_inputs: false,
            outputs: self.outputs.clone(),
            declared_outputs: None,
        };
        let run = Runner::Executor {
            name: PLUGINS.to_owned(),
            pool: self.pool.clone(),
            at_once: Some((format!("plugin:{family}"), manifest.at_once())),
        };
        Ok(NodeType::new(spec, run))
    }
}

impl DescribedInput {
    fn spec(&self) -> InputSpec {
        let default = self.default.clone().map(|json| {
            let value = Value::from_json(json);
            // What does not fit is refused by the registry, with the name of the input.
            value.clone().convert(&self.ty).unwrap_or(value)
        });
        InputSpec {
            ty: self.ty.clone(),
            summary: self.summary.clone(),
            default,
            optional: self.optional,
            min: self.min,
            max: self.max,
            choices: self.choices.clone(),
            code: None,
            secret: self.secret,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::node_type::NodeTypes;

    fn manifest() -> Manifest {
        let text = "name = \"clip\"\nversion = \"1\"\nprotocol = 1\ncommand = [\"true\"]\nprocesses = 2\nconcurrent = 3";
        toml::from_str(text).unwrap()
    }

    fn types(described: Json) -> Result<Vec<NodeType>, String> {
        Described::read(described)?.node_types(&manifest())
    }

    #[test]
    fn a_described_type_becomes_a_node_type() {
        let types = types(json!({ "node_types": [{
            "name": "clip.score", "summary": "Scores.", "later": true,
            "inputs": {
                "weight": { "type": "float", "summary": "The weight.", "default": 1, "min": 0 },
                "key": { "type": "text", "summary": "The key.", "optional": true, "secret": true },
            },
            "outputs": { "score": { "type": "float", "summary": "The score." } },
        }] }))
        .unwrap();
        let spec = &types[0].spec;
        assert_eq!((spec.effects, spec.version, spec.place), (Effects::External, 1, Place::Executor));
        assert_eq!(spec.inputs["weight"].default, Some(Value::Float(1.0)));
        assert!(spec.inputs["key"].secret && !spec.inputs["key"].required());
        let Runner::Executor { at_once, .. } = &types[0].run else { panic!() };
        assert_eq!(at_once, &Some(("plugin:clip".to_owned(), 6)));
        NodeTypes::built_in().add(types).unwrap();
    }

    #[test]
    fn a_bad_description_is_refused() {
        let one = |name: &str| json!({ "node_types": [{ "name": name, "summary": "S.", "outputs": {} }] });
        for (described, expected) in [
            (json!({}), "missing field `node_types`"),
            (json!({ "node_types": [] }), "no node type"),
            (one("text.join"), "begins with `clip.`"),
            (one("clipper.join"), "begins with `clip.`"),
            (
                json!({ "node_types": [{ "name": "clip.a", "summary": "S.", "outputs": { "a": { "type": "str", "summary": "A." } } }] }),
                "`str` is not a type",
            ),
        ] {
            let error = types(described).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
