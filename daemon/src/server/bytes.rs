//! Bytes on their way to a client, in binary frames.

use std::sync::Arc;

use fanlight_shared::id::BlobHash;
use fanlight_shared::rpc::frame::{CHUNK, MARK};

use super::session::Session;

/// Where bytes come from.
pub(super) enum From {
    /// Out of the blob store.
    Blob {
        /// The blob.
        hash: BlobHash,
        /// Where to begin.
        offset: u64,
    },
    /// They are here already.
    Memory(Vec<u8>),
}

/// Bytes that follow an answer.
pub(super) struct Source {
    /// Marks their frames.
    pub(super) stream: u32,
    /// How many.
    pub(super) bytes: u64,
    /// Where they come from.
    pub(super) from: From,
}

impl Source {
    /// Sends them, at the pace at which the client reads. A frame without bytes says that the rest can't be read.
    pub(super) async fn send(self, session: &Arc<Session>) {
        let mut sent = 0;
        while sent < self.bytes {
            let want = (self.bytes - sent).min(CHUNK as u64);
            let part = match &self.from {
                From::Memory(bytes) => {
                    let start = usize::try_from(sent).unwrap_or(usize::MAX);
                    bytes
                        .get(start..start.saturating_add(want as usize))
                        .map(<[u8]>::to_vec)
                        .unwrap_or_default()
                }
                From::Blob { hash, offset } => {
                    let (hash, at) = (*hash, offset.saturating_add(sent));
                    match session.context.read(move |store| store.blobs().read_at(hash, at, want)).await {
                        Ok(part) => part,
                        Err(error) => {
                            tracing::error!(%error, "bytes of an asset can't be read");
                            Vec::new()
                        }
                    }
                }
            };
            let broken = part.is_empty();
            sent += part.len() as u64;
            let mut frame = Vec::with_capacity(MARK + part.len());
            frame.extend_from_slice(&self.stream.to_le_bytes());
            frame.extend_from_slice(&part);
            if !session.chunk(frame).await || broken {
                return;
            }
        }
    }
}
