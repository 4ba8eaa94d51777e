//! In the daemon: what the node of a worker says, brought to the reporter of its attempt.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::Media;
use fanlight_shared::value::Value;
use tokio::time::Instant;

use super::made::{Known, settle};
use super::scratch::Scratch;
use crate::media;
use crate::node_type::NewFile;
use crate::services::{Report, Reporter};
use crate::store::blob::{Blobs, Published};

/// The most frames that are read in a [`WINDOW`]; a worker that sends more waits. A normal one sends a third of that.
const MAX_FRAMES: u32 = 10;
const WINDOW: Duration = Duration::from_millis(100);

/// Reads the reports of the node of one request.
pub(super) struct Listener<'a> {
    scratch: &'a Scratch,
    reporter: Reporter,
    blobs: Blobs,
    /// The media that the node was given.
    known: Known,
    state: Mutex<State>,
}

struct State {
    /// The start of the window, and the number of frames that were read in it.
    window: (Instant, u32),
    /// Keeps the bytes that a partial output refers to, by port.
    shown: HashMap<String, Vec<Published>>,
}

impl<'a> Listener<'a> {
    pub(super) fn new(scratch: &'a Scratch, reporter: Reporter, blobs: Blobs, known: Known) -> Self {
        let state = State { window: (Instant::now(), 0), shown: HashMap::new() };
        Self { scratch, reporter, blobs, known, state: Mutex::new(state) }
    }

    /// Locks it. Each change leaves it consistent, so a poisoned lock is harmless.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a frame. Meanwhile nothing is read from the worker.
    pub(super) async fn receive(&self, reports: Vec<Report>, files: BTreeMap<BlobHash, NewFile>) {
        let wait = {
            let mut state = self.state();
            let (begin, frames) = &mut state.window;
            if begin.elapsed() >= WINDOW {
                (*begin, *frames) = (Instant::now(), 0);
            }
            *frames += 1;
            (*frames > MAX_FRAMES).then(|| *begin + WINDOW)
        };
        if let Some(until) = wait {
            tokio::time::sleep_until(until).await;
        }
        for report in reports {
            match report {
                Report::Partial { port, value } => self.partial(&files, port, value).await,
                report => self.reporter.take(report),
            }
        }
    }

    /// Shows a partial output, unless there is no space for it or it names media that the node does not have.
    async fn partial(&self, files: &BTreeMap<BlobHash, NewFile>, port: String, mut value: Value) {
        let (mut made, mut published) = (BTreeMap::new(), Vec::new());
        for media in value.media() {
            let Some(new) = files.get(&media.hash) else { continue };
            match self.publish(new).await {
                Ok((media_of_it, blob)) => {
                    made.insert(media.hash, media_of_it);
                    published.push(blob);
                }
                Err(why) => return tracing::debug!("a partial output is not shown: {why}"),
            }
        }
        if let Err(why) = settle(&mut value, &made, &self.known) {
            return tracing::debug!("a partial output is not shown: {why}");
        }
        self.reporter.take(Report::Partial { port: port.clone(), value });
        self.state().shown.insert(port, published);
    }

    async fn publish(&self, new: &NewFile) -> Result<(Media, Published), String> {
        let file = self.scratch.open(&new.file).map_err(|error| error.to_string())?;
        let (blobs, name) = (self.blobs.clone(), new.name.clone());
        let published = tokio::task::spawn_blocking(move || media::publish(&blobs, file, &name)).await;
        Ok(published.map_err(|error| error.to_string())??)
    }
}
