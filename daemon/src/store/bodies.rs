//! JSON of values that is too long for a row: it is published before the values reach the writer.

use fanlight_shared::preview;
use fanlight_shared::value::Value;
use indexmap::IndexMap;

use super::StoreError;
use super::blob::{Blobs, INLINE_LIMIT, Published};

/// The JSON of values that is too long for a row, by port.
pub type Bodies = IndexMap<String, Published>;

/// Returns whether the JSON of a value is too long for a row, like that of a long list of files.
pub(crate) fn has_long_body(value: &Value) -> bool {
    let limit = usize::try_from(INLINE_LIMIT).unwrap_or(usize::MAX);
    // JSON writes a byte as six at most.
    value.memory() > limit / 6 && !preview::fits(value, limit)
}

/// Publishes the JSON of the values whose rows should not hold it. Blocks.
///
/// # Errors
/// A full disk.
pub(crate) fn bodies<'a>(
    values: impl Iterator<Item = (&'a String, &'a Value)>,
    blobs: &Blobs,
) -> Result<Bodies, StoreError> {
    let long = values.filter(|(_, value)| has_long_body(value));
    long.map(|(port, value)| Ok((port.clone(), blobs.publish(serde_json::to_vec(value)?)?))).collect()
}
