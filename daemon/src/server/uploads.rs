//! `uploads.*`: bytes that a client sends in binary frames. They are published when all of them have arrived, and the
//! connection holds them until it ends.

use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanlight_shared::id::BlobHash;
use fanlight_shared::rpc::frame::{CHUNK, split_mark};
use fanlight_shared::rpc::uploads::{Arrived, Check, End, MAX_UPLOADS, Start, Started};
use fanlight_shared::rpc::{ErrorCode, RpcError};

use super::context::refusal;
use super::session::Session;
use crate::store::blob::{Blobs, INLINE_LIMIT, Published, Sink};

/// The most bytes of small files that a connection holds in memory.
const MAX_HELD_BYTES: u64 = 128 * 1024 * 1024;

/// The uploads of a connection.
#[derive(Default)]
pub(super) struct Uploads {
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

struct Upload {
    announced: Start,
    /// `None` once it has failed or ended.
    sink: Option<Sink>,
    failed: Option<RpcError>,
}

impl Uploads {
    fn open(&self) -> MutexGuard<'_, HashMap<u32, Arc<tokio::sync::Mutex<Upload>>>> {
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
    fn hold(&self, published: Published) -> Result<(), RpcError> {
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
    fn end(&mut self) -> Result<Published, RpcError> {
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

pub(super) async fn start(session: &Arc<Session>, start: Start) -> Result<Started, RpcError> {
    // Small files are sent faster than they are looked for.
    if start.bytes > INLINE_LIMIT {
        let (hash, bytes) = (start.hash, start.bytes);
        let known = session.context.read(move |store| store.blobs().publish_again(hash, bytes)).await?;
        if let Some(published) = known {
            session.uploads.hold(published)?;
            return Ok(Started { stream: None });
        }
    }
    let stream = session.next_stream();
    let sink: Sink = Blobs::sink(session.context.store.blobs());
    let upload = Upload { announced: start, sink: Some(sink), failed: None };
    let mut open = session.uploads.open();
    if open.len() >= MAX_UPLOADS {
        return Err(RpcError::refused(format!("a connection has at most {MAX_UPLOADS} uploads at once")));
    }
    open.insert(stream, Arc::new(tokio::sync::Mutex::new(upload)));
    Ok(Started { stream: Some(stream) })
}

pub(super) async fn check(session: &Arc<Session>, check: Check) -> Result<Arrived, RpcError> {
    let upload = find(session, check.stream)?;
    let upload = upload.lock().await;
    match (&upload.failed, &upload.sink) {
        (Some(error), _) => Err(error.clone()),
        (None, Some(sink)) => Ok(Arrived { bytes: sink.bytes() }),
        (None, None) => Err(unknown(check.stream)),
    }
}

pub(super) async fn end(session: &Arc<Session>, end: End) -> Result<Arrived, RpcError> {
    let upload = find(session, end.stream)?;
    let mut upload = upload.lock_owned().await;
    let ended = tokio::task::spawn_blocking(move || upload.end()).await;
    session.uploads.open().remove(&end.stream);
    let published = ended.map_err(|error| RpcError::internal(error.to_string()))??;
    let bytes = published.bytes;
    session.uploads.hold(published)?;
    Ok(Arrived { bytes })
}

fn find(session: &Session, stream: u32) -> Result<Arc<tokio::sync::Mutex<Upload>>, RpcError> {
    session.uploads.open().get(&stream).cloned().ok_or_else(|| unknown(stream))
}

fn unknown(stream: u32) -> RpcError {
    RpcError::not_found(format!("there is no upload {stream}"))
}
