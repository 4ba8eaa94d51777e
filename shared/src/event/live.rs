//! Live events: not stored, the newest wins.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::activity::{Prediction, Source, Task, ToolCall, ToolResult};
use super::limit;
use super::location::Location;
use crate::item::ItemPath;
use crate::preview;
use crate::value::{Value, float};

/// A live event of a run: not numbered, not stored, absolute, so that losing one does no harm. What it says holds until the
/// attempt that it is about ends; the event of that end has the last metrics, the end of the log and the
/// activity.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveEvent {
    /// The progress of an attempt.
    NodeProgress {
        /// The node.
        node: String,
        /// The item.
        #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
        item: ItemPath,
        /// How far, as the node says.
        progress: Progress,
    },
    /// An edge carries something, or did.
    EdgeUpdate {
        /// The edge's name: `sky.image>framed.image`.
        edge: String,
        /// Its activity.
        #[serde(flatten)]
        activity: EdgeActivity,
    },
    /// A node waits for a place in a pool or for a lock, or no longer does.
    WaitUpdate {
        /// The node.
        node: String,
        /// What it, or one of its items, waits for, safe to show; absent if nothing waits any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// It is known where an attempt runs that left the machine of the daemon, or more about it.
    LocationUpdate {
        /// The attempt.
        #[serde(flatten)]
        source: Source,
        /// Where.
        location: Location,
    },
    /// A log grew.
    LogUpdate {
        /// The node.
        node: String,
        /// The item.
        #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
        item: ItemPath,
        /// The attempt, from 1.
        attempt: u32,
        /// Where the log ends now, in bytes from its beginning; read the new part with `logs.read`.
        end: u64,
        /// Its last line, safe to show.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_line: Option<String>,
    },
    /// A number that a node reports while it runs.
    MetricUpdate {
        /// The node.
        node: String,
        /// The item.
        #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
        item: ItemPath,
        /// Its name.
        name: String,
        /// Its newest value.
        #[serde(with = "float")]
        #[cfg_attr(feature = "schema", schemars(with = "float::Number"))]
        value: f64,
        /// Its unit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
    },
    /// A value that a port will probably have, or a picture on the way to it.
    PreviewUpdate {
        /// The node.
        node: String,
        /// The item.
        #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
        item: ItemPath,
        /// The port.
        port: String,
        /// The value so far.
        value: Value,
    },
    /// The plan of an attempt.
    PlanningUpdate {
        /// The attempt.
        #[serde(flatten)]
        source: Source,
        /// The whole plan as it is now, safe to show.
        plan: String,
    },
    /// A task was added or changed.
    TaskUpdate {
        /// The attempt.
        #[serde(flatten)]
        source: Source,
        /// The task as it is now.
        #[serde(flatten)]
        task: Task,
    },
    /// A tool was called.
    ToolCallUpdate {
        /// The attempt.
        #[serde(flatten)]
        source: Source,
        /// The call.
        #[serde(flatten)]
        call: ToolCall,
    },
    /// A tool returned.
    ToolResultUpdate {
        /// The attempt.
        #[serde(flatten)]
        source: Source,
        /// The number of the call.
        number: u32,
        /// Its result.
        #[serde(flatten)]
        result: ToolResult,
    },
    /// A model predicted something.
    Prediction {
        /// The attempt.
        #[serde(flatten)]
        source: Source,
        /// The attempt's use of that model so far.
        #[serde(flatten)]
        prediction: Prediction,
    },
}

impl LiveEvent {
    /// Shortens it to the limits of events.
    pub fn shorten(&mut self) {
        match self {
            Self::NodeProgress { progress: Progress { message: Some(line), .. }, .. }
            | Self::WaitUpdate { reason: Some(line), .. }
            | Self::LogUpdate { last_line: Some(line), .. } => preview::cut_text(line, limit::LINE),
            Self::MetricUpdate { name, unit, .. } => {
                preview::cut_text(name, limit::NAME);
                if let Some(unit) = unit {
                    preview::cut_text(unit, limit::NAME);
                }
            }
            Self::PreviewUpdate { value, .. } => *value = preview::value(value, limit::PREVIEW),
            Self::PlanningUpdate { plan, .. } => preview::cut_text(plan, limit::PLAN),
            Self::TaskUpdate { task, .. } => preview::cut_text(&mut task.title, limit::ACTIVITY),
            Self::ToolCallUpdate { call, .. } => {
                preview::cut_text(&mut call.tool, limit::NAME);
                preview::cut_text(&mut call.arguments, limit::ACTIVITY);
                if let Some(result) = &mut call.result {
                    preview::cut_text(&mut result.text, limit::ACTIVITY);
                }
            }
            Self::ToolResultUpdate { result, .. } => preview::cut_text(&mut result.text, limit::ACTIVITY),
            Self::Prediction { prediction, .. } => {
                preview::cut_text(&mut prediction.provider, limit::NAME);
                preview::cut_text(&mut prediction.model, limit::NAME);
            }
            Self::LocationUpdate { location, .. } => {
                location.texts_mut().for_each(|text| preview::cut_text(text, limit::NAME));
            }
            Self::NodeProgress { .. }
            | Self::WaitUpdate { .. }
            | Self::LogUpdate { .. }
            | Self::EdgeUpdate { .. } => {}
        }
    }
}

/// The progress of an attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Progress {
    /// Between 0 and 1; `None` while only movement is known.
    pub fraction: Option<f64>,
    /// A message about it, sanitised.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The activity of an edge.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct EdgeActivity {
    /// Its reader runs on what it carried.
    pub active: bool,
    /// How many readers ended on what it carried.
    pub count: u32,
}
