//! One connection: a loop that reads requests, a loop that writes answers, notifications and bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use fanlight_shared::rpc::frame::{Called, MESSAGE_LIMIT, Refused, Two};
use fanlight_shared::rpc::{ErrorCode, Request, RpcError, daemon, watch};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value as Json;
use tokio::net::UnixStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request as Upgrade, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_util::sync::CancellationToken;

use super::Context;
use super::dispatch::dispatch;
use super::recent::Recent;
use crate::hub::{Outgoing, Subscription, text, written};

/// How long a connection may take to become a WebSocket, and then to say hello.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long one frame may take: a client that does not read at all is cut off.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long the last frames may take when the daemon ends.
const GOODBYE: Duration = Duration::from_secs(1);
/// Requests of one connection that are worked on at once.
const REQUESTS: usize = 32;
/// Frames of bytes that wait to be written.
const CHUNKS: usize = 2;

type Socket = WebSocketStream<UnixStream>;

/// A frame that waits to be written; of a frame of bytes the place among those that may wait.
pub(super) struct Frame(Message, #[allow(dead_code)] Option<OwnedSemaphorePermit>);

/// What the handlers of one connection share.
pub(super) struct Session {
    pub(super) context: Arc<Context>,
    pub(super) subscription: Subscription,
    /// Held while runs are read from the store for the subscription: a change of what is watched waits.
    pub(super) attaching: tokio::sync::Mutex<()>,
    pub(super) recent: Recent,
    frames: mpsc::Sender<Frame>,
    chunks: Arc<Semaphore>,
    streams: AtomicU32,
    greeted: AtomicBool,
}

impl Session {
    /// The number of a new stream of bytes.
    pub(super) fn next_stream(&self) -> u32 {
        self.streams.fetch_add(1, Ordering::Relaxed)
    }

    /// Hands a text frame to the writing loop.
    async fn answer(&self, text: Utf8Bytes) {
        let _ = self.frames.send(Frame(Message::Text(text), None)).await;
    }

    /// Hands bytes to the writing loop; waits until there is room. `false`: the connection is gone.
    pub(super) async fn chunk(&self, bytes: Vec<u8>) -> bool {
        let Ok(place) = Arc::clone(&self.chunks).acquire_owned().await else { return false };
        self.frames.send(Frame(Message::binary(bytes), Some(place))).await.is_ok()
    }

    async fn refuse(&self, id: &Json, error: &RpcError) {
        self.answer(text(&Refused { jsonrpc: Two, id, error })).await;
    }
}

/// Serves one connection until it ends or the daemon does.
pub(super) async fn run(stream: UnixStream, context: Arc<Context>, stop: CancellationToken) {
    let limits =
        WebSocketConfig::default().max_message_size(Some(MESSAGE_LIMIT)).max_frame_size(Some(MESSAGE_LIMIT));
    let upgrade = tokio_tungstenite::accept_hdr_async_with_config(stream, allow, Some(limits));
    let socket = match tokio::time::timeout(HANDSHAKE, upgrade).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(error)) => return tracing::debug!(%error, "no handshake"),
        Err(_) => return tracing::debug!("a connection said nothing"),
    };
    let _counted = Counted::new(Arc::clone(&context));
    let (sink, source) = socket.split();
    let (frames, waiting) = mpsc::channel(REQUESTS);
    let session = Arc::new(Session {
        subscription: Subscription::new(Arc::clone(&context.hub)),
        context,
        attaching: tokio::sync::Mutex::default(),
        recent: Recent::default(),
        frames,
        chunks: Arc::new(Semaphore::new(CHUNKS)),
        streams: AtomicU32::new(1),
        greeted: AtomicBool::new(false),
    });
    let over = CancellationToken::new();
    let writing = write(Arc::clone(&session), sink, waiting, stop, over.clone());
    let reading = async {
        tokio::select! {
            () = over.cancelled() => {}
            () = read(&session, source) => {}
        }
        // Nothing more is asked for; what is under way may still be told.
        over.cancel();
    };
    tokio::join!(writing, reading);
}

/// Lets through what is no web page and asks for the one path there is.
#[allow(clippy::result_large_err)]
fn allow(request: &Upgrade, response: Response) -> Result<Response, ErrorResponse> {
    let refuse = |status: StatusCode, reason: &str| {
        let mut refusal = ErrorResponse::new(Some(reason.to_owned()));
        *refusal.status_mut() = status;
        Err(refusal)
    };
    if request.uri().path() != "/" {
        return refuse(StatusCode::NOT_FOUND, "the only path is /");
    }
    if request.headers().contains_key("origin") {
        return refuse(StatusCode::FORBIDDEN, "web pages may not connect");
    }
    Ok(response)
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
async fn read(session: &Arc<Session>, mut source: SplitStream<Socket>) {
    let slots = Arc::new(Semaphore::new(REQUESTS));
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
                let Some(called) = called(session, &frame).await else { continue };
                // These two decide what later frames mean, so they keep their place.
                if called.method == daemon::Hello::METHOD || called.method == watch::Watch::METHOD {
                    handle(session, called).await;
                    continue;
                }
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
                let session = Arc::clone(session);
                requests.spawn(async move {
                    handle(&session, called).await;
                    drop(slot);
                });
            }
            Some(Ok(Message::Binary(_))) => {
                let error = RpcError::new(ErrorCode::Malformed, "requests are text frames");
                session.refuse(&Json::Null, &error).await;
            }
            Some(Ok(Message::Close(_))) | None => return,
            Some(Ok(_)) => {}
            Some(Err(error)) => return tracing::debug!(%error, "a connection ended"),
        }
    }
}

/// The request of a frame, if it is one and may be made now.
async fn called(session: &Session, frame: &str) -> Option<Called> {
    let called = match serde_json::from_str::<Called>(frame) {
        Ok(called) if called.id.is_number() || called.id.is_string() => called,
        Ok(_) => {
            let error = RpcError::new(ErrorCode::Malformed, "`id` must be a number or a text");
            session.refuse(&Json::Null, &error).await;
            return None;
        }
        Err(error) => {
            let error = RpcError::new(ErrorCode::Malformed, format!("this is no JSON-RPC request: {error}"));
            session.refuse(&Json::Null, &error).await;
            return None;
        }
    };
    let greeted = session.greeted.load(Ordering::Relaxed);
    let greets = called.method == daemon::Hello::METHOD;
    if greeted == greets {
        let sentence = if greets { "hello was said already" } else { "say hello first" };
        session.refuse(&called.id, &RpcError::refused(sentence)).await;
        return None;
    }
    Some(called)
}

async fn handle(session: &Arc<Session>, called: Called) {
    let greets = called.method == daemon::Hello::METHOD;
    let params = called.params.unwrap_or_else(|| Json::Object(serde_json::Map::new()));
    match Box::pin(dispatch(session, &called.method, &called.id, params)).await {
        Ok(answered) => {
            if greets {
                session.greeted.store(true, Ordering::Relaxed);
            }
            session.answer(answered.text).await;
            if let Some(source) = answered.bytes {
                source.send(session).await;
            }
        }
        Err(error) => session.refuse(&called.id, &error).await,
    }
}

/// Writes until the connection or the daemon ends; ends the connection when it goes.
async fn write(
    session: Arc<Session>,
    mut sink: SplitSink<Socket, Message>,
    mut frames: mpsc::Receiver<Frame>,
    stop: CancellationToken,
    over: CancellationToken,
) {
    loop {
        let message = tokio::select! {
            () = stop.cancelled() => {
                let _ = tokio::time::timeout(GOODBYE, goodbye(&session, &mut sink, &mut frames)).await;
                break;
            }
            () = over.cancelled() => break,
            Some(Frame(message, _place)) = frames.recv() => message,
            outgoing = session.subscription.next() => {
                let Some(text) = written(&outgoing) else { continue };
                if matches!(outgoing, Outgoing::Lagged) {
                    // Only now the client reads again.
                    let session = Arc::clone(&session);
                    tokio::spawn(async move { super::watch::again(&session).await });
                }
                Message::Text(text)
            }
        };
        match tokio::time::timeout(PATIENCE, sink.send(message)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::debug!(%error, "a connection ended");
                break;
            }
            Err(_) => {
                tracing::info!("a client did not read for 30 seconds and was cut off");
                break;
            }
        }
    }
    over.cancel();
}

/// What waits is still sent, then the connection is closed.
async fn goodbye(
    session: &Session,
    sink: &mut SplitSink<Socket, Message>,
    frames: &mut mpsc::Receiver<Frame>,
) {
    while let Ok(Frame(message, _place)) = frames.try_recv() {
        if sink.send(message).await.is_err() {
            return;
        }
    }
    while let Some(outgoing) = session.subscription.try_next() {
        let Some(text) = written(&outgoing) else { continue };
        if sink.send(Message::Text(text)).await.is_err() {
            return;
        }
    }
    let _ = sink.close().await;
}
