//! The activity of a node such as an agent: its plan, its tasks, its tool calls, and the models that it uses.
//!
//! Everything here is absolute and numbered by the node, so that events may be lost or coalesced: the newest entry of a
//! number wins, and the entries with the largest numbers are kept. Texts are previews; the log of a node in the daemon
//! has them in full.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LiveEvent;
use crate::item::ItemPath;
use crate::spent::{MAX_TOKENS, Spent};

/// The most tasks, and the most calls, of an attempt: the newest are kept.
pub const MAX_ENTRIES: usize = 100;
/// The most models of an attempt: the last entry is the sum of all further models.
pub const MAX_MODELS: usize = 32;

/// The attempt that an event is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Source {
    /// The node.
    pub node: String,
    /// The item; empty for the node itself.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// The attempt, from 1.
    pub attempt: u32,
}

/// One task of a plan.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Task {
    /// Its number within the attempt, assigned by the node.
    pub number: u32,
    /// Its title, sanitised.
    pub title: String,
    /// How it is.
    pub status: TaskStatus,
}

/// The state of a task.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// It has not begun.
    Waiting,
    /// It is being worked on.
    Running,
    /// It is done.
    Completed,
    /// It could not be done.
    Failed,
}

/// One call of a tool.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ToolCall {
    /// Its number within the attempt, from 1.
    pub number: u32,
    /// The name of the tool, sanitised.
    pub tool: String,
    /// The beginning of its arguments, sanitised.
    pub arguments: String,
    /// Its result, once it has returned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ToolResult>,
}

/// The result of a tool call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ToolResult {
    /// The beginning of its output, or the reason why it failed, sanitised.
    pub text: String,
    /// Whether it failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
}

/// The use that an attempt has made of one model so far.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Prediction {
    /// The provider of the model.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The number of input tokens, over all predictions of the attempt.
    pub input_tokens: u64,
    /// The number of output tokens, over all predictions of the attempt.
    pub output_tokens: u64,
    /// Their cost in US dollars; absent while it is unknown. It is part of the attempt's cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

impl Prediction {
    /// Returns its cost and its tokens.
    #[must_use]
    pub fn spent(&self) -> Spent {
        Spent {
            cost_usd: self.cost_usd,
            input_tokens: self.input_tokens.min(MAX_TOKENS),
            output_tokens: self.output_tokens.min(MAX_TOKENS),
            unpriced: self.is_unpriced(),
        }
    }

    /// Returns whether it used tokens whose cost is not known. The stand-in costs nothing.
    #[must_use]
    pub fn is_unpriced(&self) -> bool {
        self.cost_usd.is_none()
            && (self.input_tokens > 0 || self.output_tokens > 0)
            && self.provider != "offline"
    }
}

/// The activity of an attempt: the fold of its events.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Activity {
    /// The newest plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The newest tasks, by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<Task>,
    /// The newest calls of tools, by their numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// Its use of each model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predictions: Vec<Prediction>,
}

impl Activity {
    /// Returns whether the attempt reported none of this.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Folds a live event; unrelated events change nothing.
    pub(crate) fn fold(&mut self, event: &LiveEvent) {
        match event {
            LiveEvent::PlanningUpdate { plan, .. } => self.plan = Some(plan.clone()),
            LiveEvent::TaskUpdate { task, .. } => put(&mut self.tasks, task.clone(), |task| task.number),
            LiveEvent::ToolCallUpdate { call, .. } => {
                let mut call = call.clone();
                let known = self.tool_calls.iter().find(|known| known.number == call.number);
                // A call that is reported again keeps its result.
                call.result = call.result.or_else(|| known.and_then(|known| known.result.clone()));
                put(&mut self.tool_calls, call, |call| call.number);
            }
            LiveEvent::ToolResultUpdate { number, result, .. } => {
                if let Some(call) = self.tool_calls.iter_mut().find(|call| call.number == *number) {
                    call.result = Some(result.clone());
                }
            }
            LiveEvent::Prediction { prediction, .. } => {
                let of = |known: &&mut Prediction| {
                    known.provider == prediction.provider && known.model == prediction.model
                };
                if let Some(known) = self.predictions.iter_mut().find(of) {
                    *known = prediction.clone();
                } else if self.predictions.len() < MAX_MODELS {
                    self.predictions.push(prediction.clone());
                }
            }
            _ => {}
        }
    }

    /// Returns events that rebuild it.
    #[must_use]
    pub fn events(&self, source: &Source) -> Vec<LiveEvent> {
        let source = || source.clone();
        let plan =
            self.plan.iter().map(|plan| LiveEvent::PlanningUpdate { source: source(), plan: plan.clone() });
        let tasks =
            self.tasks.iter().map(|task| LiveEvent::TaskUpdate { source: source(), task: task.clone() });
        let calls = self
            .tool_calls
            .iter()
            .map(|call| LiveEvent::ToolCallUpdate { source: source(), call: call.clone() });
        let predictions = self
            .predictions
            .iter()
            .map(|it| LiveEvent::Prediction { source: source(), prediction: it.clone() });
        plan.chain(tasks).chain(calls).chain(predictions).collect()
    }

    /// Estimates the memory that its texts take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        const ENTRY: usize = 64;
        let tasks = self.tasks.iter().map(|task| ENTRY + task.title.len());
        let calls = self.tool_calls.iter().map(|call| ENTRY + call.bytes());
        let models = self.predictions.iter().map(|it| ENTRY + it.provider.len() + it.model.len());
        self.plan.as_ref().map_or(0, String::len) + tasks.chain(calls).chain(models).sum::<usize>()
    }
}

impl ToolCall {
    /// Estimates the memory that its texts take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tool.len() + self.arguments.len() + self.result.as_ref().map_or(0, |result| result.text.len())
    }
}

/// Inserts an entry by its number. The entries with the largest numbers stay, whatever order they arrive in.
fn put<T>(entries: &mut Vec<T>, entry: T, number: impl Fn(&T) -> u32) {
    match entries.binary_search_by_key(&number(&entry), &number) {
        Ok(at) => entries[at] = entry,
        Err(at) => {
            entries.insert(at, entry);
            if entries.len() > MAX_ENTRIES {
                entries.remove(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(number: u32) -> LiveEvent {
        let source = Source { node: "a".into(), item: ItemPath::WHOLE, attempt: 1 };
        LiveEvent::TaskUpdate {
            source,
            task: Task { number, title: "t".into(), status: TaskStatus::Running },
        }
    }

    #[test]
    fn the_newest_tasks_stay_in_whatever_order_they_come() {
        let (mut forth, mut back) = (Activity::default(), Activity::default());
        let numbers = 1..=MAX_ENTRIES as u32 + 50;
        numbers.clone().for_each(|number| forth.fold(&task(number)));
        numbers.rev().for_each(|number| back.fold(&task(number)));
        assert_eq!(forth, back);
        assert_eq!((forth.tasks.len(), forth.tasks[0].number), (MAX_ENTRIES, 51));
    }
}
