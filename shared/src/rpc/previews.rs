//! `previews.*`: previews of outputs while their node runs.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assets::Bytes;
use super::request;
use crate::id::RunId;
use crate::item::ItemPath;

/// `previews.thumbnail`: a thumbnail of the newest preview of a port of a running node.
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
