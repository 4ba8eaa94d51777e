//! The text that a node type writes: a short one in memory, a long one directly into the blob store.

use fanlight_shared::large::Large;
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;

use super::write::{all, copy};
use super::{LIMIT, too_large, write_json};
use crate::file_error::FileError;
use crate::store::blob::{Blobs, Published, Sink};

/// The output of a node type that writes text.
pub struct TextOutput {
    /// The bound of the node type, in bytes.
    most: u64,
    bytes: u64,
    head: String,
    to: To,
}

enum To {
    /// In memory, until it becomes too long: then the node runs again, writing into the store.
    Memory {
        text: String,
        limit: usize,
        too_long: bool,
    },
    Store {
        blobs: Blobs,
        sink: Box<Sink>,
    },
}

impl TextOutput {
    /// Creates an output in memory for at most `limit` bytes.
    pub(crate) fn short(most: u64, limit: usize) -> Self {
        let to = To::Memory { text: String::new(), limit, too_long: false };
        Self { most, bytes: 0, head: String::new(), to }
    }

    /// Creates an output in the blob store for at most `most` bytes.
    pub(crate) fn stored(most: u64, blobs: &Blobs) -> Self {
        let to = To::Store { blobs: blobs.clone(), sink: Box::new(blobs.sink()) };
        Self { most, bytes: 0, head: String::new(), to }
    }

    /// Appends text.
    ///
    /// # Errors
    /// The node exceeds its bound, or the disk is full.
    pub fn push(&mut self, text: &str) -> Result<(), FileError> {
        self.grow(text.len() as u64)?;
        if self.head.len() < fanlight_shared::large::HEAD_BYTES {
            self.head = Large::head_of(&format!("{}{}", self.head, Large::head_of(text)));
        }
        match &mut self.to {
            To::Memory { text: so_far, .. } => so_far.push_str(text),
            To::Store { blobs, sink } => all(sink, text.as_bytes(), blobs)?,
        }
        Ok(())
    }

    /// Appends a value as [`Value::to_text`] writes it; large values with their full content.
    ///
    /// # Errors
    /// The value is media or absent, which have no text; the node exceeds its bound; or the disk is full.
    pub fn push_value(&mut self, value: &Value) -> Result<(), FileError> {
        if value.has_media() || !value.has_large() {
            return self.push(&value.to_text()?);
        }
        self.grow(value.content_bytes())?;
        let To::Store { blobs, sink } = &mut self.to else { return Err(self.leave().into()) };
        let written = match value {
            Value::Large(large) => {
                if self.head.len() < fanlight_shared::large::HEAD_BYTES {
                    self.head = Large::head_of(&format!("{}{}", self.head, large.head));
                }
                copy(large, blobs, sink)
            }
            nested => write_json(nested, blobs, sink),
        };
        Ok(written?)
    }

    fn grow(&mut self, bytes: u64) -> Result<(), String> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > self.most {
            return Err(too_large(self.most));
        }
        match &self.to {
            To::Memory { limit, .. } if self.bytes > *limit as u64 => Err(self.leave()),
            _ => Ok(()),
        }
    }

    fn leave(&mut self) -> String {
        if let To::Memory { too_long, .. } = &mut self.to {
            *too_long = true;
        }
        "the text is too long for memory".into()
    }

    /// Returns whether it was too long for memory.
    pub(crate) fn was_too_long(&self) -> bool {
        matches!(self.to, To::Memory { too_long: true, .. })
    }

    /// Returns the text, or a handle to it. Blocks.
    pub(crate) fn finish(self) -> Result<(Value, Option<Published>), FileError> {
        let sink = match self.to {
            To::Memory { text, .. } => return Ok((Value::Text(text), None)),
            To::Store { sink, .. } => sink,
        };
        let published = sink.finish()?;
        if let Some(bytes) = published.inline.as_ref().filter(|bytes| bytes.len() <= LIMIT) {
            let text = String::from_utf8(bytes.clone()).map_err(|_| "the text is not UTF-8".to_owned())?;
            return Ok((Value::Text(text), None));
        }
        let large = Large {
            ty: Type::Text,
            hash: published.hash,
            bytes: published.bytes,
            head: self.head,
            media: false,
            cut: false,
            masked: false,
            not_utf8: false,
        };
        Ok((Value::from(large), Some(published)))
    }
}
