//! What a node says while it runs, as a value: a node in a worker says it over the worker's pipe.

use fanlight_shared::event::{Prediction, TaskStatus};
use fanlight_shared::value::Value;
use serde::{Deserialize, Serialize};

use crate::series::Measurement;

/// The longest text of one report, in bytes; what is longer becomes several.
pub(crate) const MAX_TEXT: usize = 64 << 10;

/// A report of a running node.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Report {
    /// How far it is. The newest holds.
    Progress {
        /// From 0 to 1; `None` while only movement is known.
        fraction: Option<f64>,
        /// Its current activity.
        message: Option<String>,
    },
    /// A number to follow: one point of the series of its name.
    Metric(Measurement),
    /// The value of a port so far. The newest of a port counts.
    Partial {
        /// The port.
        port: String,
        /// Its value.
        value: Value,
    },
    /// More of a text.
    Text {
        /// Which one.
        stream: Stream,
        /// The text to append.
        text: String,
    },
    /// More that it costs, in US dollars.
    Cost(f64),
    /// Its plan. The newest counts.
    Plan(String),
    /// A task, or how it is now.
    Task {
        /// Its number.
        number: u32,
        /// Its title.
        title: String,
        /// How it is.
        status: TaskStatus,
    },
    /// A tool is called.
    ToolCall {
        /// The number of the call.
        number: u32,
        /// The tool.
        tool: String,
        /// Its arguments.
        arguments: String,
    },
    /// A tool returned, or failed.
    ToolResult {
        /// The number of the call.
        number: u32,
        /// Its result, or why it failed.
        result: Result<String, String>,
    },
    /// One use of a model.
    Prediction(Prediction),
}

/// A text that a node writes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stream {
    /// Its output.
    Output,
    /// Its reasoning.
    Reasoning,
    /// The lines of its log.
    Log,
}

impl Report {
    /// Returns about how many bytes it takes.
    pub(crate) fn size(&self) -> usize {
        let text = match self {
            Self::Progress { message, .. } => message.as_ref().map_or(0, String::len),
            Self::Metric(one) => one.name.len() + one.unit.as_ref().map_or(0, String::len),
            Self::Partial { port, value } => port.len() + value.memory(),
            Self::Text { text, .. } | Self::Plan(text) => text.len(),
            Self::Cost(_) => 0,
            Self::Task { title, .. } => title.len(),
            Self::ToolCall { tool, arguments, .. } => tool.len() + arguments.len(),
            Self::ToolResult { result: Ok(text) | Err(text), .. } => text.len(),
            Self::Prediction(one) => one.provider.len() + one.model.len(),
        };
        text + size_of::<Self>()
    }
}

/// Splits a text into pieces of at most [`MAX_TEXT`] bytes, none of which ends inside a character.
pub(crate) fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let (piece, rest) = text.split_at(text.floor_char_boundary(MAX_TEXT));
        text = rest;
        Some(piece)
    })
}
