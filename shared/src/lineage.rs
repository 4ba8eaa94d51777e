//! The lineage of a product: everything that it was made of. Saved files carry it, so that it can be made again.

use std::collections::BTreeMap;

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{AssetId, BlobHash, RunId, Version};
use crate::item::ItemPath;
use crate::origin::Origin;
use crate::run::Parent;
use crate::time::Time;
use crate::value::Value;

/// The newest format of a lineage. A file with a newer one is refused.
pub const FORMAT: u32 = 1;

/// The action of a step whose file can't be read.
pub const UNKNOWN_ACTION: &str = "unknown";

/// The lineage of a product. It contains no secret and no value of an environment variable.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Lineage {
    /// The format, [`FORMAT`]. It is the first field, by which files are recognised.
    pub fanlight: u32,
    /// The product.
    pub product: Product,
    /// The nodes that it was computed by, the last one first.
    pub steps: Vec<Step>,
    /// Whether there are further steps or files.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// The runs of these nodes, that of the product first.
    pub runs: Vec<RunOf>,
    /// The files of the user that they read, where that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<InputFile>,
    /// The files of the workflows that nodes of the product's run may start, itself or through others; none if they are long, or
    /// if the run was deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub children: Vec<ChildDocument>,
}

/// The file of a workflow that a node of another one starts.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ChildDocument {
    /// The path of the file with that node.
    pub reader: String,
    /// The name of this file in that node.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Its text.
    pub document: String,
}

/// The product of a lineage.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Product {
    /// Its asset.
    pub id: AssetId,
    /// Its file name.
    pub name: String,
    /// Its MIME type.
    pub mime: String,
    /// How many bytes.
    pub bytes: u64,
    /// The hash of these bytes, if they were kept whole; of a folder, that of its list of files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<BlobHash>,
    /// When it was stored.
    pub created_at: Time,
    /// The node, or empty for an output of the workflow that is not a node's port.
    pub node: String,
    /// The item.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// The port, or the name of the workflow's output.
    pub port: String,
    /// Its index in the list that the port returned.
    pub ordinal: u32,
    /// The attempt that made it, from 1.
    pub attempt: u32,
    /// How long that attempt took, in milliseconds.
    pub duration_ms: u64,
    /// Its cost in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// A node of a run, or an item of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Step {
    /// The name of its run.
    pub run: String,
    /// The node.
    pub node: String,
    /// The item.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// Its node type, or `run` or `cmd`.
    pub action: String,
    /// The version of the node type that its run was submitted with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The programs of a command as its file names them: its own one or its shell, then those of `remember: { tools }`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// The files of these programs when the command ran, if that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<ProgramFile>,
    /// Where its result was computed, if the run took it over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The nodes of the same run that it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    /// The params that it reads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<String>,
    /// The secrets that it reads, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// The run that it started, for a node of type `workflow.run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub child: Option<String>,
    /// The folder of the user in which its command works; files that it reads there are not recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<String>,
}

/// The file of a program, as it was when a command ran.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ProgramFile {
    /// The program as the workflow's file names it; of a script without `shell:`, the name of its shell.
    pub name: String,
    /// The path of the file, one line, safe to show.
    pub path: String,
    /// How many bytes.
    pub bytes: u64,
    /// When it was written last.
    pub modified: Time,
    /// The hash of these bytes.
    pub hash: BlobHash,
}

/// A run of a lineage.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RunOf {
    /// Its id.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// The title of its workflow.
    pub title: String,
    /// The version of its workflow.
    pub version: Version,
    /// The path of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The text of the file; only of the run of the product, if it is not long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Its params.
    pub params: IndexMap<String, Value>,
    /// Whether `params` holds only previews.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub params_short: bool,
    /// Its label.
    pub label: String,
    /// When it was submitted.
    pub submitted_at: Time,
    /// The node that started it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Box<Parent>>,
    /// The program and the node types that it was submitted with; runs of earlier versions don't have them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_with: Option<MadeWith>,
    /// Whether it was deleted since.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
}

impl RunOf {
    /// Shortens its params for a response.
    pub fn shorten(&mut self) {
        self.params_short |= crate::run::shorten_params(&mut self.params);
    }
}

/// The program and the node types of a run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct MadeWith {
    /// The version of Fanlight.
    pub fanlight: String,
    /// The version of each node type of the file, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, u32>,
}

/// A file of the user that a run was given, or that a node read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct InputFile {
    /// The name of its run.
    pub run: String,
    /// The param or the node.
    pub reader: String,
    /// Whether `reader` is a param.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_param: bool,
    /// Its file name.
    pub name: String,
    /// Its path, if it was read where it is; files of params are copied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The hash of its bytes.
    pub hash: BlobHash,
    /// How many bytes.
    pub bytes: u64,
}
