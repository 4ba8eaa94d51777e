//! Waits until a graph has ended. The messages of the websocket show how far it is and when to look; the server's queue
//! and history decide.

use std::collections::BTreeSet;
use std::time::Duration;

use fanlight_shared::media::MediaKind;
use fanlight_shared::value::Value;
use tokio::time::Instant;

use super::prompt::Prompt;
use crate::comfy::{Entry, Graph, Message, Place, ServerError};
use crate::file_error::FileError;
use crate::media;
use crate::node_type::NodeCall;
use crate::node_type::retry::{Failure, Retries};
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::store::blob::Published;

/// How long nothing may be heard before the server is asked.
const SILENCE: Duration = Duration::from_secs(30);
/// The time between questions while there are no messages.
const POLL_INTERVAL: Duration = Duration::from_secs(2);
/// The time between pictures that are shown.
const PREVIEW_INTERVAL: Duration = Duration::from_millis(500);

/// How far a graph is.
struct Progress<'a> {
    call: &'a NodeCall,
    graph: &'a Graph,
    done: BTreeSet<String>,
    current: Option<String>,
    /// The bytes of the picture that is shown, and since when.
    shown: Option<(Published, Instant)>,
}

impl Prompt {
    /// Waits until the graph has ended.
    ///
    /// # Errors
    /// The server lost it, or can't be asked any longer.
    pub(super) async fn follow(&mut self, call: &NodeCall, graph: &Graph) -> Result<Entry, FileError> {
        let mut progress = Progress { call, graph, done: BTreeSet::new(), current: None, shown: None };
        let times = call.inputs.count("retries")?;
        let mut retries = Retries::new(times);
        let mut ask = true;
        loop {
            if ask {
                match self.look().await {
                    Ok(Place::Ended(entry)) => {
                        self.ended = true;
                        return Ok(entry);
                    }
                    Ok(Place::Waiting { before, .. }) => {
                        let words = format!("waits in the server's queue, {before} before it");
                        call.services.progress(None, Some(&words));
                    }
                    Ok(Place::Running { .. }) => {}
                    Ok(Place::Nowhere) => {
                        self.ended = true;
                        return Err("the server has neither the graph nor its result: it was removed from the queue, or the \
                                    server was restarted"
                            .into());
                    }
                    Err(ServerError::Wrong(why) | ServerError::Refused(why)) => return Err(why.into()),
                    Err(trouble) => {
                        self.socket = None;
                        retries.wait(&call.services, Failure::Again(trouble.to_string(), None)).await?;
                        continue;
                    }
                }
                retries = Retries::new(times);
                self.reconnect().await;
            }
            ask = self.receive(&mut progress).await?;
        }
    }

    async fn look(&mut self) -> Result<Place, ServerError> {
        let Some(at) = &self.at else { return Ok(Place::Nowhere) };
        at.server.find(&at.ticket, at.id.as_deref()).await
    }

    /// Connects the messages again. Without them the graph is asked for.
    async fn reconnect(&mut self) {
        if let (None, Some(at)) = (&self.socket, &self.at) {
            self.socket = at.server.connect(&at.ticket).await.ok();
        }
    }

    /// Hears the next message. Returns whether to ask the server now.
    async fn receive(&mut self, progress: &mut Progress<'_>) -> Result<bool, FileError> {
        let id = self.at.as_ref().and_then(|at| at.id.clone()).unwrap_or_default();
        let Some(socket) = &mut self.socket else {
            tokio::time::sleep(POLL_INTERVAL).await;
            return Ok(true);
        };
        match tokio::time::timeout(SILENCE, socket.next(&id)).await {
            Err(_) => Ok(true),
            Ok(None) => {
                self.socket = None;
                // A server that takes connections and closes them at once is not asked without a pause.
                tokio::time::sleep(POLL_INTERVAL).await;
                Ok(true)
            }
            Ok(Some(message)) => progress.take(message).await,
        }
    }
}

impl Progress<'_> {
    /// Takes a message. Returns whether to ask the server now.
    async fn take(&mut self, message: Message) -> Result<bool, FileError> {
        match message {
            // While it waits, its place in the queue may have changed.
            Message::Queue => return Ok(self.current.is_none()),
            Message::Executing(None) => return Ok(true),
            Message::Cached(nodes) => self.done.extend(nodes),
            Message::Executing(Some(node)) => {
                self.done.extend(self.current.replace(node));
                self.show(0.0);
            }
            Message::Progress(fraction) => self.show(fraction),
            Message::Preview(bytes) => self.preview(bytes).await?,
        }
        Ok(false)
    }

    fn show(&self, of_node: f64) {
        let all = self.graph.ids().count().max(1);
        let done = self.graph.ids().filter(|id| self.done.contains(*id)).count();
        let fraction = (done as f64 + of_node) / all as f64;
        let current = self.current.as_deref().unwrap_or_default();
        // Nodes that the server adds have no class here.
        let words = self.graph.class(current).map_or_else(|| format!("node {current}"), str::to_owned);
        self.call.services.progress(Some(fraction.min(1.0)), Some(&words));
    }

    /// Shows the picture so far, unless another one has just been shown.
    async fn preview(&mut self, bytes: Vec<u8>) -> Result<(), FileError> {
        if self.shown.as_ref().is_some_and(|(_, since)| since.elapsed() < PREVIEW_INTERVAL) {
            return Ok(());
        }
        let (blobs, bytes) = (self.call.blobs.clone(), std::sync::Arc::new(bytes));
        let publish = move || {
            let published = blobs.publish(bytes.to_vec())?;
            let picture = media::stored(&blobs, published.hash, published.bytes, "preview")?;
            Ok((picture, published))
        };
        let (picture, published) = self.call.services.blocking(publish).await?;
        if picture.kind == MediaKind::Image {
            self.call.services.partial("images", Value::from(picture));
            self.shown = Some((published, Instant::now()));
        }
        Ok(())
    }
}
