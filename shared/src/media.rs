//! Media: values whose bytes are in the blob store.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::BlobHash;

/// The kinds of media.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// Any bytes.
    File,
    /// A folder: its blob is a [`DirManifest`] as JSON.
    Dir,
    /// A picture.
    Image,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
}

impl MediaKind {
    /// Returns the word used in the workflow file, on the wire and on screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Dir => "dir",
            Self::Image => "image",
            Self::Audio => "audio",
            Self::Video => "video",
        }
    }
}

/// A media value: what it is and where its bytes are, never the bytes themselves.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Media {
    /// Its kind.
    pub kind: MediaKind,
    /// The hash of the bytes in the blob store.
    pub hash: BlobHash,
    /// The MIME type, detected from the bytes (never from the name).
    pub mime: String,
    /// Its size in bytes; for a folder, the sum over its files.
    pub bytes: u64,
    /// The file name with its extension, without folders, as a command sees it.
    pub name: String,
    /// Pixels, for pictures whose header could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels, for pictures whose header could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Whether the owner of the file could execute it; its copies are executable too. A folder records this for each of
    /// its files instead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
    /// The file of the user that holds the bytes, while they are in no store: they are read from there, and whoever reads
    /// them compares them with `hash`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Box<SourceFile>>,
}

/// The MIME type of a JSON document.
pub const JSON: &str = "application/json";

/// Returns whether bytes of this MIME type are text for people.
#[must_use]
pub fn is_text(mime: &str) -> bool {
    mime.starts_with("text/") || mime == JSON
}

/// A file of the user as it was when its bytes were hashed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SourceFile {
    /// Its path, absolute.
    pub path: String,
    /// When it was last written, in microseconds since 1970.
    pub modified_us: i64,
    /// When it was last written, moved or given other rights, in microseconds since 1970.
    pub changed_us: i64,
}

impl Media {
    /// Returns the name without its extension.
    #[must_use]
    pub fn stem(&self) -> &str {
        match self.name.rsplit_once('.') {
            Some((stem, _)) if !stem.is_empty() => stem,
            _ => &self.name,
        }
    }
    /// Returns the extension without its dot; empty if there is none.
    #[must_use]
    pub fn ext(&self) -> &str {
        match self.name.rsplit_once('.') {
            Some((stem, ext)) if !stem.is_empty() => ext,
            _ => "",
        }
    }
}

/// The manifest of a folder, stored as its blob: its files and its empty folders, in name order.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct DirManifest {
    /// The files below the folder.
    pub files: Vec<DirEntry>,
    /// The paths of the empty folders below the folder; the others follow from the files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub folders: Vec<String>,
}

/// One file of a folder.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct DirEntry {
    /// The path below the folder, separated by `/`, without `..`.
    pub path: String,
    /// Names the bytes.
    pub hash: BlobHash,
    /// How many bytes.
    pub bytes: u64,
    /// Whether the owner may execute it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub executable: bool,
}
