//! Bytes on their way to a client, in binary frames.

use std::sync::Arc;

use fanlight_shared::rpc::frame::{CHUNK, MARK};

use super::session::Session;
use crate::store::blob::BlobReader;

/// Where bytes come from.
pub(super) enum From {
    /// Out of the blob store, verified on the way.
    Blob(BlobReader),
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
        let Self { stream, bytes, mut from } = self;
        let mut sent = 0;
        while sent < bytes {
            let want = (bytes - sent).min(CHUNK as u64);
            let part;
            (part, from) = from.next(session, sent, want).await;
            let broken = part.is_empty();
            sent += part.len() as u64;
            let mut frame = Vec::with_capacity(MARK + part.len());
            frame.extend_from_slice(&stream.to_le_bytes());
            frame.extend_from_slice(&part);
            if !session.chunk(frame).await || broken {
                return;
            }
        }
    }
}

impl From {
    /// The next bytes; none where they can't be read.
    async fn next(self, session: &Arc<Session>, sent: u64, want: u64) -> (Vec<u8>, Self) {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(sent).unwrap_or(usize::MAX);
                let part = bytes.get(start..start.saturating_add(want as usize)).map(<[u8]>::to_vec);
                (part.unwrap_or_default(), Self::Memory(bytes))
            }
            Self::Blob(mut reader) => {
                let read = session.context.read(move |_| Ok((reader.next(want), reader))).await;
                match read {
                    Ok((Ok(part), reader)) => (part, Self::Blob(reader)),
                    Ok((Err(error), reader)) => {
                        tracing::error!("bytes of an asset are not sent: {error}");
                        (Vec::new(), Self::Blob(reader))
                    }
                    Err(error) => {
                        tracing::error!("bytes of an asset are not sent: {error}");
                        (Vec::new(), Self::Memory(Vec::new()))
                    }
                }
            }
        }
    }
}
