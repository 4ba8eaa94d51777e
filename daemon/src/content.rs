//! Large values: they are stored before the engine sees them, so that it only holds handles, and read again when their
//! content is needed.

mod text;
mod write;

use std::sync::Arc;

use fanlight_shared::expression::{Content, Load};
use fanlight_shared::item::ItemPath;
use fanlight_shared::large::Large;
use fanlight_shared::node_type::NodeTypeSpec;
use fanlight_shared::value::{Value, Values};
use tokio_util::sync::CancellationToken;

use crate::file_error::FileError;
use crate::store::StoreError;
use crate::store::blob::{Blobs, Published};

pub use text::TextOutput;
pub(crate) use write::{copy, write_json};

/// The most memory of a node's value in bytes; a larger one becomes a handle.
pub(crate) const LIMIT: usize = 64 << 10;
/// The same for an item. It is lower, because a list holds the values of all items.
const ITEM_LIMIT: usize = 4 << 10;

/// Returns the size above which a value of this instance becomes a handle, in bytes.
pub(crate) fn limit(item: ItemPath) -> usize {
    if item.is_whole() { LIMIT } else { ITEM_LIMIT }
}

/// Returns whether a value is too long to be held in memory. Media isn't: it is already a handle.
pub(crate) fn is_long(value: &Value, limit: usize) -> bool {
    !matches!(value, Value::Large(_)) && value.memory() > limit && !value.has_media()
}

/// Returns a value as the bytes of its asset: a text as it is, any other value as JSON.
///
/// # Errors
/// It can't be serialised.
pub(crate) fn written(value: &Value) -> Result<Vec<u8>, serde_json::Error> {
    match value {
        Value::Text(text) => Ok(text.clone().into_bytes()),
        other => serde_json::to_vec(&other.to_json()),
    }
}

/// Stores values longer than `limit` and replaces them by handles. Blocks.
///
/// # Errors
/// The disk is full.
pub(crate) fn store(
    values: &Values,
    limit: usize,
    blobs: &Blobs,
) -> Result<(Values, Vec<Published>), StoreError> {
    let (mut handles, mut published) = (Values::new(), Vec::new());
    for (name, value) in values.iter().filter(|(_, value)| is_long(value, limit)) {
        let (handle, blob) = stored(value, blobs)?;
        handles.insert(name.clone(), handle);
        published.push(blob);
    }
    Ok((handles, published))
}

/// Does blocking work with the blob store, repeating it while the disk is full.
///
/// # Errors
/// The error of the work; [`FileError::Full`] only after a cancel, which ends the wait.
pub(crate) async fn with_space<T: Send + 'static, E: Into<FileError>>(
    blobs: &Blobs,
    cancel: &CancellationToken,
    work: impl Fn(&Blobs) -> Result<T, E> + Send + Sync + 'static,
) -> Result<T, FileError> {
    let work = Arc::new(work);
    let again = || {
        let (work, blobs) = (Arc::clone(&work), blobs.clone());
        let working = tokio::task::spawn_blocking(move || work(&blobs).map_err(Into::into));
        async { working.await.unwrap_or_else(|error| Err(format!("the work was aborted: {error}").into())) }
    };
    blobs.space().retry(cancel, again).await
}

/// Stores the whole content of a value, including the content of large values in it. Blocks.
///
/// # Errors
/// The disk is full, or content is gone or was never complete.
pub(crate) fn stored(value: &Value, blobs: &Blobs) -> Result<(Value, Published), StoreError> {
    let mut sink = blobs.sink();
    let media = value.has_media();
    match value {
        Value::Text(text) => write::all(&mut sink, text.as_bytes(), blobs)?,
        value if media => write::all(&mut sink, &serde_json::to_vec(value)?, blobs)?,
        value => write_json(value, blobs, &mut sink)?,
    }
    let head = head(sink.head());
    let published = sink.finish()?;
    let large = Large {
        ty: value.type_of(),
        hash: published.hash,
        bytes: published.bytes,
        head,
        media,
        cut: false,
        masked: false,
        not_utf8: false,
    };
    Ok((Value::from(large), published))
}

/// Copies the files of the user that a value refers to into the store, so that the value outlasts them. Returns it without
/// the references. Blocks.
///
/// # Errors
/// A file is not what it was, a full disk.
pub(crate) fn with_copies(value: &Value, blobs: &Blobs) -> Result<(Value, Vec<Published>), StoreError> {
    let (mut value, mut published) = (value.clone(), Vec::new());
    value.change_media(&mut |media| {
        if let Some(source) = media.source.take() {
            published.push(blobs.copy_source(media, &source)?);
        }
        Ok::<_, StoreError>(())
    })?;
    Ok((value, published))
}

fn head(bytes: &[u8]) -> String {
    let end = bytes.len().min(fanlight_shared::large::HEAD_BYTES);
    Large::head_of(String::from_utf8_lossy(&bytes[..end]).trim_end_matches(char::REPLACEMENT_CHARACTER))
}

/// Reads large values for expressions.
pub(crate) struct Loader(pub(crate) Blobs);

impl Load for Loader {
    fn load(&self, large: &Large) -> Result<Vec<u8>, String> {
        self.0.read(large.hash).map_err(|error| error.to_string())
    }
}

/// Returns values with the content of all large ones in them. Blocks.
///
/// # Errors
/// A sentence that begins with the name: content is too large to be read at once, is gone, or was never complete.
pub(crate) fn whole(values: Values, blobs: &Blobs) -> Result<Values, String> {
    let content = Content::new(Some(Arc::new(Loader(blobs.clone()))));
    let read = |(name, value)| {
        let value = content.resolve(value).map_err(|error| format!("`{name}`: {error}"))?;
        Ok((name, value))
    };
    values.into_iter().map(read).collect()
}

/// Returns whether the content of a node's inputs must be read first. `handles`: the node passes values on without
/// looking into them, except for the lists and objects that it declares.
pub(crate) fn needs_reading(inputs: &Values, spec: &NodeTypeSpec, handles: bool) -> bool {
    inputs.iter().any(|(name, value)| match value {
        Value::Large(large) => !handles || is_parsed(large, name, spec),
        value => !handles && value.has_large(),
    })
}

fn is_parsed(large: &Large, name: &str, spec: &NodeTypeSpec) -> bool {
    !large.is_text() && spec.inputs.contains_key(name)
}

/// Returns the inputs with their content, converted and checked again. Blocks.
///
/// # Errors
/// A sentence: the inputs exceed what one node may read, or content is gone or was never complete.
pub(crate) fn read_inputs(
    inputs: Values,
    spec: &NodeTypeSpec,
    handles: bool,
    blobs: &Blobs,
) -> Result<Values, String> {
    if !needs_reading(&inputs, spec, handles) {
        return Ok(inputs);
    }
    let content = Content::new(Some(Arc::new(Loader(blobs.clone()))));
    let read = |name: String, value: Value| {
        let value = match value {
            value if !handles => content.resolve(value)?,
            Value::Large(large) if is_parsed(&large, &name, spec) => content.resolve(Value::Large(large))?,
            value => value,
        };
        let value = match spec.inputs.get(&name) {
            Some(input) => input.check(value)?,
            None => value,
        };
        Ok((name, value))
    };
    inputs
        .into_iter()
        .map(|(name, value)| {
            read(name.clone(), value).map_err(|error: String| format!("input `{name}`: {error}"))
        })
        .collect()
}

/// Checks that values don't exceed the bound of their node type.
///
/// # Errors
/// A sentence with both numbers.
pub(crate) fn check_bound(values: Values, spec: &NodeTypeSpec) -> Result<Values, String> {
    let made = values.values().fold(0_u64, |sum, value| sum.saturating_add(value.content_bytes()));
    if made > spec.max_bytes {
        return Err(too_large(spec.max_bytes));
    }
    Ok(values)
}

/// Returns the message for a node that exceeds its bound.
pub(crate) fn too_large(most: u64) -> String {
    format!("it makes more than {} MiB of values; write larger data to files, with a command", most >> 20)
}

#[cfg(test)]
mod tests;
