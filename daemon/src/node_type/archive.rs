//! `archive.*`: files packed into one file.

mod path;
mod unzip;
mod zip;

use std::io::{self, Read};

use super::NodeType;
use crate::file_error::FileError;

/// The most files of an archive.
const MAX_FILES: usize = 10_000;
/// The most bytes of all files together.
const MAX_BYTES: u64 = 2 << 30;

/// Returns the types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![zip::node_type(), unzip::node_type()]
}

/// Reads everything, chunk by chunk.
///
/// # Errors
/// `unreadable` of an error of the reader, or an error of `take`.
fn each_chunk(
    from: &mut dyn Read,
    unreadable: &dyn Fn(&io::Error) -> FileError,
    take: &mut dyn FnMut(&[u8]) -> Result<(), FileError>,
) -> Result<(), FileError> {
    let mut buffer = vec![0; 64 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(read) => take(&buffer[..read])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(&error)),
        }
    }
}

#[cfg(test)]
mod tests;
