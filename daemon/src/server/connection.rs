//! One connection: a loop that reads requests, and a loop that writes responses, notifications and bytes.

use std::sync::Arc;
use std::sync::OnceLock;
use std::sync::atomic::Ordering;
use std::time::Duration;

use fanlight_shared::rpc::frame::{REQUEST_LIMIT, REQUESTS_AT_ONCE, ReceivedRequest};
use fanlight_shared::rpc::{ErrorCode, Request, RpcError, daemon, watch};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value as Json;
use tokio::net::UnixStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use super::context::Context;
use super::dispatch::dispatch;
use super::handshake::{self, HANDSHAKE, Socket};
use super::progress::Progress;
use super::session::{Frame, Session};
use crate::hub::Outgoing;

/// The largest number that is the id of a request.
const MAX_ID: u64 = 1 << 53;

/// How long nothing may leave the socket: a client that doesn't read at all is disconnected.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long the last frames may take when the connection or the daemon ends.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);
/// The most bytes of requests in progress at once; the longest request fits.
const MAX_REQUEST_BYTES: usize = 2 * REQUEST_LIMIT;
/// After this many bytes for a client that stays, freed memory is returned to the system.
const RELEASE_MEMORY_AFTER: usize = 16 * 1024 * 1024;

/// The close frame that tells the client what it did wrong.
type CloseReason = OnceLock<CloseFrame>;

/// Serves one connection until it ends or the daemon does.
pub(super) async fn run(stream: UnixStream, context: Arc<Context>, stop: CancellationToken) {
    let Some((socket, progress)) = handshake::accept(stream).await else { return };
    let _counted = Counted::new(Arc::clone(&context));
    let (mut sink, mut source) = socket.split();
    let (session, waiting) = Session::new(context);
    let (over, fault) = (CancellationToken::new(), CloseReason::new());
    let writing = write(&session, &mut sink, &progress, waiting, &fault, stop, over.clone());
    let reading = async {
        tokio::select! {
            () = over.cancelled() => {}
            () = read(&session, &mut source, &fault) => {}
        }
        // No more requests arrive; pending responses may still be sent.
        over.cancel();
    };
    tokio::join!(writing, reading);
    if fault.get().is_some()
        && let Ok(socket) = sink.reunite(source)
    {
        // A client that is still sending reaches its close frame only if somebody reads what it sends.
        let mut stream = socket.into_inner();
        let mut nowhere = tokio::io::sink();
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, tokio::io::copy(&mut stream, &mut nowhere)).await;
    }
}

/// A client among [`Context::clients`].
struct Counted(Arc<Context>);

impl Counted {
    fn new(context: Arc<Context>) -> Self {
        context.clients.send_modify(|clients| *clients += 1);
        Self(context)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.clients.send_modify(|clients| *clients = clients.saturating_sub(1));
    }
}

/// Reads requests until the connection ends.
async fn read(session: &Arc<Session>, source: &mut SplitStream<Socket>, fault: &CloseReason) {
    let (slots, bytes) =
        (Arc::new(Semaphore::new(REQUESTS_AT_ONCE as usize)), Arc::new(Semaphore::new(MAX_REQUEST_BYTES)));
    let mut requests = JoinSet::new();
    loop {
        let next = if session.greeted.load(Ordering::Relaxed) {
            source.next().await
        } else {
            let Ok(next) = tokio::time::timeout(HANDSHAKE, source.next()).await else {
                return tracing::debug!("a client did not say hello");
            };
            next
        };
        while requests.try_join_next().is_some() {}
        match next {
            Some(Ok(Message::Text(frame))) => {
                let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
                let Ok(weight) = Arc::clone(&bytes).acquire_many_owned(length).await else { return };
                let Some(request) = parse(session, &frame).await else { continue };
                // These two affect later frames, so they are handled in order.
                if request.method == daemon::Hello::METHOD || request.method == watch::Watch::METHOD {
                    handle(session, request).await;
                    continue;
                }
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
                let session = Arc::clone(session);
                requests.spawn(async move {
                    handle(&session, request).await;
                    drop((slot, weight));
                });
            }
            Some(Ok(Message::Binary(frame))) => {
                // In order and one at a time: a client that sends faster than the disk writes waits.
                if let Err(error) = session.uploads.take(&frame).await {
                    refuse(session, &Json::Null, &error).await;
                }
            }
            Some(Ok(Message::Close(_))) | None => return,
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                tracing::debug!(%error, "a connection ended");
                if let Some(frame) = handshake::close_frame(&error) {
                    let _ = fault.set(frame);
                }
                return;
            }
        }
    }
}

async fn refuse(session: &Session, id: &Json, error: &RpcError) {
    if let Some(room) = session.reserve().await {
        session.refuse(room, id, error).await;
    }
}

/// Parses the request in a frame, if it is valid and allowed now.
async fn parse(session: &Session, frame: &str) -> Option<ReceivedRequest> {
    let request = match serde_json::from_str::<ReceivedRequest>(frame) {
        Ok(request) if is_id(&request.id) => request,
        Ok(_) => {
            let why = "`id` must be a text, or a whole number of at most 2^53";
            let error = RpcError::new(ErrorCode::Malformed, why);
            refuse(session, &Json::Null, &error).await;
            return None;
        }
        Err(error) => {
            let (id, why) = match serde_json::from_str::<Json>(frame) {
                Ok(Json::Array(_)) => {
                    (Json::Null, "batches are not supported; send one request per frame".to_owned())
                }
                Ok(mut json) => {
                    let id = json.get_mut("id").map(Json::take).filter(is_id).unwrap_or_default();
                    (id, format!("this is not a JSON-RPC request: {error}"))
                }
                Err(error) => (Json::Null, format!("this is not JSON: {error}")),
            };
            refuse(session, &id, &RpcError::new(ErrorCode::Malformed, why)).await;
            return None;
        }
    };
    let greeted = session.greeted.load(Ordering::Relaxed);
    let greets = request.method == daemon::Hello::METHOD;
    if greeted == greets {
        let sentence = if greets { "`hello` was already sent" } else { "say hello first" };
        refuse(session, &request.id, &RpcError::refused(sentence)).await;
        return None;
    }
    Some(request)
}

/// Returns whether a response can name a request by this id. A larger number comes back rounded in many languages.
fn is_id(id: &Json) -> bool {
    id.is_string() || id.as_i64().is_some_and(|number| number.unsigned_abs() <= MAX_ID)
}

async fn handle(session: &Arc<Session>, request: ReceivedRequest) {
    let greets = request.method == daemon::Hello::METHOD;
    let params = request.params.unwrap_or_else(|| Json::Object(serde_json::Map::new()));
    let Some(room) = session.reserve().await else { return };
    match Box::pin(dispatch(session, &request.method, &request.id, params)).await {
        Ok(answered) => {
            if greets {
                session.greeted.store(true, Ordering::Relaxed);
            }
            session.answer(room, &request.id, answered.text).await;
            if let Some(source) = answered.bytes {
                source.send(session).await;
            }
        }
        Err(error) => session.refuse(room, &request.id, &error).await,
    }
}

/// Writes until the connection or the daemon ends; ends the connection when it goes.
async fn write(
    session: &Arc<Session>,
    sink: &mut SplitSink<Socket, Message>,
    progress: &Progress,
    mut frames: mpsc::Receiver<Frame>,
    fault: &CloseReason,
    stop: CancellationToken,
    over: CancellationToken,
) {
    let mut burst = 0;
    loop {
        // Keeps the permit of a message until it is written.
        let mut frame = None;
        let message = tokio::select! {
            () = stop.cancelled() => {
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, flush_and_close(session, sink, &mut frames)).await;
                break;
            }
            () = over.cancelled() => {
                let _ = tokio::time::timeout(CLOSE_TIMEOUT, close(sink, fault)).await;
                break;
            }
            Some(next) = frames.recv() => frame.insert(next).message.clone(),
            outgoing = session.subscription.next() => {
                let Some(text) = outgoing.text() else { continue };
                if matches!(outgoing, Outgoing::Lagged) {
                    // The client has started to read again.
                    let session = Arc::clone(session);
                    tokio::spawn(async move { super::watch::again(&session).await });
                }
                Message::Text(text)
            }
        };
        burst += message.len();
        match progress.watch(TIMEOUT, sink.send(message)).await {
            Some(Ok(())) => {}
            Some(Err(error)) => {
                tracing::debug!(%error, "a connection ended");
                break;
            }
            None => {
                tracing::info!("a client that read nothing for 30 seconds was disconnected");
                break;
            }
        }
        drop(frame);
        if burst >= RELEASE_MEMORY_AFTER && frames.is_empty() {
            burst = 0;
            tokio::task::spawn_blocking(crate::memory::release);
        }
    }
    over.cancel();
    frames.close();
    while frames.try_recv().is_ok() {}
}

/// Replies to the client's close frame, or sends the reason why the connection ends.
async fn close(sink: &mut SplitSink<Socket, Message>, fault: &CloseReason) -> Result<(), Error> {
    if let Some(frame) = fault.get() {
        sink.send(Message::Close(Some(frame.clone()))).await?;
    }
    sink.close().await
}

/// Sends the pending frames, then closes the connection.
async fn flush_and_close(
    session: &Session,
    sink: &mut SplitSink<Socket, Message>,
    frames: &mut mpsc::Receiver<Frame>,
) -> Result<(), Error> {
    while let Ok(frame) = frames.try_recv() {
        sink.send(frame.message.clone()).await?;
    }
    while let Some(outgoing) = session.subscription.try_next() {
        let Some(text) = outgoing.text() else { continue };
        sink.send(Message::Text(text)).await?;
    }
    sink.close().await
}
