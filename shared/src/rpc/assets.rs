//! `assets.*`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Done, Page, request};
use crate::asset::{Asset, AssetKind, Recipe};
use crate::id::{AssetId, BlobHash, RunId, WorkflowId};
use crate::lineage;

/// `assets.list`: newest first. Pages are stable under concurrent inserts: no asset is repeated or skipped.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Of this workflow only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<WorkflowId>,
    /// Of this node only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Of this run only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Of this kind only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<AssetKind>,
    /// Starred ones only.
    #[serde(default)]
    pub starred: bool,
    /// Only assets whose name or text contains this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page: at most 1,000, 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `assets.get`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// An id or a unique prefix of one.
    pub asset: String,
}

/// Response of `assets.get`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Detail {
    /// The asset.
    pub asset: Asset,
    /// Its lineage.
    pub recipe: Recipe,
}

/// `assets.lineage`: everything that an asset was made of.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Lineage {
    /// An id or a unique prefix of one.
    pub asset: String,
}

/// `assets.read`: bytes. The response is [`Bytes`], followed by binary frames (see `docs/protocol.md`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The asset.
    pub asset: AssetId,
    /// Of a folder: the blob of one of its files, as its manifest names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<BlobHash>,
    /// Where to begin.
    #[serde(default)]
    pub offset: u64,
    /// The most bytes to send; all of them by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// Response of `assets.read` and `assets.thumbnail`: describes the binary frames that follow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Bytes {
    /// The mark of the binary frames: the first four bytes of each, little endian.
    pub stream: u32,
    /// The total number of bytes that follow in all frames, without the marks.
    pub bytes: u64,
    /// Their MIME type.
    pub mime: String,
    /// The BLAKE3 hash of the bytes, if they are a complete stored file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<BlobHash>,
}

/// `assets.thumbnail`: the stored preview.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Thumbnail {
    /// The asset.
    pub asset: AssetId,
}

/// `assets.star`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Star {
    /// The assets.
    pub assets: Vec<AssetId>,
    /// On or off.
    pub starred: bool,
}

/// `assets.delete`: for good.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The assets.
    pub assets: Vec<AssetId>,
}

request!(List, "assets.list", Page<Asset>);
request!(Get, "assets.get", Detail);
request!(Lineage, "assets.lineage", lineage::Lineage);
request!(Read, "assets.read", Bytes);
request!(Thumbnail, "assets.thumbnail", Bytes);
request!(Star, "assets.star", Done);
request!(Delete, "assets.delete", Done);
