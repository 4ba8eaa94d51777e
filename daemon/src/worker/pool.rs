//! The worker processes of a daemon.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fanlight_shared::event::NodeError;
use fanlight_shared::id::{AttemptId, BlobHash};
use fanlight_shared::media::Media;
use fanlight_shared::value::{Value, Values};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::attempt::{Attempt, Outcome};
use crate::file_error::FileError;
use crate::node_type::NodeType;
use crate::rooted::remove_tree;
use crate::services::Reporter;
use crate::store::blob::{Blobs, Published};

use super::frame::{Request, Response};
use super::listener::Listener;
use super::made::{Made, known};
use super::process::{NoResponse, Process};
use super::scratch::Scratch;

/// How long a worker may be idle before it is ended.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a preview may take.
const PREVIEW_TIMEOUT: Duration = Duration::from_secs(5 * 60);
/// The largest preview kept, in bytes.
const MAX_PREVIEW_BYTES: u64 = 1 << 20;

/// The worker processes of a daemon: a limited number, started when needed, kept for further requests, ended when idle.
#[derive(Clone, Debug)]
pub struct Workers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    helper: PathBuf,
    blobs: Blobs,
    /// A folder of its own, so that the leftovers of a crash can be removed as a whole.
    scratch: PathBuf,
    /// The folder of the folders of attempts.
    attempts: PathBuf,
    /// First in, first out.
    slots: Semaphore,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    /// The last used one is at the end and is used first, so that the others can time out.
    processes: Vec<Process>,
    /// Whether a task waits to end them; without idle workers there is none, so that an idle daemon never wakes.
    sweeping: bool,
}

/// Why a request has no result.
enum Stop {
    Cancelled,
    /// The worker was ended from outside, before it answered.
    Lost(String),
    Failed(String),
    /// The disk is full.
    Full(String),
}

impl From<FileError> for Stop {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Full(sentence) => Self::Full(sentence),
            FileError::Other(sentence) => Self::Failed(sentence),
        }
    }
}

impl From<String> for Stop {
    fn from(sentence: String) -> Self {
        Self::Failed(sentence)
    }
}

impl Workers {
    /// Workers that run `helper worker`, at most `most` at once.
    #[must_use]
    pub fn new(helper: &Path, most: usize, blobs: Blobs, scratch: PathBuf, attempts: PathBuf) -> Self {
        let scratch = scratch.join("workers");
        if let Err(error) = remove_tree(&scratch) {
            tracing::warn!("what an earlier daemon left in {} can't be removed: {error}", scratch.display());
        }
        let slots = Semaphore::new(most.max(1));
        let (helper, idle) = (helper.to_owned(), Mutex::default());
        let inner = Inner { helper, blobs, scratch, attempts, slots, idle };
        Self { inner: Arc::new(inner) }
    }

    /// Returns the blob store.
    pub(super) fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    /// Runs one attempt of a native node in a worker. Cancel kills the worker.
    pub async fn run(&self, attempt: Attempt, node_type: Arc<NodeType>, inputs: Values) -> Outcome {
        let folder = self.inner.attempts.join(attempt.id.to_string());
        let reporter = Reporter::new(attempt.clone(), &folder);
        let outcome = match self.make(&attempt, &node_type, inputs, &reporter).await {
            Ok((values, blobs)) => Outcome::completed(values, blobs),
            // A full disk is waited for, until a cancel.
            Err(Stop::Cancelled | Stop::Full(_)) => Outcome::cancelled(),
            Err(Stop::Lost(sentence)) => Outcome::lost(&sentence),
            Err(Stop::Failed(sentence)) => Outcome::failed(NodeError::new(sentence)),
        };
        // The cost is spent, however the attempt ended.
        Outcome { cost_usd: reporter.cost_usd(), ..outcome }
    }

    async fn make(
        &self,
        attempt: &Attempt,
        node_type: &NodeType,
        inputs: Values,
        reporter: &Reporter,
    ) -> Result<(Values, Vec<Published>), Stop> {
        let given: Vec<Media> = inputs.values().flat_map(Value::media).map(Clone::clone).collect();
        let known = known(&given);
        let outputs = node_type.declared_outputs();
        let name = format!("{}", attempt.id);
        let space = self.inner.blobs.space().clone();
        // While it waits, it holds no slot, and its folder takes no space.
        let asked = space.retry(&attempt.cancel, || {
            let ask = |files, folder| Request::Run {
                node_type: node_type.spec.name.clone(),
                inputs: inputs.clone(),
                outputs: outputs.clone(),
                files,
                folder,
            };
            let asking =
                self.request(&attempt.cancel, &name, given.clone(), ask, Some((reporter, node_type.time)));
            async {
                match asking.await {
                    Ok((Response::Full(why), _)) | Err(Stop::Full(why)) => Err(FileError::Full(why)),
                    done => Ok(done),
                }
            }
        });
        let (response, scratch) = asked.await??;
        let (values, files) = match response {
            Response::Made { values, files } => (values, files),
            Response::Failed(sentence) | Response::Full(sentence) => return Err(Stop::Failed(sentence)),
            Response::Preview(_) | Response::Whole | Response::Said { .. } | Response::Ends => {
                return Err(Stop::Failed("the worker answered another question".into()));
            }
        };
        let blobs = self.inner.blobs.clone();
        let made = Arc::new(Made { blobs, scratch, values, files, known });
        let made = space.retry(&attempt.cancel, || {
            let made = Arc::clone(&made);
            let publishing = tokio::task::spawn_blocking(move || made.publish());
            async { publishing.await.unwrap_or_else(|error| Err(error.to_string().into())) }
        });
        let made = made.await?;
        if attempt.cancel.is_cancelled() {
            return Err(Stop::Cancelled);
        }
        Ok(made)
    }

    /// Checks that stored bytes are a whole file.
    ///
    /// # Errors
    /// It is damaged or cut, or the worker can't check it.
    pub async fn check(&self, media: Media, cancel: CancellationToken) -> Result<(), FileError> {
        let name = format!("check-{}", AttemptId::new());
        self.inner
            .blobs
            .space()
            .retry(&cancel, || {
                let wanted = media.clone();
                let ask = |mut files: BTreeMap<BlobHash, PathBuf>, _| {
                    let file = files.remove(&wanted.hash).unwrap_or_default();
                    Request::Check { media: wanted, file }
                };
                let asking = self.request(&cancel, &name, vec![media.clone()], ask, None);
                async {
                    match asking.await {
                        Ok((Response::Whole, _)) => Ok(()),
                        Ok((Response::Full(why), _)) | Err(Stop::Full(why)) => Err(FileError::Full(why)),
                        Ok((Response::Failed(why), _)) | Err(Stop::Failed(why) | Stop::Lost(why)) => {
                            Err(FileError::Other(why))
                        }
                        Ok(_) => Err("the worker answered another question".into()),
                        Err(Stop::Cancelled) => Err("cancelled".into()),
                    }
                }
            })
            .await
    }

    /// Makes the preview of stored bytes: its MIME type and bytes, or `None` if there is nothing to show.
    pub async fn preview(&self, media: Media) -> Option<(String, Vec<u8>)> {
        let what = format!("{} `{}`", media.mime, fanlight_shared::value::cut(&media.name, 60));
        match self.make_preview(media).await {
            Ok(preview) => preview,
            Err(Stop::Cancelled) => None,
            Err(Stop::Lost(sentence) | Stop::Failed(sentence) | Stop::Full(sentence)) => {
                tracing::info!("no preview of {what}: {sentence}");
                None
            }
        }
    }

    async fn make_preview(&self, media: Media) -> Result<Option<(String, Vec<u8>)>, Stop> {
        if media.kind == fanlight_shared::media::MediaKind::Dir {
            return Ok(None);
        }
        let name = format!("preview-{}", AttemptId::new());
        let wanted = media.clone();
        let ask = |mut files: BTreeMap<BlobHash, PathBuf>, folder| {
            let file = files.remove(&wanted.hash).unwrap_or_default();
            Request::Preview { media: wanted, file, folder }
        };
        let (response, scratch) =
            self.request(&CancellationToken::new(), &name, vec![media], ask, None).await?;
        match response {
            Response::Preview(None) => Ok(None),
            Response::Preview(Some((mime, file))) => {
                let bytes = tokio::task::spawn_blocking(move || read_preview(&scratch, &file));
                let bytes = bytes.await.map_err(|error| error.to_string())??;
                Ok(Some((mime, bytes)))
            }
            Response::Failed(sentence) | Response::Full(sentence) => Err(Stop::Failed(sentence)),
            Response::Made { .. } | Response::Whole | Response::Said { .. } | Response::Ends => {
                Err(Stop::Failed("the worker answered another question".into()))
            }
        }
    }

    /// Waits for a slot, lays out the folder, asks a worker.
    async fn request(
        &self,
        cancel: &CancellationToken,
        name: &str,
        media: Vec<Media>,
        ask: impl FnOnce(BTreeMap<BlobHash, PathBuf>, PathBuf) -> Request,
        node: Option<(&Reporter, Duration)>,
    ) -> Result<(Response, Scratch), Stop> {
        let slot = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(Stop::Cancelled),
            slot = self.inner.slots.acquire() => slot,
        };
        let _slot = slot.map_err(|_| "the daemon stops".to_owned())?;
        let known = known(&media);
        let (path, blobs) = (self.inner.scratch.join(name), self.inner.blobs.clone());
        let lay_out = move || -> Result<_, FileError> {
            let scratch =
                Scratch::new(path).map_err(|error| FileError::of("no folder for the worker", &error))?;
            let files = scratch.materialise(&blobs, &media.iter().collect::<Vec<_>>())?;
            Ok((scratch, files))
        };
        let laid_out = tokio::task::spawn_blocking(lay_out).await.map_err(|error| error.to_string())?;
        let (scratch, files) = laid_out?;
        let request = ask(files, scratch.made());
        let blobs = self.inner.blobs.clone();
        let listener = node.map(|(reporter, _)| Listener::new(&scratch, reporter.clone(), blobs, known));
        let time = node.map_or(PREVIEW_TIMEOUT, |(_, time)| time);
        let response = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(Stop::Cancelled),
            response = tokio::time::timeout(time, self.ask(&request, listener.as_ref())) => match response {
                Ok(response) => response,
                Err(_) => Err(Stop::Failed(format!(
                    "this took a worker more than {} minutes and was ended",
                    time.as_secs() / 60
                ))),
            },
        };
        drop(listener);
        Ok((response?, scratch))
    }

    /// Asks a warm worker or a new one. Dropped midway, the worker dies with it.
    async fn ask(&self, request: &Request, listener: Option<&Listener<'_>>) -> Result<Response, Stop> {
        loop {
            let warm = self.idle().processes.pop();
            let reused = warm.is_some();
            let mut process = match warm {
                Some(process) => process,
                None => Process::start(&self.inner.helper).map_err(|error| {
                    format!("the worker {} can't be started: {error}", self.inner.helper.display())
                })?,
            };
            let response = process.ask(request, listener).await;
            match response {
                Ok(response) => {
                    self.put_back(process).await;
                    return Ok(response);
                }
                // It died while it had nothing to do; that says nothing about the request.
                Err(NoResponse::HadEnded) if reused => process.end().await,
                Err(NoResponse::HadEnded) => {
                    return Err(Stop::Failed("the worker ended as soon as it started".into()));
                }
                Err(NoResponse::Refused(sentence)) => {
                    self.put_back(process).await;
                    return Err(Stop::Failed(sentence));
                }
                Err(NoResponse::Killed(sentence)) => return Err(Stop::Lost(sentence)),
                Err(NoResponse::Died(sentence)) => return Err(Stop::Failed(sentence)),
            }
        }
    }

    async fn put_back(&self, mut process: Process) {
        if process.should_retire() {
            process.end().await;
            return;
        }
        process.idle_since = Instant::now();
        let mut idle = self.idle();
        idle.processes.push(process);
        if !std::mem::replace(&mut idle.sweeping, true) {
            tokio::spawn(sweep(Arc::downgrade(&self.inner)));
        }
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.inner.idle()
    }
}

impl Inner {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends workers that have been idle for long; ends itself when none is left.
async fn sweep(inner: Weak<Inner>) {
    let mut wait = IDLE_TIMEOUT;
    loop {
        tokio::time::sleep(wait).await;
        let Some(inner) = inner.upgrade() else { return };
        let cold: Vec<Process> = {
            let mut idle = inner.idle();
            idle.processes.extract_if(.., |it| it.idle_since.elapsed() >= IDLE_TIMEOUT).collect()
        };
        for process in cold {
            process.end().await;
        }
        let mut idle = inner.idle();
        match idle.processes.iter().map(|it| it.idle_since).min() {
            Some(oldest) => wait = IDLE_TIMEOUT.saturating_sub(oldest.elapsed()),
            None => {
                idle.sweeping = false;
                return;
            }
        }
    }
}

fn read_preview(scratch: &Scratch, file: &str) -> Result<Vec<u8>, String> {
    let file = scratch.open(file).map_err(|error| format!("the preview can't be read: {error}"))?;
    let mut bytes = Vec::new();
    file.take(MAX_PREVIEW_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| format!("the preview can't be read: {error}"))?;
    if bytes.len() as u64 > MAX_PREVIEW_BYTES {
        return Err(format!("the preview has more than {MAX_PREVIEW_BYTES} bytes"));
    }
    Ok(bytes)
}
