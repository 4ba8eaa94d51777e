//! When the daemon prunes runs by itself.

use std::time::Duration;

use fanlight_shared::run::RunStatus;

/// When the daemon prunes by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PruneSettings {
    /// Runs that ended longer ago than this only.
    pub older_than: Option<Duration>,
    /// All but this many of the newest ended runs of each workflow.
    pub keep: Option<u32>,
    /// The oldest ones, until everything that is stored has at most this many bytes.
    pub max_bytes: Option<u64>,
    /// Runs that ended in one of these states only; empty is all.
    pub states: Vec<RunStatus>,
}
