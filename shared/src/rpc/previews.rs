//! `previews.*`: pictures on the way to an output, while their node runs.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assets::Bytes;
use super::request;
use crate::id::RunId;
use crate::item::ItemPath;

/// `previews.thumbnail`: the newest preview of a port of a node that runs, made small enough to be shown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Thumbnail {
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: String,
    /// The item.
    #[serde(default)]
    pub item: ItemPath,
    /// The port, as `preview_update` names it.
    pub port: String,
}

request!(Thumbnail, "previews.thumbnail", Bytes);
