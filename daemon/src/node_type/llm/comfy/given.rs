//! The inputs of the node: the graph, the fields that are set, and the nodes whose files are taken.

use fanlight_shared::media::Media;
use fanlight_shared::value::{Value, Values};
use serde_json::Value as Json;

use crate::comfy::Graph;
use crate::file_error::FileError;
use crate::node_type::NodeCall;
use crate::node_type::typed_inputs::TypedInputs as _;

/// The longest graph, in bytes.
const MAX_GRAPH_BYTES: u64 = 8 << 20;

/// A field and its value.
pub(super) type Field = (String, Value);

/// Reads the graph.
pub(super) async fn graph(call: &NodeCall) -> Result<Graph, FileError> {
    let json = match call.inputs.value("graph")? {
        Value::Text(text) => parse(text)?,
        Value::Media(media) => {
            let (media, blobs) = ((**media).clone(), call.blobs.clone());
            let read = move || {
                if media.bytes > MAX_GRAPH_BYTES {
                    return Err(format!(
                        "input `graph`: the file has more than {} MiB",
                        MAX_GRAPH_BYTES >> 20
                    )
                    .into());
                }
                let mut reader = blobs.open_media(&media).map_err(|error| error.to_string())?;
                Ok(reader.next(MAX_GRAPH_BYTES).map_err(|error| error.to_string())?)
            };
            let bytes = call.services.blocking(read).await?;
            parse(&String::from_utf8(bytes).map_err(|_| "input `graph`: the file is not UTF-8 text")?)?
        }
        value if value.has_media() => return Err("input `graph`: set files with `set`".into()),
        value => value.to_json(),
    };
    Ok(Graph::read(json).map_err(|why| format!("input `graph`: {why}"))?)
}

fn parse(text: &str) -> Result<Json, String> {
    fanlight_shared::value::json::parse(text).map_err(|error| format!("input `graph` is not JSON: {error}"))
}

/// Reads the fields that are set.
pub(super) fn fields(inputs: &Values) -> Result<Vec<Field>, String> {
    let fields = match inputs.maybe("set") {
        None => return Ok(Vec::new()),
        Some(Value::Object(fields)) => fields,
        Some(other) => {
            return Err(format!(
                "input `set`: expected an object such as `{{3.seed: 7}}`, got {}",
                other.type_of()
            ));
        }
    };
    let field = |(name, value): (&String, &Value)| {
        let is_file = matches!(value, Value::Media(_));
        if value.has_media() && !is_file {
            return Err(format!("input `set`: `{name}` is a list of files, and a field takes one"));
        }
        Ok((name.clone(), value.clone()))
    };
    fields.iter().map(field).collect()
}

/// Reads the nodes whose files are taken.
pub(super) fn take(inputs: &Values, graph: &Graph) -> Result<Option<Vec<String>>, String> {
    let Some(list) = inputs.maybe("take") else { return Ok(None) };
    let ids = super::super::texts_of(list, "take")?;
    match ids.iter().find(|id| graph.class(id).is_none()) {
        Some(id) => Err(format!("input `take`: the graph has no node `{id}`")),
        None => Ok(Some(ids)),
    }
}

/// Sets the fields. `file` returns what the graph has in place of a file.
pub(super) fn set(
    graph: &mut Graph,
    fields: Vec<Field>,
    file: impl Fn(&Media) -> Result<Json, String>,
) -> Result<(), String> {
    for (field, value) in fields {
        let json = match &value {
            Value::Media(media) => file(media)?,
            value => value.to_json(),
        };
        graph.set(&field, json).map_err(|why| format!("input `set`: {why}"))?;
    }
    Ok(())
}
