//! Runs in an archive, with which they move from one home to another: a tar of records, blobs and logs.
//!
//! The client compresses it: `FILE.tar.zst`. An archive may come from anybody. Only regular files with the names below are taken,
//! of the sizes that the manifest announces, and nothing is visible before everything is there and agrees.
//!
//! - `manifest.json`: the format, the runs with their counts, and what is left out; always the first
//! - `shared.ndjson`: versions, workflows and sweeps; `runs/ID.ndjson`: the parts of a run
//! - `blobs/HASH`: the bytes that values name; `logs/ATTEMPT/…`: the logs of attempts

mod check;
mod export;
mod import;
mod limit;
mod lines;
mod logs;
mod manifest;
mod place;
mod refused;
mod scratch;
mod stream;
#[cfg(test)]
mod tests;

pub(crate) use export::export;
pub(crate) use import::{Outcome, import};
pub(crate) use scratch::remove_leftovers;
pub(crate) use stream::Archive;
