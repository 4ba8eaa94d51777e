//! `json.*`: values queried and checked.

#[cfg(feature = "jq")]
mod jq;
#[cfg(feature = "jq")]
mod query;
#[cfg(feature = "json-schema")]
mod validate;

use fanlight_shared::value::{Value, cut};

use super::{NodeType, Workspace};
use crate::file_error::FileError;

/// The largest JSON file, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// Returns the types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![
        #[cfg(feature = "jq")]
        query::node_type(),
        #[cfg(feature = "json-schema")]
        validate::node_type(),
    ]
}

/// Returns the value, or the content of a JSON file.
fn content(workspace: &Workspace, value: &Value) -> Result<Value, FileError> {
    let Value::Media(media) = value else {
        return if value.has_media() {
            Err("a value that contains files is not JSON; pass a JSON file, or a value without files".into())
        } else {
            Ok(value.clone())
        };
    };
    let name = cut(&media.name, 60);
    let text = String::from_utf8(workspace.read(value, MAX_FILE_BYTES)?)
        .map_err(|_| format!("`{name}` is not JSON: it is not UTF-8"))?;
    Ok(Value::parse_json(text.trim_start_matches('\u{feff}'))
        .map_err(|error| format!("`{name}` is not JSON: {error}"))?)
}
