//! What a node that works by itself says of its work: plan, tasks, calls of tools, predictions.
//!
//! The events have previews. The whole text is appended to the log of the attempt first, so that nothing is only live.

use fanlight_shared::event::{LiveEvent, Prediction, Source, Task, TaskStatus, ToolCall, ToolResult};
use fanlight_shared::sanitise;
use fanlight_shared::value::cut;

use super::{MAX_MESSAGE, NodeServices};
use crate::supervisor::log::StreamTag;

impl NodeServices {
    /// Shows what the node means to do. A later plan takes the place of an earlier one.
    pub fn plan(&self, plan: &str) {
        self.append(StreamTag::Stderr, &format!("plan: {plan}\n"));
        let (source, plan) = (self.source(), sanitise::plain(plan));
        self.inner.attempt.live(LiveEvent::PlanningUpdate { source, plan });
    }

    /// Shows a task, or how it is now. The node numbers its tasks; those with the largest numbers are shown.
    pub fn task(&self, number: u32, title: &str, status: TaskStatus) {
        let word = match status {
            TaskStatus::Waiting => "waiting",
            TaskStatus::Running => "running",
            TaskStatus::Completed => "completed",
            TaskStatus::Failed => "failed",
        };
        self.append(StreamTag::Stderr, &format!("task {number} {word}: {title}\n"));
        let task = Task { number, title: shown(title), status };
        self.inner.attempt.live(LiveEvent::TaskUpdate { source: self.source(), task });
    }

    /// Shows that a tool is called. Returns the number of the call, for its [result](Self::tool_result).
    pub fn tool_call(&self, tool: &str, arguments: &str) -> u32 {
        let number = {
            let mut state = self.state();
            state.tool_calls += 1;
            state.tool_calls
        };
        self.append(StreamTag::Stderr, &format!("call {number} of {tool}: {arguments}\n"));
        let call = ToolCall { number, tool: shown(tool), arguments: shown(arguments), result: None };
        self.inner.attempt.live(LiveEvent::ToolCallUpdate { source: self.source(), call });
        number
    }

    /// Shows what a tool returned, or why it failed.
    pub fn tool_result(&self, number: u32, result: Result<&str, &str>) {
        let (word, text) = match result {
            Ok(text) => ("returned", text),
            Err(text) => ("failed", text),
        };
        self.append(StreamTag::Stderr, &format!("call {number} {word}: {text}\n"));
        let result = ToolResult { text: shown(text), failed: result.is_err() };
        self.inner.attempt.live(LiveEvent::ToolResultUpdate { source: self.source(), number, result });
    }

    /// Adds what one prediction took from a model. Its cost, where it is one, is [spent](Self::spend).
    pub fn prediction(&self, one: &Prediction) {
        let cost = one.cost_usd.filter(|usd| usd.is_finite() && *usd >= 0.0);
        let prediction = {
            let (provider, model) = (shown(&one.provider), shown(&one.model));
            let mut state = self.state();
            let of = |known: &Prediction| known.provider == provider && known.model == model;
            let at = state.predictions.iter().position(of).unwrap_or(state.predictions.len());
            if at == state.predictions.len() {
                state.predictions.push(Prediction { provider, model, ..Prediction::default() });
            }
            let total = &mut state.predictions[at];
            total.input_tokens = total.input_tokens.saturating_add(one.input_tokens);
            total.output_tokens = total.output_tokens.saturating_add(one.output_tokens);
            if let Some(cost) = cost {
                *total.cost_usd.get_or_insert(0.0) += cost;
            }
            total.clone()
        };
        if let Some(cost) = cost {
            self.spend(cost);
        }
        self.inner.attempt.live(LiveEvent::Prediction { source: self.source(), prediction });
    }

    fn source(&self) -> Source {
        let attempt = &self.inner.attempt;
        Source { node: attempt.node.clone(), item: attempt.item, attempt: attempt.number }
    }
}

fn shown(text: &str) -> String {
    cut(&sanitise::line(text), MAX_MESSAGE)
}
