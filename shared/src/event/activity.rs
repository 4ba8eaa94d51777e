//! What a node that works by itself does: its plan, its tasks, its calls of tools, and the models that it asks.
//!
//! Everything here is absolute and numbered by the node, so that events may be lost or conflated: the newest of a number
//! wins, and the largest numbers are those that stay. Texts are previews; the whole text is in the attempt's log.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::LiveEvent;
use crate::item::ItemPath;

/// How many tasks, and how many calls, are known of an attempt: the newest ones.
pub const MAX_ENTRIES: usize = 100;
/// How many models are known of an attempt: the first ones.
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
    /// Its number within the attempt, as the node counts.
    pub number: u32,
    /// What is to be done, safe to show.
    pub title: String,
    /// How it is.
    pub status: TaskStatus,
}

/// How a task is.
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
    /// The tool, safe to show.
    pub tool: String,
    /// The beginning of what it was given, safe to show.
    pub arguments: String,
    /// What it returned, once it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ToolResult>,
}

/// What a tool returned.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ToolResult {
    /// The beginning of what it returned, or why it failed, safe to show.
    pub text: String,
    /// Whether it failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
}

/// What an attempt took from one model so far.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Prediction {
    /// Who runs the model.
    pub provider: String,
    /// The model.
    pub model: String,
    /// How many tokens it was given, over all predictions of the attempt.
    pub input_tokens: u64,
    /// How many tokens it made, over all predictions of the attempt.
    pub output_tokens: u64,
    /// What they cost in US dollars; absent while nothing is known of it. It is part of the attempt's cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// What an attempt did: the fold of its events.
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
    /// What it took from each model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub predictions: Vec<Prediction>,
}

impl Activity {
    /// Whether the attempt said nothing of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Folds in a live event; one that is about something else changes nothing.
    pub(crate) fn fold(&mut self, event: &LiveEvent) {
        match event {
            LiveEvent::PlanningUpdate { plan, .. } => self.plan = Some(plan.clone()),
            LiveEvent::TaskUpdate { task, .. } => put(&mut self.tasks, task.clone(), |task| task.number),
            LiveEvent::ToolCallUpdate { call, .. } => {
                let mut call = call.clone();
                let known = self.tool_calls.iter().find(|known| known.number == call.number);
                // A call that is said once more keeps its result.
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

    /// The events that make it what it is.
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

    /// How much memory its texts take, about.
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
    /// How much memory its texts take, about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.tool.len() + self.arguments.len() + self.result.as_ref().map_or(0, |result| result.text.len())
    }
}

/// Puts an entry at the place of its number. The largest numbers stay, in whatever order they come.
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
