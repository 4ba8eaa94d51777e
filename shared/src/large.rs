//! Large values: texts, lists and objects whose content lies in the blob store.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::BlobHash;
use crate::types::Type;
use crate::value::Value;

/// A handle to a large value: what it is and where its content is, never the content. `values.content` reads the whole.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Large {
    /// The type of the value.
    #[serde(rename = "type")]
    pub ty: Type,
    /// Names the content in the blob store: a text as it is, any other value as JSON (as on the wire where media is in
    /// it).
    pub hash: BlobHash,
    /// How many bytes the content has.
    pub bytes: u64,
    /// The first characters of the content, for people.
    pub head: String,
    /// Media is in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub media: bool,
    /// Only the beginning could be kept. Whatever needs the whole fails; the value itself is never taken for it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
}

/// How many bytes of the content [`Large::head`] has at most.
pub const HEAD_BYTES: usize = 240;

impl Large {
    /// Whether the content is a text; otherwise it is JSON.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.ty == Type::Text
    }

    /// Refuses a value of which only the beginning was kept.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn check_whole(&self) -> Result<(), String> {
        if !self.cut {
            return Ok(());
        }
        Err(format!(
            "stdout is longer than the {} MiB that are kept, so it can't be passed on; write it to a file and declare \
             that as an output by `path:`",
            self.bytes >> 20
        ))
    }

    /// The value whose content these bytes are.
    ///
    /// # Errors
    /// A sentence: they are damaged.
    pub fn read_json(&self, bytes: &[u8]) -> Result<Value, String> {
        let read = if self.media {
            serde_json::from_slice(bytes)
        } else {
            serde_json::from_slice(bytes).map(Value::from_json)
        };
        read.map_err(|error| format!("a stored value is damaged: {error}"))
    }

    /// The beginning of a content, as [`Self::head`] holds it.
    #[must_use]
    pub fn head_of(content: &str) -> String {
        let mut end = HEAD_BYTES.min(content.len());
        while !content.is_char_boundary(end) {
            end -= 1;
        }
        content[..end].to_owned()
    }
}
