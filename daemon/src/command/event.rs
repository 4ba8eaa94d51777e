//! The reports that a command can write to `$FANLIGHT_EVENTS`: one JSON object per line. `docs/events.md` documents
//! them, `docs/events.schema.json` has the schema.

use fanlight_shared::event::{Prediction, TaskStatus};
use fanlight_shared::metric::{Goal, MAX_NAME, MAX_STEP, SYSTEM};
use fanlight_shared::spent::is_cost;
use fanlight_shared::time::Time;
use fanlight_shared::value::float;
use fanlight_shared::value::json::{self, JsonError};
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::series::Measurement;
use crate::services::{Level, Report};

/// The longest line, in bytes.
pub const MAX_LINE: usize = 64 * 1024;

/// One line. Unknown fields are ignored, and so are lines of an unknown type.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum CommandEvent {
    /// The progress of the command.
    Progress {
        /// Between 0 and 1; null or left out while only movement is known.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 1)))]
        value: Option<f64>,
        /// Its current activity.
        #[serde(default)]
        message: Option<String>,
    },
    /// The value of an output: either `value` or `path`. The last line for a name wins.
    Output {
        /// The name of a declared output, or of another one.
        #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[a-z][a-z0-9_]*$")))]
        name: String,
        /// Its value.
        #[serde(default)]
        value: Option<Json>,
        /// The path of the file or folder, below the folder in which the command runs or below `$FANLIGHT_WORK`. It is
        /// collected when the command has ended.
        #[serde(default)]
        path: Option<String>,
    },
    /// A preview of an output, such as a picture; shown while the command runs, and not kept.
    Preview {
        /// The output.
        #[cfg_attr(feature = "schema", schemars(regex(pattern = "^[a-z][a-z0-9_]*$")))]
        name: String,
        /// The file. Write it under another name and then rename it, so that a half-written file is never seen.
        path: String,
    },
    /// A line for the node's log.
    Log {
        /// Its severity.
        #[serde(default)]
        level: Level,
        /// The text of the line.
        message: String,
    },
    /// A number to follow: one point of the series of its name.
    Metric {
        /// Its name, of at most 100 bytes; an attempt has at most 256.
        name: String,
        /// Its current value; NaN and Infinity may be bare words, as Python writes them.
        #[serde(with = "float")]
        #[cfg_attr(feature = "schema", schemars(with = "float::Number"))]
        value: f64,
        /// Its unit.
        #[serde(default)]
        unit: Option<String>,
        /// The step; the one after the last by default, from 0. A step that is not larger than the last one replaces the
        /// points from there on.
        #[serde(default, deserialize_with = "whole")]
        #[cfg_attr(feature = "schema", schemars(range(min = 0, max = 9_007_199_254_740_991_u64)))]
        step: Option<u64>,
        /// When it was measured, in seconds since 1970; when it is read by default.
        #[serde(default)]
        time: Option<f64>,
        /// Whether the smallest or the largest value is the best.
        #[serde(default)]
        goal: Option<Goal>,
    },
    /// Money spent since the last such line; the amounts are added up.
    Cost {
        /// In US dollars.
        #[serde(deserialize_with = "float::deserialize")]
        #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
        usd: f64,
    },
    /// What the command means to do, all of it. A later plan replaces an earlier one.
    Plan {
        /// The plan.
        text: String,
    },
    /// A task of the plan, or its new state. The last line for a number wins.
    Task {
        /// Its number within the attempt. The tasks with the largest numbers are shown.
        number: u32,
        /// Its title.
        title: String,
        /// Its state.
        #[serde(default = "running")]
        status: TaskStatus,
    },
    /// A call of a tool.
    ToolCall {
        /// Its number within the attempt, from 1. The calls with the largest numbers are shown.
        number: u32,
        /// The name of the tool.
        tool: String,
        /// Its arguments; a text or any other JSON.
        #[serde(default)]
        arguments: Json,
    },
    /// The result of a call.
    ToolResult {
        /// The number of the call.
        number: u32,
        /// Its output, or the reason why it failed.
        #[serde(default)]
        text: String,
        /// Whether it failed.
        #[serde(default)]
        failed: bool,
    },
    /// The use of a model since the last such line for it; the numbers are added up.
    Prediction {
        /// The provider of the model.
        provider: String,
        /// The model.
        model: String,
        /// The number of input tokens.
        #[serde(default)]
        input_tokens: u64,
        /// The number of output tokens.
        #[serde(default)]
        output_tokens: u64,
        /// Their cost in US dollars; null or left out while it is unknown. It needs no `cost` of its own.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(range(min = 0)))]
        cost_usd: Option<f64>,
    },
}

/// Returns the arguments of a call as text.
pub(crate) fn arguments_text(arguments: &Json) -> String {
    match arguments {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        json => json.to_string(),
    }
}

/// An event, for a node whose outputs are those of its type.
pub(crate) enum EventEffect {
    /// A report as any node makes it.
    Report(Report),
    /// A line for the log.
    Line(String),
    /// Something about an output of this name.
    Output(String),
}

impl CommandEvent {
    /// Returns the report of a metric, if it is one.
    pub(super) fn measurement(&self) -> Option<Measurement> {
        let Self::Metric { name, value, unit, step, time, goal } = self else { return None };
        let (name, unit) = (name.clone(), unit.clone());
        Some(Measurement { name, value: *value, unit, step: *step, at: time.map(at), goal: *goal }.clean())
    }

    /// Returns what the event means for a node whose outputs are those of its type.
    pub(crate) fn effect(self) -> EventEffect {
        EventEffect::Report(match self {
            Self::Progress { value, message } => Report::Progress { fraction: value, message },
            Self::Metric { name, value, unit, step, time, goal } => {
                Report::Metric(Measurement { name, value, unit, step, at: time.map(at), goal }.clean())
            }
            Self::Log { level, message } => return EventEffect::Line(format!("{}: {message}", level.word())),
            Self::Cost { usd } => Report::Cost(usd),
            Self::Plan { text } => Report::Plan(text),
            Self::Task { number, title, status } => Report::Task { number, title, status },
            Self::ToolCall { number, tool, arguments } => {
                Report::ToolCall { number, tool, arguments: arguments_text(&arguments) }
            }
            Self::ToolResult { number, text, failed } => {
                Report::ToolResult { number, result: if failed { Err(text) } else { Ok(text) } }
            }
            Self::Prediction { provider, model, input_tokens, output_tokens, cost_usd } => {
                Report::Prediction(Prediction { provider, model, input_tokens, output_tokens, cost_usd })
            }
            Self::Output { name, .. } | Self::Preview { name, .. } => return EventEffect::Output(name),
        })
    }
}

/// The types of events.
pub(crate) const TYPES: [&str; 11] = [
    "progress",
    "output",
    "preview",
    "log",
    "metric",
    "cost",
    "plan",
    "task",
    "tool_call",
    "tool_result",
    "prediction",
];

/// Returns the time of these seconds since 1970.
#[allow(clippy::cast_possible_truncation)]
fn at(seconds: f64) -> Time {
    Time((seconds * 1000.0).round() as i64)
}

/// Reads a whole number, which some languages write as `3.0`.
fn whole<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    match Option::<f64>::deserialize(deserializer)? {
        None => Ok(None),
        Some(step) if step >= 0.0 && step <= MAX_STEP as f64 && step.fract() == 0.0 => Ok(Some(step as u64)),
        Some(step) => {
            Err(serde::de::Error::custom(format!("its step {step} is not a whole number from 0 on")))
        }
    }
}

fn running() -> TaskStatus {
    TaskStatus::Running
}

/// Reads one line.
///
/// # Errors
/// What is wrong with it, in a few words; parts of the line in the message are sanitised.
pub fn parse(line: &[u8]) -> Result<CommandEvent, String> {
    of_json(json_of(line)?)
}

/// Reads the JSON of a line.
///
/// # Errors
/// See [`parse`].
pub(super) fn json_of(line: &[u8]) -> Result<Json, String> {
    let text = std::str::from_utf8(line).map_err(|_| "it is not JSON".to_owned())?;
    let wrong = |error: JsonError| match error {
        JsonError::TooDeep(_) | JsonError::TooLarge(_) => error.to_string(),
        JsonError::NoJson(_) => "it is not JSON".into(),
    };
    let json = json::parse_rounded(text).map_err(wrong)?;
    // The others hold no values: metrics are floats.
    if ["output", "preview"].iter().any(|it| json["type"] == *it) {
        json::check_whole_numbers(text).map_err(wrong)?;
    }
    Ok(json)
}

/// Reads the event that a line's JSON describes.
///
/// # Errors
/// See [`parse`].
pub(crate) fn of_json(json: Json) -> Result<CommandEvent, String> {
    let Some(object) = json.as_object() else { return Err("it is not a JSON object".into()) };
    match object.get("type").and_then(Json::as_str) {
        None => return Err("it has no \"type\"".into()),
        Some(name) if !TYPES.contains(&name) => {
            return Err(format!("its type {} is not known", Json::from(super::text::line(name))));
        }
        Some(_) => {}
    }
    let event = serde_json::from_value(json).map_err(|error| super::text::line(&error.to_string()))?;
    check(event)
}

fn check(event: CommandEvent) -> Result<CommandEvent, String> {
    match &event {
        CommandEvent::Progress { value: Some(value), .. } if !(0.0..=1.0).contains(value) => {
            Err(format!("its value {value} is not between 0 and 1"))
        }
        CommandEvent::Output { name, .. } | CommandEvent::Preview { name, .. } if !is_name(name) => {
            Err(format!(
                "`{}` can't be the name of an output (one looks like `best_model`)",
                super::text::line(name)
            ))
        }
        CommandEvent::Output { value, path, .. } if value.is_some() == path.is_some() => {
            Err("an output has either a \"value\" or a \"path\"".into())
        }
        CommandEvent::Metric { name, .. } if name.trim().is_empty() => Err("its name is empty".into()),
        CommandEvent::Metric { name, .. } if name.starts_with(SYSTEM) => {
            Err(format!("metrics whose names begin with `{SYSTEM}` are Fanlight's own"))
        }
        CommandEvent::Metric { name, .. } if name.len() > MAX_NAME => {
            Err(format!("the name of a metric has at most {MAX_NAME} bytes, this one has {}", name.len()))
        }
        CommandEvent::Metric { time: Some(time), .. } if !(0.0..=1e11).contains(time) => {
            Err(format!("its time {time} is not a number of seconds since 1970"))
        }
        CommandEvent::Cost { usd } | CommandEvent::Prediction { cost_usd: Some(usd), .. }
            if !is_cost(*usd) =>
        {
            Err(format!("{usd} is not a cost"))
        }
        _ => Ok(event),
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= 100
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Returns the schema of a line, as `docs/events.schema.json` holds it.
#[must_use]
#[cfg(feature = "schema")]
pub fn schema() -> schemars::Schema {
    let mut schema = schemars::schema_for!(CommandEvent);
    schema.insert("title".into(), "A line of $FANLIGHT_EVENTS".into());
    schema
}

#[cfg(test)]
mod tests;
