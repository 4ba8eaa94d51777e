//! One connection: a task that reads, a task that writes, and the calls that wait for their responses.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use tokio::net::UnixStream;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::AbortHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};

use super::ClientError;
use super::parts::Parts;
use super::silence::{Expected, LiveSocket, Silence};
use crate::rpc::frame::{
    ACCEPTED_LIMIT, Incoming, JsonRpc2, MARK, REQUEST_LIMIT, ReceivedResponse, RequestFrame, split_mark,
};
use crate::rpc::watch::Notification;
use crate::rpc::{Request, assets};

/// How long the daemon may take to respond to a new connection.
pub(super) const HANDSHAKE: Duration = Duration::from_secs(10);
/// How many notifications may wait before the connection stops reading (unless a call waits for its response).
const WAITING: usize = 4096;
/// Frames of bytes that wait for their writer.
const MAX_QUEUED_CHUNKS: usize = 8;

type Socket = WebSocketStream<LiveSocket>;

/// A call that waits for its response.
struct Pending {
    /// Gets the frame; the caller knows how to decode it.
    answer: oneshot::Sender<Utf8Bytes>,
    /// Receives the bytes that follow the response, if any do.
    chunks: Option<mpsc::Sender<Vec<u8>>>,
}

/// Bytes that are on their way.
struct Stream {
    left: u64,
    chunks: mpsc::Sender<Vec<u8>>,
    _expected: Expected,
}

/// The state that tasks and calls share.
struct Shared {
    pending: Mutex<HashMap<u64, Pending>>,
    /// Notifications that were read but not yet received.
    waiting: AtomicUsize,
    /// Wakes the reading task, which checks whether it may continue.
    go_on: Notify,
    closed: watch::Sender<Option<String>>,
    silence: Arc<Silence>,
}

impl Shared {
    /// Locks the pending requests. A poisoned lock only means that another thread panicked between two operations on
    /// the map; the map is intact.
    fn pending(&self) -> MutexGuard<'_, HashMap<u64, Pending>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self, reason: &str) {
        self.closed.send_if_modified(|closed| {
            let first = closed.is_none();
            if first {
                *closed = Some(reason.to_owned());
            }
            first
        });
        self.pending().clear();
        self.silence.end();
    }
}

/// Notifications of a connection, in order.
#[derive(Debug)]
pub struct Notifications {
    receiver: mpsc::UnboundedReceiver<Notification>,
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

impl Notifications {
    /// Returns the next notification; `None` once the connection is lost.
    pub async fn recv(&mut self) -> Option<Notification> {
        let next = self.receiver.recv().await;
        self.taken(next)
    }

    /// Returns the next notification if one is waiting.
    pub fn try_recv(&mut self) -> Option<Notification> {
        let next = self.receiver.try_recv().ok();
        self.taken(next)
    }

    fn taken(&self, next: Option<Notification>) -> Option<Notification> {
        if next.is_some() && self.shared.waiting.fetch_sub(1, Ordering::AcqRel) == WAITING {
            self.shared.go_on.notify_one();
        }
        next
    }
}

impl Drop for Notifications {
    fn drop(&mut self) {
        self.receiver.close();
        self.shared.waiting.store(0, Ordering::Release);
        self.shared.go_on.notify_one();
    }
}

/// A connection to the daemon.
pub(super) struct Connection {
    next: AtomicU64,
    outgoing: mpsc::Sender<Message>,
    notifications: Mutex<Option<Notifications>>,
    shared: Arc<Shared>,
    tasks: [AbortHandle; 3],
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").field("shared", &self.shared).finish_non_exhaustive()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Returns whether the other side closed the socket in the middle of the handshake.
fn hung_up(error: &tungstenite::Error) -> bool {
    use std::io::ErrorKind;
    use tungstenite::Error;
    use tungstenite::error::ProtocolError;
    match error {
        Error::Io(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::UnexpectedEof
        ),
        Error::ConnectionClosed | Error::Protocol(ProtocolError::HandshakeIncomplete) => true,
        _ => false,
    }
}

impl Connection {
    /// Connects, checks the peer's user, and upgrades the socket to a WebSocket.
    pub(super) async fn open(path: &Path) -> Result<Self, ClientError> {
        let unreachable = |reason: String| ClientError::Unreachable { socket: path.to_owned(), reason };
        let stream = UnixStream::connect(path).await.map_err(|error| match error.kind() {
            // If a plain file is in the way, starting a daemon reports it. The listener may go away at any moment.
            std::io::ErrorKind::NotFound
            | std::io::ErrorKind::NotADirectory
            | std::io::ErrorKind::ConnectionRefused
            | std::io::ErrorKind::ConnectionReset => ClientError::NoDaemon(path.to_owned()),
            _ => unreachable(error.to_string()),
        })?;
        let uid = stream.peer_cred().map_err(|error| unreachable(error.to_string()))?.uid();
        if uid != rustix::process::geteuid().as_raw() {
            return Err(ClientError::NotOurs { socket: path.to_owned(), uid });
        }
        let config = tungstenite::protocol::WebSocketConfig::default()
            .max_message_size(Some(ACCEPTED_LIMIT))
            .max_frame_size(Some(ACCEPTED_LIMIT));
        let silence = Arc::new(Silence::new());
        let stream = LiveSocket { socket: stream, silence: Arc::clone(&silence) };
        let upgrade = tokio_tungstenite::client_async_with_config("ws://localhost/", stream, Some(config));
        let (socket, _) = tokio::time::timeout(HANDSHAKE, upgrade)
            .await
            .map_err(|_| ClientError::Silent(path.to_owned()))?
            .map_err(|error| match error {
                // The listener went away before it responded: the daemon is ending.
                error if hung_up(&error) => ClientError::NoDaemon(path.to_owned()),
                error => unreachable(error.to_string()),
            })?;
        Ok(Self::from_socket(socket, silence))
    }

    fn from_socket(socket: Socket, silence: Arc<Silence>) -> Self {
        let (sink, source) = socket.split();
        let (outgoing, to_send) = mpsc::channel(64);
        let (notify, receiver) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            pending: Mutex::default(),
            waiting: AtomicUsize::new(0),
            go_on: Notify::new(),
            closed: watch::Sender::new(None),
            silence,
        });
        let reading = tokio::spawn(read(source, Arc::clone(&shared), notify)).abort_handle();
        let writing = tokio::spawn(write(sink, Arc::clone(&shared), to_send)).abort_handle();
        let looking = tokio::spawn(Arc::clone(&shared.silence).look(outgoing.clone())).abort_handle();
        let notifications = Notifications { receiver, shared: Arc::clone(&shared) };
        Self {
            next: AtomicU64::new(1),
            outgoing,
            notifications: Mutex::new(Some(notifications)),
            shared,
            tasks: [reading, writing, looking],
        }
    }

    pub(super) fn notifications(&self) -> Option<Notifications> {
        self.notifications.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Returns why the connection is lost, if it is.
    pub(super) fn reason(&self) -> Option<String> {
        self.shared.closed.borrow().clone()
    }

    pub(super) async fn closed(&self) -> String {
        let mut closed = self.shared.closed.subscribe();
        match closed.wait_for(Option::is_some).await {
            Ok(reason) => reason.clone().unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    pub(super) fn silence(&self) -> &Silence {
        &self.shared.silence
    }

    pub(super) async fn call<R: Request>(&self, request: &R) -> Result<R::Response, ClientError> {
        self.send(request, None).await
    }

    /// Makes a call whose response is followed by bytes.
    pub(super) async fn stream<R: Request>(
        &self,
        request: &R,
    ) -> Result<(R::Response, mpsc::Receiver<Vec<u8>>), ClientError> {
        let (chunks, receiver) = mpsc::channel(MAX_QUEUED_CHUNKS);
        Ok((self.send(request, Some(chunks)).await?, receiver))
    }

    /// Sends bytes of an upload.
    pub(super) async fn send_bytes(&self, stream: u32, bytes: &[u8]) -> Result<(), ClientError> {
        let mut frame = Vec::with_capacity(MARK + bytes.len());
        frame.extend_from_slice(&stream.to_le_bytes());
        frame.extend_from_slice(bytes);
        let _expected = self.shared.silence.expect();
        let sent = self.outgoing.send(Message::binary(frame)).await;
        sent.map_err(|_| {
            ClientError::Disconnected(self.reason().unwrap_or_else(|| "it was closed".to_owned()))
        })
    }

    async fn send<R: Request>(
        &self,
        request: &R,
        chunks: Option<mpsc::Sender<Vec<u8>>>,
    ) -> Result<R::Response, ClientError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let call = RequestFrame { jsonrpc: JsonRpc2, id, method: R::METHOD, params: request };
        let text =
            serde_json::to_string(&call).map_err(|error| ClientError::BadResponse(error.to_string()))?;
        if text.len() > REQUEST_LIMIT {
            return Err(ClientError::TooLong(text.len()));
        }
        let (answer, receiver) = oneshot::channel();
        self.shared.pending().insert(id, Pending { answer, chunks });
        // When a call is dropped, so is its entry; a late response is then discarded.
        let _forget = Forget { shared: &self.shared, id };
        let _expected = self.shared.silence.expect();
        self.shared.go_on.notify_one();
        let lost = || ClientError::Disconnected(self.reason().unwrap_or_else(|| "it was closed".to_owned()));
        if self.reason().is_some() || self.outgoing.send(Message::text(text)).await.is_err() {
            return Err(lost());
        }
        let frame = receiver.await.map_err(|_| lost())?;
        let answer = serde_json::from_str::<ReceivedResponse<R::Response>>(&frame)
            .map_err(|error| ClientError::BadResponse(error.to_string()))?;
        Ok(answer.outcome()?)
    }
}

struct Forget<'a> {
    shared: &'a Shared,
    id: u64,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        self.shared.pending().remove(&self.id);
    }
}

async fn write(
    mut sink: SplitSink<Socket, Message>,
    shared: Arc<Shared>,
    mut frames: mpsc::Receiver<Message>,
) {
    while let Some(frame) = frames.recv().await {
        if let Err(error) = sink.send(frame).await {
            shared.close(&error.to_string());
            return;
        }
    }
}

async fn read(
    mut source: SplitStream<Socket>,
    shared: Arc<Shared>,
    notify: mpsc::UnboundedSender<Notification>,
) {
    let mut streams: HashMap<u32, Stream> = HashMap::new();
    let mut parts = Parts::default();
    let mut farewell = None;
    let reason = loop {
        // Notifications must not pile up here: the daemon copes with a client that does not read. But while a call
        // waits, reading continues, or a client that makes a call before it drains its notifications would wait for
        // ever.
        while shared.waiting.load(Ordering::Acquire) >= WAITING
            && !notify.is_closed()
            && shared.pending().is_empty()
            && streams.is_empty()
            && !shared.silence.is_pinged()
        {
            shared.silence.pause(true);
            shared.go_on.notified().await;
            shared.silence.pause(false);
        }
        match source.next().await {
            Some(Ok(Message::Text(text))) => match serde_json::from_str::<Incoming>(&text) {
                Ok(incoming) => {
                    if let Some(id) = incoming.id {
                        answered(&shared, &mut streams, id, text);
                    } else if let Some(notification) = incoming.params {
                        if let Notification::Bye { reason, .. } = &notification {
                            farewell = Some(reason.clone());
                        }
                        if let Some(notification) = parts.take(notification) {
                            shared.waiting.fetch_add(1, Ordering::AcqRel);
                            let _ = notify.send(notification);
                        }
                    }
                }
                Err(error) => break format!("the daemon sent something that can't be read: {error}"),
            },
            Some(Ok(Message::Binary(frame))) => received(&shared, &mut streams, &frame).await,
            Some(Ok(Message::Close(_))) | None => break "the daemon closed it".to_owned(),
            Some(Ok(_)) => {}
            Some(Err(error)) => break error.to_string(),
        }
    };
    shared.close(&farewell.unwrap_or(reason));
}

fn answered(shared: &Shared, streams: &mut HashMap<u32, Stream>, id: u64, frame: Utf8Bytes) {
    let Some(pending) = shared.pending().remove(&id) else { return };
    // The bytes follow immediately: register their stream before the next frame is read.
    if let Some(chunks) = pending.chunks
        && let Ok(ReceivedResponse { result: Some(bytes), .. }) =
            serde_json::from_str::<ReceivedResponse<assets::Bytes>>(&frame)
        && bytes.bytes > 0
    {
        let _expected = shared.silence.expect();
        streams.insert(bytes.stream, Stream { left: bytes.bytes, chunks, _expected });
    }
    let _ = pending.answer.send(frame);
}

/// Delivers a frame of bytes. An empty one means that the daemon can't read the rest.
async fn received(shared: &Shared, streams: &mut HashMap<u32, Stream>, frame: &[u8]) {
    let Some((number, bytes)) = split_mark(frame) else { return };
    let Some(stream) = streams.get_mut(&number) else { return };
    stream.left = stream.left.saturating_sub(bytes.len() as u64);
    let over = stream.left == 0 || bytes.is_empty();
    if !bytes.is_empty()
        && let Err(mpsc::error::TrySendError::Full(bytes)) = stream.chunks.try_send(bytes.to_vec())
    {
        shared.silence.pause(true);
        let _ = stream.chunks.send(bytes).await;
        shared.silence.pause(false);
    }
    if over {
        streams.remove(&number);
    }
}
