//! Lines of JSON from an archive.

use std::io::{BufRead, BufReader, Read};

use serde::de::DeserializeOwned;

use super::refused::Refused;

/// The longest line, in bytes.
const MAX_LINE: u64 = 32 << 20;

/// Calls `take` with each line and the record in it.
///
/// # Errors
/// The archive can't be read, a line is too long or is not such a record; the error of `take`.
pub(super) fn each<T: DeserializeOwned>(
    name: &str,
    from: impl Read,
    mut take: impl FnMut(&[u8], T) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let mut lines = BufReader::with_capacity(64 << 10, from);
    let mut line = Vec::new();
    let mut number = 0_u64;
    loop {
        line.clear();
        if (&mut lines).take(MAX_LINE).read_until(b'\n', &mut line).map_err(Refused::read)? == 0 {
            return Ok(());
        }
        number += 1;
        if line.last() != Some(&b'\n') {
            let what = if line.len() as u64 == MAX_LINE { "is too long" } else { "is cut off" };
            return Err(Refused::Archive(format!("is damaged: line {number} of `{name}` {what}")));
        }
        let record = serde_json::from_slice(&line).map_err(|error| {
            Refused::Archive(format!("is damaged: line {number} of `{name}` can't be read: {error}"))
        })?;
        take(&line, record)?;
    }
}
