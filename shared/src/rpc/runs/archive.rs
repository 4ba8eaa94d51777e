//! `runs.export` and `runs.import`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::RunId;
use crate::rpc::assets::Bytes;
use crate::rpc::request;

/// `runs.export`: ended runs with those that they started, as the bytes of a tar archive. The response is [`Exported`], followed
/// by binary frames.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// The runs.
    pub runs: Vec<RunId>,
    /// Leaves out runs that have not ended; without this they are an error.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
}

/// Response of `runs.export`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Exported {
    /// The binary frames that follow.
    #[serde(flatten)]
    pub stream: Bytes,
    /// How many runs the archive has, with those that they started.
    pub runs: u64,
    /// How many assets.
    pub assets: u64,
    /// How many runs were left out because they had not ended.
    #[serde(default)]
    pub left_out: u64,
}

/// `runs.import`: adds the runs of an archive that are not there yet, all of them or none.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The absolute path of an archive that is compressed with zstd.
    pub path: String,
}

/// Response of `runs.import`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Imported {
    /// The first of the imported runs, in the order of the archive.
    pub runs: Vec<ImportedRun>,
    /// How many runs were imported in all.
    pub count: u64,
    /// How many assets they have.
    pub assets: u64,
    /// The first of the runs of the archive that were there already, by their names here.
    pub known: Vec<String>,
    /// How many runs were there already.
    pub known_count: u64,
    /// The first of the runs that were left out, by their names in the archive: they were deleted here while their assets
    /// stayed, or such a run started them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// How many runs were left out.
    #[serde(default)]
    pub left_out_count: u64,
    /// The sweeps that have another name here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub renamed_sweeps: Vec<Renamed>,
}

/// An imported run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ImportedRun {
    /// Its id.
    pub id: RunId,
    /// Its name in the archive.
    pub was: String,
    /// Its name here.
    pub name: String,
}

/// Something that has another name here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Renamed {
    /// Its name in the archive.
    pub was: String,
    /// Its name here.
    pub name: String,
}

request!(Export, "runs.export", Exported);
request!(Import, "runs.import", Imported);
