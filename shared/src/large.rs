//! Large values: texts, lists and objects whose content is in the blob store.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::BlobHash;
use crate::types::Type;

/// A handle to a large value: what it is and where its content is, never the content itself. `values.content` reads it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Large {
    /// The type of the value.
    #[serde(rename = "type")]
    pub ty: Type,
    /// The hash of the content in the blob store: a text as it is, any other value as JSON (in its wire form if it
    /// contains media).
    pub hash: BlobHash,
    /// The size of the content in bytes.
    pub bytes: u64,
    /// The first characters of the content, for people.
    pub head: String,
    /// Whether it contains media.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub media: bool,
    /// Whether only the beginning could be kept. Anything that needs the full value then fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cut: bool,
    /// Whether a secret in it was masked. `cut` is set too: anything that needs the full value fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub masked: bool,
    /// Whether bytes that are not UTF-8 were replaced. `cut` is set too: anything that needs the full value fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub not_utf8: bool,
}

/// The most bytes of the content in [`Large::head`].
pub const HEAD_BYTES: usize = 240;

impl Large {
    /// Returns whether the content is a text; otherwise it is JSON.
    #[must_use]
    pub fn is_text(&self) -> bool {
        self.ty == Type::Text
    }

    /// Checks that the full value was kept.
    ///
    /// # Errors
    /// A sentence that says what to do.
    pub fn check_whole(&self) -> Result<(), String> {
        if !self.cut {
            return Ok(());
        }
        if self.masked {
            return Err(
                "stdout contains a secret, which is masked, so it can't be passed on; write what others read to a file \
                 and declare that as an output by `path:`"
                    .into(),
            );
        }
        if self.not_utf8 {
            return Err(
                "stdout is not UTF-8 text, so it can't be passed on; write it to a file and declare that as an output by \
                 `path:`"
                    .into(),
            );
        }
        Err(format!(
            "stdout is longer than the {} MiB that are kept, so it can't be passed on; write it to a file and declare \
             that as an output by `path:`",
            self.bytes >> 20
        ))
    }

    /// Returns the beginning of a content, as [`Self::head`] holds it.
    #[must_use]
    pub fn head_of(content: &str) -> String {
        let mut end = HEAD_BYTES.min(content.len());
        while !content.is_char_boundary(end) {
            end -= 1;
        }
        content[..end].to_owned()
    }
}
