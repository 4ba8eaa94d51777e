//! Assets: products that are kept until the user deletes them.

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{AssetId, RunId, Version, WorkflowId};
use crate::item::ItemPath;
use crate::time::Time;
use crate::value::Value;

/// The kind of product that an asset is; galleries filter by it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AssetKind {
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// Text.
    Text,
    /// A number.
    Number,
    /// Lists, objects, bools.
    Json,
    /// Other bytes.
    File,
    /// A folder.
    Dir,
}

impl AssetKind {
    /// Returns the word used on the wire and on screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Text => "text",
            Self::Number => "number",
            Self::Json => "json",
            Self::File => "file",
            Self::Dir => "dir",
        }
    }

    /// Returns the kind of product a value is.
    #[must_use]
    pub fn of(value: &Value) -> Self {
        use crate::media::MediaKind;
        match value {
            Value::Media(media) => match media.kind {
                MediaKind::Image => Self::Image,
                MediaKind::Audio => Self::Audio,
                MediaKind::Video => Self::Video,
                MediaKind::Dir => Self::Dir,
                MediaKind::File => Self::File,
            },
            Value::Large(large) if large.is_text() => Self::Text,
            Value::Text(_) => Self::Text,
            Value::Int(_) | Value::Float(_) => Self::Number,
            _ => Self::Json,
        }
    }
}

/// An asset as lists show it. The fields up to `starred` are the stable shape of `--json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Asset {
    /// Its id.
    pub id: AssetId,
    /// The slug of its workflow.
    pub workflow: String,
    /// The name of its run: `poster#12`.
    pub run: String,
    /// The node that made it; empty for a workflow output that is not a node's port.
    pub node: String,
    /// The item that made it.
    pub item: ItemPath,
    /// The port, or the name of the workflow's output.
    pub port: String,
    /// Its kind.
    pub kind: AssetKind,
    /// Its MIME type.
    pub mime: String,
    /// How many bytes.
    pub bytes: u64,
    /// Its file name.
    pub name: String,
    /// When it was stored.
    pub created_at: Time,
    /// Whether the user starred it.
    pub starred: bool,

    /// Its index in the list that the port returned, from 0.
    pub ordinal: u32,
    /// Its workflow.
    pub workflow_id: WorkflowId,
    /// Its run.
    pub run_id: RunId,
    /// Its value: media and large values by reference, other values whole up to 64 KiB of JSON, else a preview.
    pub value: Value,
    /// Whether a preview is stored.
    #[serde(default)]
    pub preview: PreviewState,
}

/// The most bytes of JSON that the value of an asset has in lists.
const VALUE: usize = 64 * 1024;

impl Asset {
    /// Shortens it for lists and events: a long value becomes a preview.
    pub fn shorten(&mut self) {
        if self.value.as_media().is_none() && !crate::preview::fits(&self.value, VALUE) {
            self.value = crate::preview::value(&self.value, VALUE);
        }
    }
}

/// Whether the preview of an asset can be fetched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PreviewState {
    /// It is being made.
    #[default]
    Pending,
    /// It is there.
    Ready,
    /// There is none: the value has nothing to show, or its bytes could not be decoded.
    None,
}

impl Recipe {
    /// Shortens it for a response: long params become previews.
    pub fn shorten(&mut self) {
        self.params_short |= crate::run::shorten_params(&mut self.params);
    }
}

/// The lineage of an asset.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Recipe {
    /// The version of the workflow.
    pub version: Version,
    /// All params of the run.
    pub params: IndexMap<String, Value>,
    /// Whether `params` holds only previews, as [`Run::params_short`](crate::run::Run::params_short) says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub params_short: bool,
    /// The label of the run.
    pub label: String,
    /// The node that made it.
    pub node: String,
    /// The attempt that made it, from 1.
    pub attempt: u32,
    /// How long that attempt took, in milliseconds.
    pub duration_ms: u64,
    /// Its cost in US dollars, if the node reported one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}
