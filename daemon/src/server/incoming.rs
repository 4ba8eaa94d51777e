//! The uploads of a connection: bytes that a client sends in binary frames. The connection holds them until it ends.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanlight_shared::id::BlobHash;
use fanlight_shared::rpc::frame::{CHUNK, split_mark};
use fanlight_shared::rpc::uploads::Start;
use fanlight_shared::rpc::{ErrorCode, RpcError};

use super::context::refusal;
use crate::store::blob::{Published, Sink};

/// The most bytes of small files that a connection holds in memory.
const MAX_HELD_BYTES: u64 = 128 * 1024 * 1024;

/// The uploads of a connection.
#[derive(Default)]
pub(super) struct Incoming {
    open: Mutex<HashMap<u32, Arc<tokio::sync::Mutex<Upload>>>>,
    /// Those that have ended, until the connection does.
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    published: HashMap<BlobHash, Published>,
    /// How many bytes of them are in memory.
    inline: u64,
}

pub(super) struct Upload {
    pub(super) announced: Start,
    /// `None` once it has failed or ended.
    pub(super) sink: Option<Sink>,
    pub(super) failed: Option<RpcError>,
}

impl Incoming {
    pub(super) fn open(&self) -> MutexGuard<'_, HashMap<u32, Arc<tokio::sync::Mutex<Upload>>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a binary frame. What is wrong with it is the error of the next request about its stream.
    pub(super) async fn take(&self, frame: &[u8]) -> Result<(), RpcError> {
        let malformed = |why: &str| Err(RpcError::new(ErrorCode::Malformed, why));
        let Some((stream, bytes)) = split_mark(frame) else {
            return malformed("a binary frame begins with the number of an upload");
        };
        let Some(upload) = self.open().get(&stream).cloned() else {
            return malformed("a binary frame belongs to no upload: send `uploads.start` first");
        };
        let mut upload = upload.lock_owned().await;
        let bytes = bytes.to_vec();
        let written = tokio::task::spawn_blocking(move || upload.write(&bytes)).await;
        written.map_err(|error| RpcError::internal(error.to_string()))
    }

    /// Keeps published bytes until the connection ends.
    pub(super) fn hold(&self, published: Published) -> Result<(), RpcError> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let inline = published.inline.as_ref().map_or(0, |it| it.len() as u64);
        if held.published.contains_key(&published.hash) {
            return Ok(());
        }
        if held.inline + inline > MAX_HELD_BYTES {
            return Err(RpcError::refused(format!(
                "these are more than {} MiB of small files at once; submit fewer runs at a time, or pack the files",
                MAX_HELD_BYTES >> 20
            )));
        }
        held.inline += inline;
        held.published.insert(published.hash, published);
        Ok(())
    }
}

impl Upload {
    /// Writes bytes. Blocks.
    fn write(&mut self, bytes: &[u8]) {
        let Some(sink) = &mut self.sink else { return };
        let failed = if bytes.len() > CHUNK {
            Some(RpcError::new(ErrorCode::BadParams, format!("a binary frame has at most {CHUNK} bytes")))
        } else if sink.bytes() + bytes.len() as u64 > self.announced.bytes {
            Some(RpcError::new(ErrorCode::BadParams, "more bytes arrived than were announced"))
        } else {
            sink.write_all(bytes)
                .err()
                .map(|error| RpcError::new(ErrorCode::Storage, format!("the bytes can't be stored: {error}")))
        };
        if failed.is_some() {
            self.sink = None;
            self.failed = failed;
        }
    }

    /// Publishes the bytes, if they are those that were announced. Blocks.
    pub(super) fn end(&mut self) -> Result<Published, RpcError> {
        if let Some(error) = self.failed.clone() {
            return Err(error);
        }
        let sink = self.sink.take().ok_or_else(|| RpcError::refused("the upload has ended already"))?;
        let (arrived, announced) = (sink.bytes(), self.announced.bytes);
        if arrived != announced {
            let why = format!("{arrived} of {announced} bytes arrived");
            return Err(RpcError::new(ErrorCode::BadParams, why));
        }
        let published = sink.finish().map_err(refusal)?;
        if published.hash != self.announced.hash {
            return Err(RpcError::new(ErrorCode::BadParams, "the bytes that arrived have another hash"));
        }
        Ok(published)
    }
}
