//! A node or one item of it, and its attempts.

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{Activity, Location, NodeError, NodeUpdate, Progress};
use crate::id::AttemptId;
use crate::origin::Origin;
use crate::preview;
use crate::question::{Answer, Question};
use crate::resources::GpuSlot;
use crate::run::{AttemptEnd, NodeStatus};
use crate::time::Time;
use crate::value::{Value, float};

/// How many of the newest attempts keep their error whole, and what they asked.
const MAX_WHOLE_ATTEMPTS: usize = 16;
/// The most bytes of JSON in the error of an older attempt.
const MAX_OLD_ERROR_BYTES: usize = 200;
/// How many bytes of JSON of a question, and of its answer, an attempt keeps.
const MAX_ASKED_BYTES: usize = 300;

/// The state of one node, or of one item of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct InstanceState {
    /// Its state.
    pub status: NodeStatus,
    /// Its attempts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// When the next attempt comes, after a failed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// Its question to a person, while it waits for the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Box<Question>>,
    /// The answer, until the attempt that continues with it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Box<Answer>>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// Why it failed or was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<NodeError>,
    /// The values of its ports, shortened.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, Value>,
    /// Ports whose files its command left unchanged in a shared folder.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchanged: Vec<String>,
    /// The progress of the running attempt; none once it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// The newest value of each metric of the newest attempt.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty", with = "float::by_name")]
    #[cfg_attr(feature = "schema", schemars(with = "IndexMap<String, float::Number>"))]
    pub metrics: IndexMap<String, f64>,
    /// Previews of its ports while the attempt is running.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub previews: IndexMap<String, Value>,
    /// Where the log of the newest attempt ends, in bytes.
    #[serde(default)]
    pub log_end: u64,
    /// The last line of its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_line: Option<String>,
    /// The plan, tasks, tool calls and predictions of the newest attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Box<Activity>>,
    /// Where its result was computed, if it is a reused one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Box<Origin>>,
}

/// One attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// Its id in the supervisor and in folder names; only of attempts outside the daemon's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<AttemptId>,
    /// Where it runs or ran, if that is not the machine of the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Box<Location>>,
    /// The GPUs that it has, or had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gpus: Vec<GpuSlot>,
    /// When it started.
    pub started_at: Time,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<AttemptEnd>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<NodeError>,
    /// Its cost in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// Whether it may have cost more than that, and nobody knows how much.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
    /// Its question to a person, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The answer to it, shortened; the next attempt continues with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Box<Answer>>,
    /// That answer as people read it: `yes`, the text of a choice. Absent where nobody answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<Time>,
}

impl Attempt {
    /// Returns an attempt that was just started.
    #[must_use]
    pub fn new(number: u32, started_at: Time) -> Self {
        Self {
            number,
            id: None,
            location: None,
            gpus: Vec::new(),
            started_at,
            ended_at: None,
            end: None,
            error: None,
            cost_usd: None,
            unpriced: false,
            question: None,
            answer: None,
            said: None,
            answered_at: None,
        }
    }
}

impl InstanceState {
    /// Returns the number of its newest attempt; 0 before the first.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempts.last().map_or(0, |attempt| attempt.number)
    }

    /// Returns where its newest attempt runs or ran, if that is not the machine of the daemon.
    #[must_use]
    pub fn location(&self) -> Option<&Location> {
        self.attempts.last()?.location.as_deref()
    }

    /// Returns when its newest attempt started.
    #[must_use]
    pub fn started_at(&self) -> Option<Time> {
        self.attempts.last().map(|attempt| attempt.started_at)
    }

    /// Returns whether an attempt of it is running.
    #[must_use]
    pub fn is_live(&self) -> bool {
        !self.status.is_ended() && self.attempts.last().is_some_and(|attempt| attempt.end.is_none())
    }

    /// Removes the live values of the attempt that was running. Its last reports came with the event of its end; for an
    /// attempt whose end nobody saw, nothing is known.
    pub(super) fn end_live(&mut self) {
        self.progress = None;
        self.previews.clear();
        if let Some(attempt) = self.attempts.last_mut().filter(|attempt| attempt.end.is_none()) {
            attempt.location = None;
            self.metrics.clear();
            self.log_end = 0;
            self.last_line = None;
            self.activity = None;
        }
    }

    /// Ends it as cancelled, unless it had already ended.
    pub(super) fn cancel(&mut self, at: Time) {
        if self.status.is_ended() {
            return;
        }
        self.status = NodeStatus::Cancelled;
        self.ended_at = Some(at);
        self.retry_at = None;
        self.question = None;
        self.answer = None;
        self.end_live();
    }

    pub(super) fn fold(&mut self, update: &NodeUpdate) {
        if self.status.is_ended() {
            return;
        }
        self.status = update.status;
        self.retry_at = update.retry_at;
        if let Some(answer) = &update.answer {
            self.record_answer(answer, update.at);
            self.answer = Some(answer.clone());
        } else if update.ended == Some(AttemptEnd::Parked) || update.status.is_ended() {
            self.answer = None;
        }
        self.question.clone_from(&update.question);
        if let Some(number) = update.attempt {
            if self.attempt() < number {
                let (id, gpus) = (update.attempt_id, update.gpus.clone());
                if let Some(before) = self.attempts.last_mut().filter(|before| before.end.is_none()) {
                    // Nobody stored where it was.
                    before.location = None;
                }
                let started = update.started_at.unwrap_or(update.at);
                self.attempts.push(Attempt { id, gpus, ..Attempt::new(number, started) });
                self.progress = None;
                self.previews.clear();
                self.metrics.clear();
                self.log_end = 0;
                self.last_line = None;
                self.activity = None;
                self.cut_old_attempt();
            }
            if let (Some(attempt), Some(end)) = (self.attempts.last_mut(), update.ended) {
                attempt.ended_at = Some(update.at);
                attempt.end = Some(end);
                attempt.error.clone_from(&update.error);
                attempt.cost_usd = update.cost_usd;
                attempt.unpriced = update.unpriced;
                attempt.location.clone_from(&update.location);
                attempt.question =
                    update.question.as_ref().map(|question| preview::text(&question.text, MAX_ASKED_BYTES));
                self.progress = None;
                self.previews.clear();
                self.metrics.clone_from(&update.metrics);
                self.log_end = update.log_end.unwrap_or_default();
                self.last_line.clone_from(&update.last_line);
                self.activity.clone_from(&update.activity);
            }
        }
        if update.status.is_ended() {
            self.ended_at = Some(update.at);
            self.error.clone_from(&update.error);
            self.outputs.clone_from(&update.outputs);
            self.unchanged.clone_from(&update.unchanged);
            self.origin.clone_from(&update.origin);
            self.end_live();
        }
    }

    /// Records the answer in the attempt that asked.
    fn record_answer(&mut self, answer: &Answer, at: Time) {
        if let Some(attempt) = self.attempts.last_mut() {
            let value = answer.value.as_ref().map(|value| preview::value(value, MAX_ASKED_BYTES));
            let question = self.question.as_ref();
            let said = question.and_then(|question| Some(question.shown(answer.value.as_ref()?)));
            attempt.said = said.map(|said| preview::text(&said, MAX_ASKED_BYTES));
            attempt.answer = Some(Box::new(Answer { value, request: answer.request }));
            attempt.answered_at = Some(at);
        }
    }

    /// Cuts the error of an older attempt to its beginning, so that an instance fits into a message: a node may have a
    /// thousand attempts.
    fn cut_old_attempt(&mut self) {
        let old =
            self.attempts.len().checked_sub(1 + MAX_WHOLE_ATTEMPTS).and_then(|at| self.attempts.get_mut(at));
        let Some(attempt) = old else { return };
        if let Some(error) = &mut attempt.error {
            preview::cut_text(&mut error.message, MAX_OLD_ERROR_BYTES);
            error.last_line = None;
        }
        attempt.question = None;
        attempt.answer = None;
        attempt.said = None;
    }
}
