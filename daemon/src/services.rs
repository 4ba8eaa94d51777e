//! Node services: what a running native node may do besides computing. It is given one value, [`NodeServices`].
//!
//! Nothing here waits for a client. Live values (progress, metrics, partial outputs) are absolute, the newest wins. What a
//! node writes (the text that it makes, piece by piece, and lines for its log) is appended to the log of the attempt, where
//! it keeps its offset: clients read it with `logs.read` from where they were, also after the daemon was restarted.

mod activity;
mod level;
mod output;

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanlight_shared::event::{LiveEvent, Prediction, Progress};
use fanlight_shared::question::{Answer, Question};
use fanlight_shared::sanitise;
use fanlight_shared::value::{Value, cut};
use tokio_util::sync::CancellationToken;

use crate::attempt::Attempt;
use crate::content;
use crate::file_error::FileError;
use crate::store::blob::Blobs;
use crate::supervisor::log::StreamTag;
pub use level::Level;
use output::Output;

/// The name of the scratch folder in the folder of an attempt.
pub(crate) const SCRATCH: &str = "scratch";

/// How many characters of a message or of a name are shown.
const MAX_MESSAGE: usize = 200;

/// What a running native node may do: cheap to clone, so that parts of the node that run beside each other share it.
#[derive(Clone)]
pub struct NodeServices {
    inner: Arc<Inner>,
}

struct Inner {
    attempt: Attempt,
    blobs: Blobs,
    /// The folder of the attempt; made when something is put there.
    folder: PathBuf,
    state: Mutex<State>,
}

struct State {
    output: Output,
    cost_usd: Option<f64>,
    question: Option<Question>,
    /// How many calls of tools there were.
    tool_calls: u32,
    /// What was taken from each model.
    predictions: Vec<Prediction>,
}

impl NodeServices {
    /// The services of an attempt whose folder lies below `attempts`.
    pub(crate) fn new(attempt: Attempt, blobs: Blobs, attempts: &Path) -> Self {
        let folder = attempts.join(attempt.id.to_string());
        let state = Mutex::new(State {
            output: Output::new(folder.clone()),
            cost_usd: None,
            question: None,
            tool_calls: 0,
            predictions: Vec::new(),
        });
        Self { inner: Arc::new(Inner { attempt, blobs, folder, state }) }
    }

    /// Each call leaves the state whole.
    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is cancelled when the node is to stop: it leaves nothing running behind and returns.
    #[must_use]
    pub fn cancel(&self) -> &CancellationToken {
        &self.inner.attempt.cancel
    }

    /// For reading and publishing bytes.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    /// Does blocking work off the daemon's loop: with files, with the blob store. While the disk of the daemon's home is
    /// full it is done again and again, so that it is done more than once.
    ///
    /// # Errors
    /// What the work says; [`FileError::Full`] only after a cancel, which ends the wait.
    pub async fn blocking<T: Send + 'static>(
        &self,
        work: impl Fn() -> Result<T, FileError> + Send + Sync + 'static,
    ) -> Result<T, FileError> {
        content::with_space(self.blobs(), self.cancel(), move |_| work()).await
    }

    /// Shows how far the node is, from 0 to 1 (`None` while only movement is known), and what it is doing.
    pub fn progress(&self, fraction: Option<f64>, message: Option<&str>) {
        let fraction = fraction.map(|it| it.clamp(0.0, 1.0));
        let message = message.map(|it| cut(&sanitise::line(it), MAX_MESSAGE));
        let Attempt { node, item, .. } = &self.inner.attempt;
        let progress = Progress { fraction, message };
        self.inner.attempt.live(LiveEvent::NodeProgress { node: node.clone(), item: *item, progress });
    }

    /// Shows a number to follow while the node runs.
    pub fn metric(&self, name: &str, value: f64, unit: Option<&str>) {
        let Attempt { node, item, .. } = &self.inner.attempt;
        self.inner.attempt.live(LiveEvent::MetricUpdate {
            node: node.clone(),
            item: *item,
            name: cut(&sanitise::line(name), MAX_MESSAGE),
            value,
            unit: unit.map(|it| cut(&sanitise::line(it), MAX_MESSAGE)),
        });
    }

    /// Shows what a port has so far. Bytes that it refers to must stay published until the next call or the node's end.
    pub fn partial(&self, port: &str, value: Value) {
        let Attempt { node, item, .. } = &self.inner.attempt;
        let port = port.to_owned();
        self.inner.attempt.live(LiveEvent::PreviewUpdate { node: node.clone(), item: *item, port, value });
    }

    /// Appends a piece of the text that the node makes. Its notification is `log_update`, which says where the log ends
    /// now: no piece takes the place of another one, and a client reads from the offset that it has.
    pub fn chunk(&self, text: &str) {
        self.append(StreamTag::Stdout, text);
    }

    /// Appends a line to the node's log.
    pub fn log(&self, level: Level, line: &str) {
        self.append(StreamTag::Stderr, &format!("{}: {}\n", level.word(), sanitise::line(line)));
    }

    fn append(&self, stream: StreamTag, text: &str) {
        if text.is_empty() {
            return;
        }
        let (end, last_line) = self.state().output.append(stream, text);
        let Attempt { node, item, number, .. } = &self.inner.attempt;
        let (node, item, attempt) = (node.clone(), *item, *number);
        self.inner.attempt.live(LiveEvent::LogUpdate { node, item, attempt, end, last_line });
    }

    /// Adds to what the attempt costs, in US dollars. What is no cost is not added.
    pub fn spend(&self, usd: f64) {
        if usd.is_finite() && usd >= 0.0 {
            *self.state().cost_usd.get_or_insert(0.0) += usd;
        }
    }

    /// What was spent so far, if anything was said of it.
    #[must_use]
    pub fn cost_usd(&self) -> Option<f64> {
        self.state().cost_usd
    }

    /// Asks a person. The node returns then, whatever it returns: its run is parked when nothing else of it goes on, and
    /// another attempt is started with the [answer](Self::answer).
    pub fn ask(&self, mut question: Question) {
        question.text = sanitise::plain(&question.text);
        question.shorten();
        self.state().question = Some(question);
    }

    /// What was asked.
    pub(crate) fn question(&self) -> Option<Question> {
        self.state().question.clone()
    }

    /// The answer to what the attempt before asked.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.inner.attempt.answer.as_ref()
    }

    /// A private folder for what the node needs while it runs. It is removed when the attempt has ended. Blocks.
    ///
    /// # Errors
    /// It can't be made.
    pub fn scratch(&self) -> io::Result<PathBuf> {
        let scratch = self.inner.folder.join(SCRATCH);
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&scratch)?;
        Ok(scratch)
    }

    /// The value of a secret.
    ///
    /// # Errors
    /// There is no such secret. In this version there is none at all: nothing is asked for them yet.
    pub fn secret(&self, name: &str) -> Result<String, String> {
        Err(format!("the secret `{}` is not known: secrets are not in this version", sanitise::line(name)))
    }
}
