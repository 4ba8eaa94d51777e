//! `uploads.*`: bytes that a client sends in binary frames. They are published when all of them have arrived.

use std::sync::Arc;

use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::uploads::{Arrived, Check, End, MAX_UPLOADS, Start, Started};

use super::incoming::Upload;
use super::session::Session;
use crate::store::blob::{Blobs, INLINE_LIMIT, Sink};

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
