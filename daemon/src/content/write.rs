//! Writes values in full, including the content of large ones, one chunk at a time.

use std::io::{self, Write};

use fanlight_shared::large::Large;
use fanlight_shared::value::Value;

use crate::store::StoreError;
use crate::store::blob::Blobs;

/// How much content is read at once, in bytes.
const CHUNK: u64 = 256 << 10;

/// Writes a value as plain JSON.
///
/// # Errors
/// The disk is full, or content is gone or was never complete.
pub(crate) fn write_json(value: &Value, blobs: &Blobs, out: &mut dyn Write) -> Result<(), StoreError> {
    match value {
        Value::Large(large) if large.is_text() => {
            all(out, b"\"", blobs)?;
            pieces(large, blobs, &mut |piece| {
                let json = serde_json::to_string(piece)?;
                all(out, &json.as_bytes()[1..json.len() - 1], blobs)
            })?;
            all(out, b"\"", blobs)
        }
        Value::Large(large) => copy(large, blobs, out),
        Value::List(items) => {
            all(out, b"[", blobs)?;
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    all(out, b",", blobs)?;
                }
                write_json(item, blobs, out)?;
            }
            all(out, b"]", blobs)
        }
        Value::Object(map) => {
            all(out, b"{", blobs)?;
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    all(out, b",", blobs)?;
                }
                all(out, serde_json::to_string(key)?.as_bytes(), blobs)?;
                all(out, b":", blobs)?;
                write_json(value, blobs, out)?;
            }
            all(out, b"}", blobs)
        }
        plain => all(out, plain.to_json().to_string().as_bytes(), blobs),
    }
}

/// Writes the content of a large value as it is.
///
/// # Errors
/// The disk is full, or content is gone or was never complete.
pub(crate) fn copy(large: &Large, blobs: &Blobs, out: &mut dyn Write) -> Result<(), StoreError> {
    large.check_whole().map_err(StoreError::Other)?;
    let mut reader = blobs.open_blob(large.hash)?;
    while reader.left() > 0 {
        all(out, &reader.next(CHUNK)?, blobs)?;
    }
    Ok(())
}

/// Returns the content of a large text in pieces that do not end inside a character.
fn pieces(
    large: &Large,
    blobs: &Blobs,
    each: &mut dyn FnMut(&str) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    large.check_whole().map_err(StoreError::Other)?;
    let damaged = || StoreError::Other("a stored text is damaged".into());
    let mut reader = blobs.open_blob(large.hash)?;
    // The beginning of a character that the previous piece ended in.
    let mut bytes = Vec::new();
    while reader.left() > 0 {
        bytes.extend(reader.next(CHUNK)?);
        let end = match std::str::from_utf8(&bytes) {
            Ok(piece) => piece.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(damaged()),
        };
        each(std::str::from_utf8(&bytes[..end]).map_err(|_| damaged())?)?;
        bytes.drain(..end);
    }
    if bytes.is_empty() { Ok(()) } else { Err(damaged()) }
}

/// Writes bytes, with a separate error for a full disk.
pub(super) fn all(out: &mut dyn Write, bytes: &[u8], blobs: &Blobs) -> Result<(), StoreError> {
    out.write_all(bytes).map_err(|error| match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            StoreError::Full(blobs.temporary_folder())
        }
        _ => StoreError::Other(format!("a value can't be written: {error}")),
    })
}
