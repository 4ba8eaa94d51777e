//! State events: durable, numbered, the telemetry of a run.

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::activity::{Activity, Prediction};
use super::limit;
use super::location::Location;
use crate::id::AttemptId;
use crate::item::ItemPath;
use crate::lineage::ProgramFile;
use crate::origin::Origin;
use crate::preview;
use crate::question::{Answer, Question};
use crate::resources::GpuSlot;
use crate::run::{AttemptEnd, NodeStatus, RunStatus};
use crate::spent::Spent;
use crate::time::Time;
use crate::value::{Value, float};

/// A state event of a run: durable, numbered, sent after its commit. The stored list of them *is* the run's telemetry.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
// Nearly all events are of the large variant: a box would be one more allocation for each.
#[allow(clippy::large_enum_variant)]
pub enum StateEvent {
    /// The run changed.
    RunUpdate(RunUpdate),
    /// A node or an item of it changed.
    NodeUpdate(NodeUpdate),
}

impl StateEvent {
    /// Shortens it to the limits of events: long texts are cut, values become previews. Short ones are unchanged.
    pub fn shorten(&mut self) {
        match self {
            Self::RunUpdate(update) => {
                if let Some(error) = &mut update.error {
                    preview::cut_text(error, limit::RUN_ERROR);
                }
                shorten(&mut update.outputs, limit::RUN_OUTPUT, limit::RUN_OUTPUTS);
            }
            Self::NodeUpdate(update) => {
                if let Some(error) = &mut update.error {
                    preview::cut_text(&mut error.message, limit::ERROR);
                    if let Some(line) = &mut error.last_line {
                        preview::cut_text(line, limit::LINE);
                    }
                }
                if let Some(question) = &mut update.question {
                    question.shorten();
                }
                shorten(&mut update.outputs, limit::OUTPUT, limit::OUTPUTS);
            }
        }
    }
}

fn shorten(values: &mut IndexMap<String, Value>, each: usize, all: usize) {
    if !preview::all_fit(values, each, all) {
        *values = preview::values(values, each, all).0;
    }
}

/// A state event with its number within the run, from 1 without gaps.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Numbered {
    /// Its number within the run.
    pub seq: u64,
    /// The event.
    #[serde(flatten)]
    pub event: StateEvent,
}

/// The run changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RunUpdate {
    /// Its state.
    pub status: RunStatus,
    /// When that happened.
    pub at: Time,
    /// Its place among all starts, when it left the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_order: Option<u64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The values of the workflow's outputs, once it ended; absent ones are left out.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, Value>,
}

impl RunUpdate {
    /// Returns a change of state and nothing else.
    #[must_use]
    pub fn new(status: RunStatus, at: Time) -> Self {
        Self { status, at, start_order: None, error: None, outputs: IndexMap::new() }
    }

    /// Returns whether an event holds all of these outputs unshortened.
    #[must_use]
    pub fn holds(outputs: &IndexMap<String, Value>) -> bool {
        preview::values(outputs, limit::RUN_OUTPUT, limit::RUN_OUTPUTS).1
    }
}

/// A node, or an item of it, changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct NodeUpdate {
    /// The node.
    pub node: String,
    /// The item; empty for the node itself.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// Its state.
    pub status: NodeStatus,
    /// When that happened.
    pub at: Time,
    /// The attempt that this is about, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Names that attempt in the supervisor and in the folders; only of attempts that left the daemon's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_id: Option<AttemptId>,
    /// Of an attempt that starts: the GPUs that it has.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<GpuSlot>,
    /// How that attempt ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<AttemptEnd>,
    /// When that attempt started, where no event of its own said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the next attempt comes, after a failed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// Why it failed or was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<NodeError>,
    /// Of a node with `each`: how many items it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u32>,
    /// The values of its ports, shortened for telemetry: the values themselves are products.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, Value>,
    /// Ports whose files the command left as they were in a shared folder (`dir:`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchanged: Vec<String>,
    /// Of an attempt that ended: the files of its programs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<ProgramFile>,
    /// The cost of the attempt in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Whether the attempt may have cost more than that, and nobody knows how much.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
    /// Its question to a person, while it waits for the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Box<Question>>,
    /// The answer to its question, with which the next attempt continues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Box<Answer>>,
    /// Of an attempt that ended: the last value of each number that it reported.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty", with = "float::by_name")]
    #[cfg_attr(feature = "schema", schemars(with = "IndexMap<String, float::Number>"))]
    pub metrics: IndexMap<String, f64>,
    /// Of an attempt that ended: where its log ends, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_end: Option<u64>,
    /// Of an attempt that ended: where it ran, if that was not the machine of the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Box<Location>>,
    /// Of an attempt that ended: the last line of its log, safe to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_line: Option<String>,
    /// Of an attempt that ended: its plan, tasks and calls, and what it took from models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Box<Activity>>,
    /// Of a result that was computed before: where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Box<Origin>>,
}

impl NodeUpdate {
    /// Creates a change of state and nothing else.
    #[must_use]
    pub fn new(node: &str, item: ItemPath, status: NodeStatus, at: Time) -> Self {
        Self {
            node: node.to_owned(),
            item,
            status,
            at,
            attempt: None,
            attempt_id: None,
            gpus: Vec::new(),
            ended: None,
            started_at: None,
            retry_at: None,
            error: None,
            items: None,
            outputs: IndexMap::new(),
            unchanged: Vec::new(),
            programs: Vec::new(),
            cost_usd: None,
            unpriced: false,
            question: None,
            answer: None,
            metrics: IndexMap::new(),
            location: None,
            log_end: None,
            last_line: None,
            activity: None,
            origin: None,
        }
    }

    /// Returns the cost and the tokens of the attempt whose end this is; nothing if no attempt ends.
    #[must_use]
    pub fn spent(&self) -> Spent {
        let mut spent = Spent::default();
        if self.ended.is_some() {
            spent.add(&Spent { cost_usd: self.cost_usd, ..Spent::default() });
            let predictions = || self.activity.iter().flat_map(|activity| &activity.predictions);
            for prediction in predictions() {
                // The cost of predictions is a part of the cost of the attempt.
                let Prediction { input_tokens, output_tokens, .. } = *prediction;
                spent.add(&Spent { input_tokens, output_tokens, ..Spent::default() });
            }
            // A cost beyond that of the predictions is the cost of those without one.
            let known: f64 = predictions().filter_map(|it| it.cost_usd).sum();
            let is_more = self.cost_usd.is_some_and(|usd| usd > known + 1e-9);
            spent.unpriced = self.unpriced || (!is_more && predictions().any(Prediction::is_unpriced));
        }
        spent
    }
}

/// Why a node failed or was skipped.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct NodeError {
    /// One sentence.
    pub message: String,
    /// Of a command: its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Of a command: the last line of stderr, already safe to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_line: Option<String>,
}

impl NodeError {
    /// Creates an error that is only a sentence.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attempt_counts_when_it_ends_however_it_ends() {
        let one = |model: &str| Prediction {
            provider: "local".into(),
            model: model.into(),
            input_tokens: 100,
            output_tokens: 10,
            cost_usd: Some(0.25),
        };
        let mut update = NodeUpdate::new("a", ItemPath::WHOLE, NodeStatus::Running, Time(0));
        update.activity =
            Some(Box::new(Activity { predictions: vec![one("a"), one("b")], ..Activity::default() }));
        update.cost_usd = Some(0.75);
        assert!(update.spent().is_nothing());
        let spent = Spent { cost_usd: Some(0.75), input_tokens: 200, output_tokens: 20, unpriced: false };
        for end in [
            AttemptEnd::Completed,
            AttemptEnd::Failed,
            AttemptEnd::Cancelled,
            AttemptEnd::Parked,
            AttemptEnd::Lost,
        ] {
            update.ended = Some(end);
            assert_eq!(update.spent(), spent);
        }
        let activity = update.activity.as_deref_mut().unwrap();
        activity.predictions[1].cost_usd = None;
        assert!(!update.spent().unpriced, "the attempt says what it cost in all");
        update.cost_usd = Some(0.25);
        assert!(update.spent().unpriced, "nobody says what the second model cost");
        update.activity = None;
        assert!(!update.spent().unpriced);
        update.unpriced = true;
        assert!(update.spent().unpriced, "it may have cost more");
    }
}
