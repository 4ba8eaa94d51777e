//! Runs that had not ended when the daemon did.

use std::collections::HashMap;
use std::sync::Arc;

use fanlight_shared::environment::Environment;
use fanlight_shared::event::Numbered;
use fanlight_shared::item::ItemPath;
use fanlight_shared::origin::{Fresh, Origin};
use fanlight_shared::run::Run;
use fanlight_shared::value::Value;

/// A run that had not ended when the daemon did.
#[derive(Debug)]
pub struct OpenRun {
    /// As lists show it.
    pub run: Run,
    /// The text of the file it was submitted with.
    pub document: String,
    /// The path of that file.
    pub path: Option<String>,
    /// The variables that its commands get from the submitter; runs of one submission share them.
    pub environment: Arc<Environment>,
    /// Its state events, in order.
    pub events: Vec<Numbered>,
    /// Its values: node, item, port, value (`None` if not kept).
    pub values: Vec<(String, ItemPath, String, Option<Value>)>,
    /// Where values were computed that it took over from the run that it resumes, by node and item.
    pub origins: HashMap<(String, ItemPath), Origin>,
    /// Nodes that reuse no results.
    pub fresh: Arc<Fresh>,
    /// Whether it was put at the head of the queue.
    pub next: bool,
    /// Whether it was put after all others.
    pub later: bool,
}

/// A run that had not ended when the daemon did, and can't continue: its stored data can't be read.
#[derive(Debug)]
pub struct DamagedRun {
    /// As lists show it.
    pub run: Run,
    /// The error.
    pub why: String,
}
