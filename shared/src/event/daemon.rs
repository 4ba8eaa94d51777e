//! Events of the daemon as a whole: registry, queue and products.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limit;
use crate::asset::Asset;
use crate::id::{AssetId, RunId, WorkflowId};
use crate::item::ItemPath;
use crate::preview;
use crate::run::Run;
use crate::sweep::Pause;
use crate::value::Value;

/// Something that belongs to the daemon as a whole: registry, queue and products. Numbered daemon-wide.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DaemonEvent {
    /// A run was added or changed; `run_update` of the registry.
    RunUpdate {
        /// As lists show it.
        run: Box<Run>,
    },
    /// A run was deleted.
    RunDelete {
        /// Its workflow.
        workflow_id: WorkflowId,
        /// The run.
        run_id: RunId,
    },
    /// The queue changed.
    QueueUpdate {
        /// As it is now.
        queue: Queue,
    },
    /// A sweep was paused, or continues. The runs of a paused one have no place in the queue; those that continue follow as
    /// `run_update`.
    SweepUpdate {
        /// Its name.
        sweep: String,
        /// Why it is paused; absent if it continues.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        paused: Option<Pause>,
    },
    /// The banners changed, such as about a full disk; replaces those before, including those of `hello`.
    BannerUpdate {
        /// All of it; empty when all is well.
        banners: Vec<String>,
    },
    /// A port of a run got a value.
    OutputUpdate {
        /// The workflow.
        workflow_id: WorkflowId,
        /// The run.
        run_id: RunId,
        /// The node.
        node: String,
        /// The item.
        #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
        item: ItemPath,
        /// The port.
        port: String,
        /// The value, shortened.
        value: Value,
    },
    /// An asset was stored or changed (starred, preview made).
    AssetUpdate {
        /// As lists show it.
        asset: Box<Asset>,
    },
    /// An asset was deleted.
    AssetDelete {
        /// The workflow.
        workflow_id: WorkflowId,
        /// The asset.
        asset_id: AssetId,
    },
}

impl DaemonEvent {
    /// Shortens it to the limits of events.
    pub fn shorten(&mut self) {
        match self {
            Self::RunUpdate { run } => run.shorten(),
            Self::OutputUpdate { value, .. } => *value = preview::value(value, limit::OUTPUT),
            Self::AssetUpdate { asset } => asset.shorten(),
            _ => {}
        }
    }
}

/// The queue as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Queue {
    /// How many runs may run at once.
    pub max_concurrent_runs: u32,
    /// Whether waiting runs stay where they are.
    pub paused: bool,
    /// Runs that run.
    pub running: u32,
    /// Runs that wait.
    pub queued: u32,
}
