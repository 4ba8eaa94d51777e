//! The state that handlers of one connection share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};

use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::frame::{ErrorFrame, JsonRpc2, MESSAGE_LIMIT, RESPONSES_LIMIT};
use serde_json::Value as Json;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::context::Context;
use super::incoming::Incoming;
use super::recent::Recent;
use crate::hub::{Subscription, text};

/// Frames of bytes that wait to be written.
const MAX_QUEUED_CHUNKS: usize = 2;
/// The most frames that wait to be written.
const MAX_QUEUED_FRAMES: usize = 64;

/// A frame that waits to be written, and the budget that it uses.
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) message: Message,
    _place: OwnedSemaphorePermit,
    queued: Arc<AtomicUsize>,
    bytes: usize,
}

impl Frame {
    fn new(message: Message, place: OwnedSemaphorePermit, queued: &Arc<AtomicUsize>) -> Self {
        let bytes = message.len();
        queued.fetch_add(bytes, Ordering::Relaxed);
        Self { message, _place: place, queued: Arc::clone(queued), bytes }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.queued.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The state that handlers of one connection share.
pub(super) struct Session {
    pub(super) context: Arc<Context>,
    pub(super) subscription: Subscription,
    /// Held while runs are read from the store for the subscription, so that a change of the subscription waits.
    pub(super) attaching: tokio::sync::Mutex<()>,
    pub(super) recent: Recent,
    pub(super) uploads: Incoming,
    pub(super) greeted: AtomicBool,
    frames: mpsc::Sender<Frame>,
    responses: Arc<Semaphore>,
    chunks: Arc<Semaphore>,
    streams: AtomicU32,
}

/// The reserved budget of one response.
#[derive(Debug)]
pub(super) struct Reserved(OwnedSemaphorePermit);

impl Session {
    /// Creates a session; also returns the receiver of its frames for the writing loop.
    pub(super) fn new(context: Arc<Context>) -> (Arc<Self>, mpsc::Receiver<Frame>) {
        let (frames, waiting) = mpsc::channel(MAX_QUEUED_FRAMES);
        let session = Self {
            subscription: Subscription::new(Arc::clone(&context.hub)),
            context,
            attaching: tokio::sync::Mutex::default(),
            recent: Recent::default(),
            uploads: Incoming::default(),
            greeted: AtomicBool::new(false),
            frames,
            responses: Arc::new(Semaphore::new(RESPONSES_LIMIT)),
            chunks: Arc::new(Semaphore::new(MAX_QUEUED_CHUNKS)),
            streams: AtomicU32::new(1),
        };
        (Arc::new(session), waiting)
    }

    /// Returns the number of a new stream of bytes.
    pub(super) fn next_stream(&self) -> u32 {
        self.streams.fetch_add(1, Ordering::Relaxed)
    }

    /// Waits until there is budget for a response. The response is only made then, which bounds the memory of a client
    /// that sends requests and does not read. Returns `None` if the connection is gone.
    pub(super) async fn reserve(&self) -> Option<Reserved> {
        let bytes = u32::try_from(MESSAGE_LIMIT).unwrap_or(u32::MAX);
        Arc::clone(&self.responses).acquire_many_owned(bytes).await.ok().map(Reserved)
    }

    /// Sends a response to the writing loop.
    pub(super) async fn answer(&self, reserved: Reserved, id: &Json, text: Utf8Bytes) {
        let Reserved(mut room) = reserved;
        let text = if text.len() <= MESSAGE_LIMIT {
            text
        } else {
            tracing::error!(bytes = text.len(), "a response is longer than a message may be");
            let error = RpcError::internal("the response is too long for one message; request less of it");
            refused(id, &error)
        };
        if let Some(place) = room.split(text.len()) {
            drop(room);
            let frame = Frame::new(Message::Text(text), place, &self.context.queued);
            let _ = self.frames.send(frame).await;
        }
    }

    /// Sends an error to the writing loop.
    pub(super) async fn refuse(&self, reserved: Reserved, id: &Json, error: &RpcError) {
        let mut error = error.clone();
        error.shorten();
        self.answer(reserved, id, refused(id, &error)).await;
    }

    /// Waits until bytes may be sent. Returns `None` if the connection is gone.
    pub(super) async fn chunk_place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.chunks).acquire_owned().await.ok()
    }

    /// Sends bytes to the writing loop. Returns `false` if the connection is gone.
    pub(super) async fn chunk(&self, place: OwnedSemaphorePermit, bytes: Vec<u8>) -> bool {
        let frame = Frame::new(Message::binary(bytes), place, &self.context.queued);
        self.frames.send(frame).await.is_ok()
    }
}

fn refused(id: &Json, error: &RpcError) -> Utf8Bytes {
    text(&ErrorFrame { jsonrpc: JsonRpc2, id, error })
}
