//! Node services: what a running native node may do besides computing. Every node is given [`NodeServices`]; a node in the
//! daemon has [`DaemonServices`] besides.
//!
//! What a node says is a [`Report`]. In the daemon a [`Reporter`] takes it at once; a worker sends it over its pipe to the
//! reporter of its attempt. Nothing here waits for a client. Live values (progress, metrics, partial outputs) are absolute,
//! the newest wins. What a node writes (the text that it makes, piece by piece, what it thinks, and lines for its log) is
//! appended to the log of the attempt, where it keeps its offset: clients read it with `logs.read` from where they were,
//! also after the daemon was restarted. Plan, tasks, calls of tools and predictions have events that are previews; the
//! whole text is appended to the log first, so that nothing is only live.

mod in_daemon;
mod level;
mod log;
mod predictions;
mod report;
mod reporter;

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use fanlight_shared::event::{Prediction, TaskStatus};
use fanlight_shared::sanitise;
use fanlight_shared::value::Value;
use tokio_util::sync::CancellationToken;

use crate::series::Measurement;

pub use in_daemon::DaemonServices;
pub use level::Level;
pub(crate) use predictions::{Predictions, usage};
pub(crate) use report::{Report, Stream, pieces};
pub(crate) use reporter::Reporter;

/// The name of the scratch folder in the folder of an attempt.
pub(crate) const SCRATCH: &str = "scratch";

/// How many characters of a message or of a name are shown.
const MAX_MESSAGE: usize = 200;

/// Brings what a node says to the daemon.
pub(crate) trait Carrier: Send + Sync {
    /// Takes a report. May wait until there is room for it, never for a client.
    fn report(&self, report: Report);
}

/// The services of a running native node; cheap to clone, so that concurrent parts of the node share them.
#[derive(Clone)]
pub struct NodeServices {
    inner: Arc<Inner>,
}

struct Inner {
    carrier: Box<dyn Carrier>,
    cancel: CancellationToken,
    /// Made when it is asked for.
    scratch: PathBuf,
    /// How many calls of tools there were.
    tool_calls: AtomicU32,
}

impl std::fmt::Debug for NodeServices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeServices").field("scratch", &self.inner.scratch).finish_non_exhaustive()
    }
}

impl NodeServices {
    /// Services whose reports go to this carrier.
    pub(crate) fn new(carrier: Box<dyn Carrier>, cancel: CancellationToken, scratch: PathBuf) -> Self {
        Self { inner: Arc::new(Inner { carrier, cancel, scratch, tool_calls: AtomicU32::new(0) }) }
    }

    fn report(&self, report: Report) {
        self.inner.carrier.report(report);
    }

    /// Returns the token that is cancelled when the node is to stop: it then returns and leaves nothing running. A node
    /// in a worker need not look at it: its process is ended.
    #[must_use]
    pub fn cancel(&self) -> &CancellationToken {
        &self.inner.cancel
    }

    /// Shows how far the node is, from 0 to 1 (`None` while only movement is known), and what it is doing.
    pub fn progress(&self, fraction: Option<f64>, message: Option<&str>) {
        self.report(Report::Progress { fraction, message: message.map(str::to_owned) });
    }

    /// Shows a number to follow while the node runs.
    pub fn metric(&self, name: &str, value: f64, unit: Option<&str>) {
        let (name, unit) = (name.to_owned(), unit.map(str::to_owned));
        self.report(Report::Metric(Measurement { name, value, unit, step: None, at: None, goal: None }));
    }

    /// Shows what a port has so far. In the daemon, bytes that it refers to must stay published until the next call or
    /// the node's end; in a worker it may refer to what the node was given and to what it has put into its workspace.
    pub fn partial(&self, port: &str, value: Value) {
        self.report(Report::Partial { port: port.to_owned(), value });
    }

    /// Appends a piece of the text that the node makes. Its notification is `log_update`, which says where the log ends
    /// now: no piece takes the place of another one, and a client reads from the offset that it has.
    pub fn chunk(&self, text: &str) {
        self.append(Stream::Output, text);
    }

    /// Appends a piece of what the node thinks on the way to its text. It is in the log as a stream of its own, which
    /// clients show on demand.
    pub fn reasoning(&self, text: &str) {
        self.append(Stream::Reasoning, text);
    }

    /// Appends a line to the node's log.
    pub fn log(&self, level: Level, line: &str) {
        self.append(Stream::Log, &format!("{}: {}\n", level.word(), sanitise::line(line)));
    }

    fn append(&self, stream: Stream, text: &str) {
        for text in report::pieces(text) {
            self.report(Report::Text { stream, text: text.to_owned() });
        }
    }

    /// Adds to the cost of the attempt, in US dollars. A number that can't be a cost is ignored.
    pub fn spend(&self, usd: f64) {
        self.report(Report::Cost(usd));
    }

    /// Shows what the node means to do. A later plan takes the place of an earlier one.
    pub fn plan(&self, plan: &str) {
        self.report(Report::Plan(plan.to_owned()));
    }

    /// Shows a task, or how it is now. The node numbers its tasks; those with the largest numbers are shown.
    pub fn task(&self, number: u32, title: &str, status: TaskStatus) {
        self.report(Report::Task { number, title: title.to_owned(), status });
    }

    /// Shows that a tool is called. Returns the number of the call, for its [result](Self::tool_result).
    pub fn tool_call(&self, tool: &str, arguments: &str) -> u32 {
        let number = self.inner.tool_calls.fetch_add(1, Ordering::Relaxed) + 1;
        self.report(Report::ToolCall { number, tool: tool.to_owned(), arguments: arguments.to_owned() });
        number
    }

    /// Shows what a tool returned, or why it failed.
    pub fn tool_result(&self, number: u32, result: Result<&str, &str>) {
        let result = result.map(str::to_owned).map_err(str::to_owned);
        self.report(Report::ToolResult { number, result });
    }

    /// Adds what one prediction took from a model. Its cost, where it is one, is [spent](Self::spend).
    pub fn prediction(&self, one: &Prediction) {
        self.report(Report::Prediction(one.clone()));
    }

    /// Returns a private folder for the node, which is removed when the attempt has ended. Blocks.
    ///
    /// # Errors
    /// It can't be made.
    pub fn scratch(&self) -> io::Result<PathBuf> {
        let scratch = &self.inner.scratch;
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(scratch)?;
        Ok(scratch.clone())
    }
}
