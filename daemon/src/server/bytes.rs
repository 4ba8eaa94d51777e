//! Sends bytes to a client, in binary frames.

use std::sync::Arc;

use fanlight_shared::id::BlobHash;
use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::assets::Bytes;
use fanlight_shared::rpc::frame::{CHUNK, MARK};

use super::session::Session;
use crate::store::blob::BlobReader;
use crate::transfer::Archive;

/// The origin of bytes.
// There is one per request, and it is moved once.
#[allow(clippy::large_enum_variant)]
enum From {
    /// The blob store; bytes are verified while they are sent.
    Blob(BlobReader),
    /// They are in memory.
    Memory(Vec<u8>),
    /// Runs, made while they are sent.
    Archive(Box<Archive>),
}

/// Bytes that follow a response.
pub(super) struct Source {
    /// Marks their frames.
    stream: u32,
    /// How many.
    bytes: u64,
    /// Their origin.
    from: From,
}

impl Source {
    /// Returns a part of a blob: the response, and the bytes that follow it.
    pub(super) async fn blob(
        session: &Session,
        hash: BlobHash,
        offset: u64,
        limit: Option<u64>,
        mime: String,
    ) -> Result<(Bytes, Self), RpcError> {
        let limit = limit.unwrap_or(u64::MAX);
        let reader = session.context.read(move |store| store.blobs().open_part(hash, offset, limit)).await?;
        let (bytes, whole) = (reader.left(), reader.is_whole());
        let (stream, hash) = (session.next_stream(), whole.then_some(hash));
        Ok((Bytes { stream, bytes, mime, hash }, Self { stream, bytes, from: From::Blob(reader) }))
    }

    /// Returns a part of bytes that are in memory.
    pub(super) fn memory(
        session: &Session,
        mut bytes: Vec<u8>,
        offset: u64,
        limit: Option<u64>,
        mime: String,
    ) -> (Bytes, Self) {
        let all = bytes.len() as u64;
        bytes.drain(..usize::try_from(offset.min(all)).unwrap_or(0));
        let (stream, left) = (session.next_stream(), (bytes.len() as u64).min(limit.unwrap_or(u64::MAX)));
        let answer = Bytes { stream, bytes: left, mime, hash: None };
        (answer, Self { stream, bytes: left, from: From::Memory(bytes) })
    }

    /// Returns an archive of runs: what the response says, and the bytes that follow it.
    pub(super) fn archive(session: &Session, archive: Archive) -> (Bytes, Self) {
        let (stream, bytes) = (session.next_stream(), archive.bytes());
        let answer = Bytes { stream, bytes, mime: "application/x-tar".to_owned(), hash: None };
        (answer, Self { stream, bytes, from: From::Archive(Box::new(archive)) })
    }

    /// Sends them, at the pace at which the client reads. An empty frame means that the rest can't be read.
    pub(super) async fn send(self, session: &Arc<Session>) {
        let Self { stream, bytes, mut from } = self;
        let mut sent = 0;
        while sent < bytes {
            // Read only when there is room to send.
            let Some(place) = session.chunk_place().await else { return };
            let want = (bytes - sent).min(CHUNK as u64);
            let part;
            (part, from) = from.next(session, sent, want).await;
            let broken = part.is_empty();
            sent += part.len() as u64;
            let mut frame = Vec::with_capacity(MARK + part.len());
            frame.extend_from_slice(&stream.to_le_bytes());
            frame.extend_from_slice(&part);
            if !session.chunk(place, frame).await || broken {
                return;
            }
        }
    }
}

impl From {
    /// Returns the next bytes; none if they can't be read.
    async fn next(self, session: &Arc<Session>, sent: u64, want: u64) -> (Vec<u8>, Self) {
        match self {
            Self::Memory(bytes) => {
                let start = usize::try_from(sent).unwrap_or(usize::MAX);
                let part = bytes.get(start..start.saturating_add(want as usize)).map(<[u8]>::to_vec);
                (part.unwrap_or_default(), Self::Memory(bytes))
            }
            Self::Archive(mut archive) => {
                let read = session.context.read(move |_| Ok((archive.next(want)?, archive))).await;
                match read {
                    Ok((part, archive)) => (part, Self::Archive(archive)),
                    Err(error) => {
                        tracing::error!("an archive of runs is not sent: {error}");
                        (Vec::new(), Self::Memory(Vec::new()))
                    }
                }
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
