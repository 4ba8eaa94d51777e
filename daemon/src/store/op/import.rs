//! Runs of another home: what [`Op::Import`](super::Op::Import) stores, and what comes of it.

use std::fs::File;

use fanlight_shared::id::RunId;

use crate::store::record::SharedRecord;

/// Ended runs of another home. They were checked, and the blobs that they name are stored.
#[derive(Debug)]
pub struct Import {
    /// What they share.
    pub(crate) shared: Vec<SharedRecord>,
    /// The runs, a parent before the runs that it started.
    pub(crate) runs: Vec<StagedRun>,
    /// The parts of all of them, as lines of JSON.
    pub(crate) lines: File,
    /// The other runs of the archive, which are here already, by their sweeps there.
    pub(crate) known: Vec<(String, RunId)>,
}

/// The place of a run among the lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StagedRun {
    /// Where its first line begins.
    pub(crate) offset: u64,
    /// How many bytes its lines have.
    pub(crate) bytes: u64,
}

/// The result of [`Op::Import`](super::Op::Import).
#[derive(Debug, Default)]
pub struct Imported {
    /// The runs.
    pub runs: Vec<ImportedRun>,
    /// The sweeps that have another name here: the old and the new one.
    pub renamed_sweeps: Vec<(String, String)>,
}

/// An imported run.
#[derive(Clone, Debug)]
pub struct ImportedRun {
    /// Its id.
    pub id: RunId,
    /// Its name in the home that it comes from.
    pub was: String,
    /// Its name here.
    pub name: String,
}
