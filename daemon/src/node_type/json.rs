//! `json.*`: values asked and checked.

#[cfg(feature = "jq")]
mod jq;
#[cfg(feature = "jq")]
mod query;
#[cfg(feature = "json-schema")]
mod validate;

use std::fs::File;
use std::io::Read as _;

use fanlight_shared::value::{Value, cut};

use super::{NodeType, Workspace};
use crate::file_error::FileError;

/// The largest JSON file, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// The types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![
        #[cfg(feature = "jq")]
        query::node_type(),
        #[cfg(feature = "json-schema")]
        validate::node_type(),
    ]
}

/// The value, or what a JSON file holds.
fn content(workspace: &Workspace, value: &Value) -> Result<Value, FileError> {
    let Value::Media(media) = value else {
        return if value.has_media() {
            Err("a value with files in it is no JSON; give a JSON file, or a value without files".into())
        } else {
            Ok(value.clone())
        };
    };
    let name = cut(&media.name, 60);
    if media.bytes > MAX_FILE_BYTES {
        let (has, most) = (media.bytes >> 20, MAX_FILE_BYTES >> 20);
        return Err(format!("`{name}` has {has} MiB; at most {most} MiB of JSON are read").into());
    }
    let mut text = String::new();
    File::open(workspace.path(value)?)
        .and_then(|mut open| open.read_to_string(&mut text))
        .map_err(|error| FileError::of(&format!("`{name}` can't be read"), &error))?;
    Ok(Value::parse_json(text.trim_start_matches('\u{feff}'))
        .map_err(|error| format!("`{name}` is not JSON: {error}"))?)
}
