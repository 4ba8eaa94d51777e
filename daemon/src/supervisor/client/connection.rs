//! One connection to a supervisor: requests out, replies and notifications in.

use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};

use super::super::frame;
use super::super::message::{Containment, Reply, Request};
use super::subscribers::Subscribers;
use super::{AttemptState, BUILD};

/// How long a supervisor may take to greet; it has one thread, which may be starting commands.
const GREETING_TIMEOUT: Duration = Duration::from_secs(10);
/// The most requests that may wait to be sent.
const QUEUE: usize = 64;

/// The greeting of a supervisor.
#[derive(Debug, Clone)]
pub(super) struct Greeting {
    pub(super) version: u16,
    pub(super) build: String,
    pub(super) trees: Containment,
    pub(super) pid: u32,
}

/// Why a request got no reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoReply {
    /// It is longer than a frame.
    TooLong,
    /// The connection broke.
    Disconnected,
}

/// Requests that wait for a reply, with the parts of a list received so far.
type Waiting = HashMap<u32, (oneshot::Sender<Reply>, Vec<AttemptState>)>;

#[derive(Debug)]
struct Shared {
    /// `None` once the connection broke.
    waiting: Mutex<Option<Waiting>>,
    subscribers: Arc<Subscribers>,
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Option<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection that was greeted.
#[derive(Debug)]
pub(super) struct Connection {
    out: mpsc::Sender<Vec<u8>>,
    shared: Arc<Shared>,
    next: AtomicU32,
    closed: watch::Receiver<bool>,
}

/// Waits for the end of a connection without holding it.
#[derive(Debug)]
pub(super) struct End(watch::Receiver<bool>);

impl End {
    /// Waits for it.
    pub(super) async fn wait(&mut self) {
        // An error says that the reader is gone, which is the same.
        let _ = self.0.wait_for(|closed| *closed).await;
    }
}

impl Connection {
    /// Connects to the supervisor that listens on `socket`.
    pub(super) async fn to(
        socket: &Path,
        subscribers: Arc<Subscribers>,
    ) -> io::Result<(Arc<Self>, Greeting)> {
        let stream = UnixStream::connect(socket).await?;
        let (mut read, mut write) = stream.into_split();
        let hello = Request::Hello { version: frame::VERSION, build: BUILD.to_owned() };
        write.write_all(&hello.encode().unwrap_or_default()).await?;
        let mut buffer = Vec::new();
        let greeting = tokio::time::timeout(GREETING_TIMEOUT, receive(&mut read, &mut buffer)).await??;
        let Reply::Hello { version, build, trees, pid, .. } = greeting else {
            return Err(io::Error::other("it doesn't greet"));
        };
        let shared = Arc::new(Shared { waiting: Mutex::new(Some(HashMap::new())), subscribers });
        let (out, queue) = mpsc::channel(QUEUE);
        let (end, closed) = watch::channel(false);
        tokio::spawn(write_all(write, queue));
        let reader = Arc::clone(&shared);
        tokio::spawn(async move {
            read_all(read, buffer, &reader).await;
            *reader.waiting() = None;
            end.send_replace(true);
        });
        let connection = Self { out, shared, next: AtomicU32::new(1), closed };
        Ok((Arc::new(connection), Greeting { version, build, trees, pid }))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.shared.waiting().is_none()
    }

    /// Returns a handle to wait for its end.
    pub(super) fn closed(&self) -> End {
        End(self.closed.clone())
    }

    /// Sends a request and waits for the reply.
    pub(super) async fn ask(&self, request: impl Fn(u32) -> Request) -> Result<Reply, NoReply> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let frame = request(number).encode().ok_or(NoReply::TooLong)?;
        let (sender, reply) = oneshot::channel();
        match &mut *self.shared.waiting() {
            Some(waiting) => waiting.insert(number, (sender, Vec::new())),
            None => return Err(NoReply::Disconnected),
        };
        let _forget = Forget { shared: &self.shared, number };
        self.out.send(frame).await.map_err(|_| NoReply::Disconnected)?;
        reply.await.map_err(|_| NoReply::Disconnected)
    }

    /// Asks the supervisor to end if it is idle, and waits until it is gone. Returns whether it is.
    pub(super) async fn shut_down(&self) -> bool {
        match self.ask(|request| Request::Shutdown { request }).await {
            Ok(Reply::Done { yes: false, .. }) => return false,
            Ok(_) => self.closed().wait().await,
            Err(_) => {}
        }
        true
    }
}

/// Removes a request whose caller may be gone before the reply arrives.
struct Forget<'a> {
    shared: &'a Shared,
    number: u32,
}

impl Drop for Forget<'_> {
    fn drop(&mut self) {
        if let Some(waiting) = &mut *self.shared.waiting() {
            waiting.remove(&self.number);
        }
    }
}

async fn write_all(mut write: OwnedWriteHalf, mut queue: mpsc::Receiver<Vec<u8>>) {
    while let Some(mut bytes) = queue.recv().await {
        while let Ok(more) = queue.try_recv() {
            bytes.extend_from_slice(&more);
        }
        if write.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

async fn read_all(mut read: OwnedReadHalf, mut buffer: Vec<u8>, shared: &Shared) {
    while let Ok(reply) = receive(&mut read, &mut buffer).await {
        // Subscribers first: a caller with a reply finds the same in its subscription.
        shared.subscribers.notify(&reply);
        let Some(number) = reply.request() else { continue };
        let mut waiting = shared.waiting();
        let Some(waiting) = &mut *waiting else { return };
        if let Reply::Attempts { last: false, states, .. } = reply {
            if let Some((_, so_far)) = waiting.get_mut(&number) {
                so_far.extend(states);
            }
            continue;
        }
        let Some((sender, so_far)) = waiting.remove(&number) else { continue };
        let reply = match reply {
            Reply::Attempts { request, last, states } => {
                Reply::Attempts { request, last, states: [so_far, states].concat() }
            }
            reply => reply,
        };
        let _ = sender.send(reply);
    }
}

async fn receive(read: &mut OwnedReadHalf, buffer: &mut Vec<u8>) -> io::Result<Reply> {
    let malformed = |_| io::Error::other("it speaks another protocol");
    loop {
        if let Some((body, used)) = frame::first(buffer).map_err(malformed)? {
            let reply = Reply::decode(body).map_err(malformed)?;
            buffer.drain(..used);
            return Ok(reply);
        }
        if read.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
