//! Fanlight's own dialect: the events that every command may report, on standard output, with the text of the agent and
//! its result. `docs/agents.md` documents it.

use serde::Deserialize;
use serde_json::Value as Json;

use super::{End, Said, reason};
use crate::command::event::{self, CommandEvent, EventEffect};
use crate::services::Report;

/// The lines that only agents write.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum AgentEvent {
    /// More of the answer.
    Text { text: String },
    /// More of what it thinks.
    Reasoning { text: String },
    /// The last line.
    Result {
        /// The answer; by default all text.
        #[serde(default)]
        text: Option<String>,
        /// Why it failed, if it did.
        #[serde(default)]
        error: Option<String>,
    },
}

/// Takes a line.
///
/// # Errors
/// It is not an event, or follows the result.
pub(super) fn take(json: Json, said: &mut Said) -> Result<(), String> {
    if said.end.is_some() {
        return Err("it follows `result`, which is the last line".to_owned());
    }
    if ["text", "reasoning", "result"].iter().any(|own| json["type"] == *own) {
        let event = serde_json::from_value(json).map_err(|error| error.to_string())?;
        return own(event, said);
    }
    common(event::of_json(json)?, said);
    Ok(())
}

fn own(event: AgentEvent, said: &mut Said) -> Result<(), String> {
    match event {
        AgentEvent::Text { text } => said.text(&text),
        AgentEvent::Reasoning { text } => said.reasoning(&text),
        AgentEvent::Result { text, error } => {
            if let Some(text) = text {
                said.answer(&text);
            }
            let end = match error {
                Some(error) => End::Failed(reason(&Json::from(error))),
                None => End::Completed,
            };
            return said.ended(end, None);
        }
    }
    Ok(())
}

fn common(event: CommandEvent, said: &mut Said) {
    match event.effect() {
        EventEffect::Report(Report::Prediction(prediction)) => said.predict(prediction),
        EventEffect::Report(report) => said.reports.push(report),
        EventEffect::Line(line) => said.note(&line),
        EventEffect::Output(name) => {
            said.note(&format!("`{name}` was ignored: an agent has the outputs of its node type only"));
        }
    }
}
