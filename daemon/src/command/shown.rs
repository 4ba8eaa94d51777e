//! What a command reports, as the live events that show it. Its texts are sanitised and cut.

use fanlight_shared::event::{LiveEvent, Prediction, Progress, Source, Task, ToolCall, ToolResult};
use fanlight_shared::sanitise;
use fanlight_shared::value::{Value, cut};

use super::event::{CommandEvent, arguments_text};
use super::text;
use crate::attempt::Attempt;
use crate::services::Predictions;

/// The most characters of a message, of a title and of a name.
const MAX_CHARS: usize = 200;

/// Returns the live event for a report; `None` if it shows nothing by itself. Predictions are added up in `predictions`.
pub(super) fn event(
    attempt: &Attempt,
    predictions: &mut Predictions,
    event: &CommandEvent,
) -> Option<LiveEvent> {
    Some(match event {
        CommandEvent::Progress { value, message } => progress(attempt, *value, message.as_deref().map(short)),
        CommandEvent::Metric { name, value, unit, .. } => LiveEvent::MetricUpdate {
            node: attempt.node.clone(),
            item: attempt.item,
            name: text::line(name),
            value: *value,
            unit: unit.as_deref().map(|it| cut(&text::line(it), 20)),
        },
        CommandEvent::Output { name, value: Some(value), .. } => {
            preview(attempt, name.clone(), Value::from_json(value.clone()))
        }
        CommandEvent::Plan { text } => {
            LiveEvent::PlanningUpdate { source: source(attempt), plan: sanitise::plain(text) }
        }
        CommandEvent::Task { number, title, status } => LiveEvent::TaskUpdate {
            source: source(attempt),
            task: Task { number: *number, title: short(title), status: *status },
        },
        CommandEvent::ToolCall { number, tool, arguments } => {
            let arguments = short(&arguments_text(arguments));
            let call = ToolCall { number: *number, tool: short(tool), arguments, result: None };
            LiveEvent::ToolCallUpdate { source: source(attempt), call }
        }
        CommandEvent::ToolResult { number, text, failed } => LiveEvent::ToolResultUpdate {
            source: source(attempt),
            number: *number,
            result: ToolResult { text: short(text), failed: *failed },
        },
        CommandEvent::Prediction { provider, model, input_tokens, output_tokens, cost_usd } => {
            let prediction = predictions.add(&Prediction {
                provider: provider.clone(),
                model: model.clone(),
                input_tokens: *input_tokens,
                output_tokens: *output_tokens,
                cost_usd: *cost_usd,
            });
            LiveEvent::Prediction { source: source(attempt), prediction }
        }
        CommandEvent::Output { .. }
        | CommandEvent::Preview { .. }
        | CommandEvent::Log { .. }
        | CommandEvent::Cost { .. } => return None,
    })
}

/// Returns the event for the progress of an attempt.
pub(super) fn progress(attempt: &Attempt, fraction: Option<f64>, message: Option<String>) -> LiveEvent {
    let progress = Progress { fraction, message };
    LiveEvent::NodeProgress { node: attempt.node.clone(), item: attempt.item, progress }
}

/// Returns the event for what a port has so far.
pub(super) fn preview(attempt: &Attempt, port: String, value: Value) -> LiveEvent {
    LiveEvent::PreviewUpdate { node: attempt.node.clone(), item: attempt.item, port, value }
}

/// Returns the event for a log that has grown to `end`.
pub(super) fn log(attempt: &Attempt, end: u64, last_line: Option<String>) -> LiveEvent {
    LiveEvent::LogUpdate {
        node: attempt.node.clone(),
        item: attempt.item,
        attempt: attempt.number,
        end,
        last_line,
    }
}

fn source(attempt: &Attempt) -> Source {
    Source { node: attempt.node.clone(), item: attempt.item, attempt: attempt.number }
}

fn short(text: &str) -> String {
    cut(&text::line(text), MAX_CHARS)
}
