//! One attempt as its executor sees it: what the engine hands over, and what comes back.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fanlight_shared::environment::Environment;
use fanlight_shared::event::{LiveEvent, NodeError};
use fanlight_shared::id::{AttemptId, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::question::{Answer, Question};
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::value::Values;
use tokio_util::sync::CancellationToken;

use crate::file_error::FileError;
use crate::hub::Hub;
use crate::store::Bodies;
use crate::store::blob::Published;

/// The values a node made and the blobs they refer to.
pub type Made = Result<(Values, Vec<Published>), FileError>;

/// What stays the same over all attempts of a run.
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
    /// The folder of the workflow's file; `None` where the document came without a path.
    pub project: Option<PathBuf>,
    /// What its commands get from the submitter.
    pub environment: Arc<Environment>,
}

/// What every executor is given.
#[derive(Clone)]
pub struct Attempt {
    /// Names the attempt everywhere: supervisor, folders, environment.
    pub id: AttemptId,
    /// The run.
    pub run: Arc<RunFacts>,
    /// The node.
    pub node: String,
    /// The item.
    pub item: ItemPath,
    /// From 1.
    pub number: u32,
    /// Ends the attempt early: the executor stops its work, leaves no process behind, and returns what was made so far.
    pub cancel: CancellationToken,
    /// How long it may take. When that is over, it is ended through `cancel` too.
    pub time_limit: TimeLimit,
    /// The answer of a person to what the attempt before asked.
    pub answer: Option<Answer>,
    /// Where live events go; never waits.
    pub hub: Arc<Hub>,
}

impl Attempt {
    /// Tells those who watch; lost where nobody does.
    pub fn live(&self, event: LiveEvent) {
        self.hub.live(self.run.workflow_id, self.run.id, event);
    }

    /// Stable per (run, node, item): what `FANLIGHT_KEY` says, for idempotent effects. It may be part of a path, a URL or
    /// a header as it is: letters, digits, `-`, `_` and `.` only.
    #[must_use]
    pub fn key(&self) -> String {
        match self.item.0 {
            None => format!("{}.{}", self.run.id, self.node),
            Some(index) => format!("{}.{}.{index}", self.run.id, self.node),
        }
    }
}

/// How long an attempt may take, and whether it was ended because that is over.
#[derive(Clone, Debug, Default)]
pub struct TimeLimit {
    limit: Option<Duration>,
    exceeded: Arc<AtomicBool>,
}

impl TimeLimit {
    /// No more than `limit`; `None` is no limit.
    #[must_use]
    pub fn new(limit: Option<Duration>) -> Self {
        Self { limit, exceeded: Arc::default() }
    }

    /// Records that the time is over; to be called before the attempt is ended.
    pub fn exceed(&self) {
        self.exceeded.store(true, Ordering::Release);
    }

    /// Whether the attempt was ended because its time is over.
    #[must_use]
    pub fn is_exceeded(&self) -> bool {
        self.exceeded.load(Ordering::Acquire)
    }

    /// The error of an attempt that took longer.
    #[must_use]
    pub fn error(&self) -> NodeError {
        NodeError::new(match self.limit {
            Some(limit) => format!("timed out after {}", fanlight_shared::time::exact_duration(limit)),
            None => "timed out".to_owned(),
        })
    }
}

/// How an attempt ended.
#[derive(Debug)]
pub struct Outcome {
    /// How.
    pub end: AttemptEnd,
    /// Why, if not well.
    pub error: Option<NodeError>,
    /// What its ports hold. Of a command that failed, timed out or was cancelled: what could be collected (`stdout`,
    /// `exit_code`, `status`, files).
    pub values: Values,
    /// The blobs that `values` refer to and that may be new: they must reach the store in the same batch.
    pub blobs: Vec<Published>,
    /// The JSON of those values that is too long for a row of the store, by port.
    pub bodies: Bodies,
    /// Ports whose files the command left as they were in a shared folder.
    pub unchanged: Vec<String>,
    /// What it cost in US dollars, if the node said.
    pub cost_usd: Option<f64>,
    /// What it asks a person, if it [parked](AttemptEnd::Parked).
    pub question: Option<Box<Question>>,
}

impl Outcome {
    /// It ended well.
    #[must_use]
    pub fn completed(values: Values, blobs: Vec<Published>) -> Self {
        Self { values, blobs, ..Self::nothing(AttemptEnd::Completed) }
    }
    /// What a native node gave back: it ended well, or failed with a sentence.
    #[must_use]
    pub fn of(made: Made) -> Self {
        match made {
            Ok((values, blobs)) => Self::completed(values, blobs),
            Err(sentence) => Self::failed(NodeError::new(sentence)),
        }
    }
    /// It failed.
    #[must_use]
    pub fn failed(error: NodeError) -> Self {
        Self { error: Some(error), ..Self::nothing(AttemptEnd::Failed) }
    }
    /// It was cancelled and made nothing.
    #[must_use]
    pub fn cancelled() -> Self {
        Self::nothing(AttemptEnd::Cancelled)
    }
    /// It asks a person something; another attempt goes on with the answer.
    #[must_use]
    pub fn parked(question: Question) -> Self {
        Self { question: Some(Box::new(question)), ..Self::nothing(AttemptEnd::Parked) }
    }
    /// Nobody saw how it ended.
    #[must_use]
    pub fn lost(message: &str) -> Self {
        Self { error: Some(NodeError::new(message)), ..Self::nothing(AttemptEnd::Lost) }
    }
    /// It ended so and made nothing.
    fn nothing(end: AttemptEnd) -> Self {
        Self {
            end,
            error: None,
            values: Values::new(),
            blobs: Vec::new(),
            bodies: Bodies::new(),
            unchanged: Vec::new(),
            cost_usd: None,
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
    fn a_key_can_be_part_of_a_path_or_a_url_as_it_is() {
        let attempt = fixture::attempt();
        let again = Attempt { id: fanlight_shared::id::AttemptId::new(), number: 2, ..attempt.clone() };
        assert_eq!(again.key(), attempt.key(), "the next attempt has the same key");
        let item = Attempt { item: ItemPath::item(3), ..attempt.clone() };
        assert_eq!(item.key(), format!("{}.step.3", attempt.run.id));
        assert!(item.key().bytes().all(|it| it.is_ascii_alphanumeric() || b"-_.".contains(&it)));
    }
}
