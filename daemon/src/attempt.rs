//! One attempt as its executor sees it: the input from the engine, and the outcome.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fanlight_shared::environment::Environment;
use fanlight_shared::event::{LiveEvent, NodeError, Prediction};
use fanlight_shared::id::{AttemptId, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::lineage::ProgramFile;
use fanlight_shared::question::{Answer, Question};
use fanlight_shared::resources::{GpuSlot, Resources};
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::value::Values;
use tokio_util::sync::CancellationToken;

use crate::file_error::FileError;
use crate::hub::Hub;
use crate::recorder::Recorder;
use crate::secret::Secrets;
use crate::store::Bodies;
use crate::store::blob::Published;

/// The values a node made and the blobs they refer to.
pub type Made = Result<(Values, Vec<Published>), FileError>;

/// The facts that all attempts of a run share.
#[derive(Debug)]
pub struct RunFacts {
    /// The run.
    pub id: RunId,
    /// Its number within the workflow.
    pub number: u32,
    /// Its label.
    pub label: String,
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The workflow's slug.
    pub workflow: String,
    /// The folder of the workflow's file; `None` if the document was submitted without a path.
    pub project: Option<PathBuf>,
    /// The variables that its commands get from the submitter.
    pub environment: Arc<Environment>,
}

/// The input of every executor.
#[derive(Clone)]
pub struct Attempt {
    /// Its id in the supervisor, in folder names and in the environment.
    pub id: AttemptId,
    /// The run.
    pub run: Arc<RunFacts>,
    /// The node.
    pub node: String,
    /// The item.
    pub item: ItemPath,
    /// From 1.
    pub number: u32,
    /// How many attempts before it failed; those that were interrupted are not among them.
    pub failures: u32,
    /// What attempts before it have cost that were interrupted, in US dollars.
    pub spent_before: Option<f64>,
    /// Ends the attempt early: the executor stops its work, leaves no process behind, and returns the results so far.
    pub cancel: CancellationToken,
    /// The resources that its node states, for an executor on another machine; here they are reserved before.
    pub resources: Option<Arc<Resources>>,
    /// Its time limit. When it is exceeded, the attempt is ended through `cancel` too.
    pub time_limit: TimeLimit,
    /// The GPUs that it has.
    pub gpus: Vec<GpuSlot>,
    /// A person's answer to the question of the attempt before.
    pub answer: Option<Answer>,
    /// The secrets that it uses.
    pub secrets: Secrets,
    /// Whether its inputs or variables are built from secrets. An adopted attempt has this before its `secrets`.
    pub has_secrets: bool,
    /// Variables of the submitter that its command does not get: other nodes ask for them.
    pub withheld: Arc<[String]>,
    /// Receives its metrics.
    pub recorder: Recorder,
    /// Receives live events; sending never waits.
    pub hub: Arc<Hub>,
}

impl Attempt {
    /// Sends a live event to watching clients; without any it is dropped. Secrets in it are masked.
    pub fn live(&self, event: LiveEvent) {
        if let Some(event) = self.secrets.mask_all(event) {
            self.hub.live(self.run.workflow_id, self.run.id, event);
        }
    }

    /// Returns the key of (run, node, item), the value of `FANLIGHT_KEY`, for idempotent effects. It is safe in a path,
    /// a URL or a header: only letters, digits, `-`, `_` and `.`.
    #[must_use]
    pub fn key(&self) -> String {
        match self.item.0 {
            None => format!("{}.{}", self.run.id, self.node),
            Some(index) => format!("{}.{}.{index}", self.run.id, self.node),
        }
    }

    /// Returns the key of its requests, for servers that recognise a repeated one. An attempt after an interruption has
    /// the same one, so that its requests are done once; an attempt after a failure has another one, so that its requests
    /// are done again.
    #[must_use]
    pub fn request_key(&self) -> String {
        format!("{}.{}", self.key(), self.failures)
    }
}

/// The time limit of an attempt, and whether it was exceeded.
#[derive(Clone, Debug, Default)]
pub struct TimeLimit {
    limit: Option<Duration>,
    /// It is the `time` of `resources`, and no `timeout`.
    of_resources: bool,
    exceeded: Arc<AtomicBool>,
}

impl TimeLimit {
    /// Creates a time limit; `None` for none.
    #[must_use]
    pub fn new(limit: Option<Duration>) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Creates the time limit of a node that states how long it takes and has no `timeout`.
    #[must_use]
    pub fn of_resources(limit: Duration) -> Self {
        Self { limit: Some(limit), of_resources: true, ..Self::default() }
    }

    /// Returns the limit.
    #[must_use]
    pub fn get(&self) -> Option<Duration> {
        self.limit
    }

    /// Records that the limit was exceeded; call it before ending the attempt.
    pub fn exceed(&self) {
        self.exceeded.store(true, Ordering::Release);
    }

    /// Returns whether the attempt was ended because it exceeded its limit.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Acquire)
    }

    /// Returns the error of an attempt that exceeded its limit.
    #[must_use]
    pub fn error(&self) -> NodeError {
        NodeError::new(match self.limit {
            Some(limit) => {
                let from = if self.of_resources { ", the `time` of its `resources`" } else { "" };
                format!("timed out after {}{from}", fanlight_shared::time::exact_duration(limit))
            }
            None => "timed out".to_owned(),
        })
    }
}

/// How an attempt ended.
#[derive(Debug)]
pub struct Outcome {
    /// How.
    pub end: AttemptEnd,
    /// The error, unless it succeeded.
    pub error: Option<NodeError>,
    /// The values of its ports. For a command that failed, timed out or was cancelled: what could be collected
    /// (`stdout`, `exit_code`, `status`, files).
    pub values: Values,
    /// The blobs that `values` refer to and that may be new: they must be stored in the same batch.
    pub blobs: Vec<Published>,
    /// The JSON of those values that is too long for a row of the store, by port.
    pub bodies: Bodies,
    /// Ports whose files the command left unchanged in a shared folder.
    pub unchanged: Vec<String>,
    /// The files of the programs of a command, if they are known to be those that it ran.
    pub programs: Vec<ProgramFile>,
    /// Its cost in US dollars, if the node reported one.
    pub cost_usd: Option<f64>,
    /// Whether it may have cost more than that, and nobody knows how much.
    pub unpriced: bool,
    /// Its use of each model, if its reports ended with an earlier daemon.
    pub predictions: Vec<Prediction>,
    /// Whether `retry` doesn't repeat it: a person wanted its end.
    pub is_final: bool,
    /// Its question to a person, if it [parked](AttemptEnd::Parked).
    pub question: Option<Box<Question>>,
}

impl Outcome {
    /// Fails if its values are nested too deeply: JSON parsers could not read them.
    pub(crate) fn checked_for_depth(self) -> Self {
        let deep =
            self.values.iter().find_map(|(port, value)| Some((port, value.extent().check_depth().err()?)));
        match deep {
            Some((port, why)) => Self {
                cost_usd: self.cost_usd,
                unpriced: self.unpriced,
                ..Self::failed(NodeError::new(format!("output `{port}`: {why}")))
            },
            None => self,
        }
    }

    /// Returns the outcome of an attempt that completed.
    #[must_use]
    pub fn completed(values: Values, blobs: Vec<Published>) -> Self {
        Self { values, blobs, ..Self::nothing(AttemptEnd::Completed) }
    }
    /// Returns the outcome of a native node: success, or a failure with a sentence.
    #[must_use]
    pub fn of(made: Made) -> Self {
        match made {
            Ok((values, blobs)) => Self::completed(values, blobs),
            Err(sentence) => Self::failed(NodeError::new(sentence)),
        }
    }
    /// Returns the outcome of an attempt that failed.
    #[must_use]
    pub fn failed(error: NodeError) -> Self {
        Self { error: Some(error), ..Self::nothing(AttemptEnd::Failed) }
    }
    /// Returns the outcome of an attempt that was cancelled without results.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::nothing(AttemptEnd::Cancelled)
    }
    /// Returns the outcome of an attempt that asks a person; another attempt continues with the answer.
    #[must_use]
    pub fn parked(question: Question) -> Self {
        Self { question: Some(Box::new(question)), ..Self::nothing(AttemptEnd::Parked) }
    }
    /// Returns the outcome of an attempt whose end nobody saw.
    #[must_use]
    pub fn lost(message: &str) -> Self {
        Self { error: Some(NodeError::new(message)), ..Self::nothing(AttemptEnd::Lost) }
    }
    /// Returns the outcome as it may be stored: secrets in its error are masked, and an output that contains one fails it.
    #[must_use]
    pub fn without(mut self, secrets: &Secrets) -> Self {
        if secrets.is_empty() {
            return self;
        }
        self.error = self.error.map(|error| secrets.mask_error(error));
        let Err(why) = secrets.check_values(&self.values) else { return self };
        // Of a command that failed anyway, this is only one problem more.
        let error = self.error.unwrap_or_else(|| NodeError::new(why));
        let end = if self.end == AttemptEnd::Completed { AttemptEnd::Failed } else { self.end };
        let Self { cost_usd, unpriced, .. } = self;
        Self { end, error: Some(error), cost_usd, unpriced, ..Self::nothing(end) }
    }

    /// Returns an outcome without values.
    fn nothing(end: AttemptEnd) -> Self {
        Self {
            end,
            error: None,
            values: Values::new(),
            blobs: Vec::new(),
            bodies: Bodies::new(),
            unchanged: Vec::new(),
            programs: Vec::new(),
            cost_usd: None,
            unpriced: false,
            predictions: Vec::new(),
            is_final: false,
            question: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::item::ItemPath;

    use crate::attempt::Attempt;
    use crate::command::fixture;

    #[test]
    fn a_key_needs_no_escaping_in_a_path_or_a_url() {
        let attempt = fixture::attempt();
        let again = Attempt { id: fanlight_shared::id::AttemptId::new(), number: 2, ..attempt.clone() };
        assert_eq!(again.key(), attempt.key(), "the next attempt has the same key");
        let item = Attempt { item: ItemPath::item(3), ..attempt.clone() };
        assert_eq!(item.key(), format!("{}.step.3", attempt.run.id));
        assert!(item.key().bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it)));
    }
}
