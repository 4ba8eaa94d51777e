//! A graph in ComfyUI's API format: nodes by id, each with its class and its inputs.

use fanlight_shared::problem::near;
use fanlight_shared::sanitise;
use fanlight_shared::value::cut;
use serde_json::{Map, Value as Json};

/// 2^63, from which on an int has no place for a whole number.
const LARGEST_INT: f64 = 9_223_372_036_854_775_808.0;
/// The fields of a request that say who asks and when, but not what is computed.
const BODY: [&str; 5] = ["client_id", "prompt_id", "extra_data", "front", "number"];

/// A graph, in the order of its file.
#[derive(Clone, Debug)]
pub(crate) struct Graph {
    nodes: Map<String, Json>,
}

impl Graph {
    /// Reads a graph.
    ///
    /// # Errors
    /// A sentence: it is not in the API format, or a node reads one that is not there.
    pub(crate) fn read(json: Json) -> Result<Self, String> {
        let Json::Object(mut nodes) = json else {
            return Err("it is not an object of nodes".to_owned());
        };
        // The body of a request, which other tools store. A node with the id `prompt` has a class.
        let is_body = nodes.get("prompt").is_some_and(|it| it.is_object() && !has_class(it));
        if is_body && let Some(Json::Object(prompt)) = nodes.remove("prompt") {
            if let Some(other) = nodes.keys().find(|key| !BODY.contains(&key.as_str())) {
                return Err(format!("the body of a request has `{}`, which is not kept", shown(other)));
            }
            nodes = prompt;
        }
        if nodes.get("nodes").is_some_and(Json::is_array) {
            return Err("it is a workflow of ComfyUI's editor; `fanlight convert` makes a graph of it, and \
                        `Export (API)` in ComfyUI saves one"
                .to_owned());
        }
        if nodes.is_empty() {
            return Err("it has no nodes".to_owned());
        }
        let graph = Self { nodes };
        for (id, node) in &graph.nodes {
            let shown = shown(id);
            if !has_class(node) {
                return Err(format!("node `{shown}` has no `class_type`"));
            }
            let Some(inputs) = node.get("inputs").and_then(Json::as_object) else {
                return Err(format!("node `{shown}` has no `inputs`"));
            };
            for (name, input) in inputs {
                if let Some(from) = link(input).filter(|from| !graph.nodes.contains_key(*from)) {
                    let (name, from) = (self::shown(name), self::shown(from));
                    return Err(format!(
                        "input `{name}` of node `{shown}` reads node `{from}`, which is not there"
                    ));
                }
                exact(input)
                    .map_err(|why| format!("input `{}` of node `{shown}`: {why}", self::shown(name)))?;
            }
        }
        Ok(graph)
    }

    /// Returns it as JSON.
    pub(crate) fn json(&self) -> Json {
        Json::Object(self.nodes.clone())
    }

    /// Returns the ids of its nodes, in order.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &str> {
        self.nodes.keys().map(String::as_str)
    }

    /// Returns the class of a node.
    pub(crate) fn class(&self, id: &str) -> Option<&str> {
        self.nodes.get(id)?.get("class_type")?.as_str()
    }

    /// Returns the inputs of all nodes: the class of the node, the name and the value.
    pub(crate) fn inputs(&self) -> impl Iterator<Item = (&str, &str, &Json)> {
        self.nodes.values().flat_map(|node| {
            let class = node.get("class_type").and_then(Json::as_str).unwrap_or_default();
            let inputs = node.get("inputs").and_then(Json::as_object).into_iter().flatten();
            inputs.map(move |(name, value)| (class, name.as_str(), value))
        })
    }

    /// Sets a field: `3.seed` is the input `seed` of node `3`. ComfyUI ignores inputs that it doesn't know, so that a
    /// mistyped field would change nothing.
    ///
    /// # Errors
    /// A sentence: the graph has no such field.
    pub(crate) fn set(&mut self, field: &str, value: Json) -> Result<(), String> {
        let Some((id, name)) = field.split_once('.') else {
            return Err(format!(
                "`{}` is not a field such as `3.seed`, a node's id and an input",
                shown(field)
            ));
        };
        let hint = |word: &str, known: Vec<&str>| match near(word, known.iter().copied()) {
            Some(near) => format!("did you mean `{}`?", shown(near)),
            None => format!("it has {}", cut(&sanitise::line(&known.join(", ")), 200)),
        };
        if !self.nodes.contains_key(id) {
            let known = self.nodes.keys().map(String::as_str).collect();
            return Err(format!("the graph has no node `{}`; {}", shown(id), hint(id, known)));
        }
        let class = self.class(id).unwrap_or_default().to_owned();
        let inputs = self.nodes.get_mut(id).and_then(|node| node.get_mut("inputs")?.as_object_mut());
        let Some(inputs) = inputs else { return Err(format!("node `{}` has no inputs", shown(id))) };
        exact(&value).map_err(|why| format!("`{}`: {why}", shown(field)))?;
        match inputs.get_mut(name) {
            Some(input) => *input = value,
            None => {
                let known = inputs.keys().map(String::as_str).collect();
                return Err(format!(
                    "node `{}` ({}) has no input `{}`; {}",
                    shown(id),
                    shown(&class),
                    shown(name),
                    hint(name, known)
                ));
            }
        }
        Ok(())
    }
}

/// Refuses whole numbers that are too large for an int: they were rounded when they were read, and would be another seed.
///
/// # Errors
/// A sentence: the number.
fn exact(value: &Json) -> Result<(), String> {
    match value {
        Json::Number(number) if number.is_f64() => match number.as_f64() {
            Some(float) if float.fract() == 0.0 && float.abs() >= LARGEST_INT => {
                Err(format!("{float} is too large to be kept exactly; whole numbers are below 2^63"))
            }
            _ => Ok(()),
        },
        Json::Array(items) => items.iter().try_for_each(exact),
        Json::Object(fields) => fields.values().try_for_each(exact),
        _ => Ok(()),
    }
}

fn has_class(node: &Json) -> bool {
    node.get("class_type").is_some_and(Json::is_string)
}

/// Returns the node that an input reads, if it is a link: the id of a node and the number of its output.
fn link(input: &Json) -> Option<&str> {
    match input.as_array()?.as_slice() {
        [Json::String(id), Json::Number(_)] => Some(id),
        _ => None,
    }
}

fn shown(text: &str) -> String {
    cut(&sanitise::line(text), 80)
}

#[cfg(test)]
mod tests {
    use fanlight_shared::value::Value;
    use serde_json::json;

    use super::*;

    fn graph() -> Graph {
        Graph::read(json!({
            "3": {"class_type": "KSampler", "inputs": {"seed": 1, "model": ["4", 0]}},
            "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd15.safetensors"}},
        }))
        .unwrap()
    }

    #[test]
    fn fields_are_set_by_node_and_name() {
        let mut graph = graph();
        graph.set("3.seed", json!(7)).unwrap();
        assert_eq!(graph.json()["3"]["inputs"]["seed"], 7);
        assert_eq!((graph.class("4"), graph.ids().count()), (Some("CheckpointLoaderSimple"), 2));
    }

    #[test]
    fn a_field_that_is_not_there_is_an_error() {
        for (field, expected) in [
            ("3.sede", "node `3` (KSampler) has no input `sede`; did you mean `seed`?"),
            ("3.cfg", "node `3` (KSampler) has no input `cfg`; it has seed, model"),
            ("9.seed", "the graph has no node `9`; it has 3, 4"),
            ("seed", "`seed` is not a field such as `3.seed`"),
        ] {
            let error = graph().set(field, json!(1)).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn what_is_not_a_graph_for_the_api_is_refused_with_a_reason() {
        for (json, expected) in [
            (json!([]), "it is not an object of nodes"),
            (json!({}), "it has no nodes"),
            (json!({"nodes": [], "links": [], "version": 0.4}), "it is a workflow of ComfyUI's editor"),
            (json!({"3": {"inputs": {}}}), "node `3` has no `class_type`"),
            (json!({"3": {"class_type": "A"}}), "node `3` has no `inputs`"),
            (
                json!({"3": {"class_type": "A", "inputs": {"x": ["9", 0]}}}),
                "input `x` of node `3` reads node `9`",
            ),
        ] {
            let error = Graph::read(json).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn the_body_of_a_request_is_the_graph_in_it() {
        for body in [
            json!({"prompt": graph().json()}),
            json!({"client_id": "c", "prompt": graph().json(), "extra_data": {"extra_pnginfo": {}}}),
        ] {
            assert_eq!(Graph::read(body).unwrap().ids().count(), 2);
        }
        let part = json!({"prompt": graph().json(), "partial_execution_targets": ["4"]});
        assert!(Graph::read(part).unwrap_err().contains("`partial_execution_targets`, which is not kept"));
        let node = json!({"prompt": {"class_type": "A", "inputs": {}}, "client_id": {"class_type": "B", "inputs": {}}});
        assert_eq!(Graph::read(node).unwrap().ids().count(), 2);
    }

    #[test]
    fn whole_numbers_that_were_rounded_are_refused() {
        let seed = Value::Int(i64::MAX).to_json();
        graph().set("3.seed", seed).unwrap();
        graph().set("3.seed", json!(0.5)).unwrap();
        let rounded = Value::from_json(json!(u64::MAX)).to_json();
        let error = graph().set("3.seed", rounded.clone()).unwrap_err();
        assert_eq!(
            error,
            "`3.seed`: 18446744073709552000 is too large to be kept exactly; whole numbers are below 2^63"
        );
        let error = Graph::read(json!({"3": {"class_type": "A", "inputs": {"seed": rounded}}})).unwrap_err();
        assert!(error.starts_with("input `seed` of node `3`: 18446744073709552000 is too large"), "{error}");
    }
}
