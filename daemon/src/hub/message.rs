//! Notifications as text frames.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use fanlight_shared::event::{DaemonEvent, LiveEvent, StateEvent};
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::metric::{NewPoints, Point};
use fanlight_shared::preview;
use fanlight_shared::question::{Question, QuestionKind};
use fanlight_shared::rpc::frame::{EVENT, JsonRpc2, NotificationFrame};
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run_state::InstanceState;
use fanlight_shared::value::Value;
use serde::Serialize;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// A notification for any number of connections. The first connection that sends it serialises it; the thread that
/// creates it, such as the one that commits, does not.
#[derive(Debug)]
pub(crate) struct Message {
    notification: Notification,
    text: OnceLock<Utf8Bytes>,
    bytes: usize,
}

impl Message {
    /// Returns a message that has not been serialised yet.
    pub(super) fn new(notification: Notification) -> Arc<Self> {
        let bytes = estimate(&notification);
        Arc::new(Self { notification, text: OnceLock::new(), bytes })
    }

    /// Returns the text frame.
    pub(super) fn text(&self) -> Utf8Bytes {
        self.text.get_or_init(|| encode(&self.notification)).clone()
    }

    /// Estimates how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Returns a notification as a text frame.
pub(super) fn encode(notification: &Notification) -> Utf8Bytes {
    text(&NotificationFrame { jsonrpc: JsonRpc2, method: EVENT, params: notification })
}

/// Estimates the size of a notification in bytes, without serialising it.
fn estimate(notification: &Notification) -> usize {
    /// The size of the envelope of every message.
    const FRAME: usize = 256;
    FRAME
        + match notification {
            Notification::State { event, .. } => match &event.event {
                StateEvent::RunUpdate(update) => {
                    update.error.as_ref().map_or(0, String::len) + values(update.outputs.iter())
                }
                StateEvent::NodeUpdate(update) => {
                    let error = update.error.as_ref();
                    error.map_or(0, |error| error.message.len())
                        + values(update.outputs.iter())
                        + update.metrics.keys().map(|name| name.len() + 16).sum::<usize>()
                        + update.activity.as_ref().map_or(0, |activity| activity.bytes())
                        + update.question.as_ref().map_or(0, |it| question(it))
                        + update.answer.as_ref().and_then(|it| it.value.as_ref()).map_or(0, weight)
                }
            },
            Notification::Daemon { event, .. } => match event {
                DaemonEvent::RunUpdate { run } => {
                    512 + run.error.as_ref().map_or(0, String::len) + values(run.params.iter())
                }
                DaemonEvent::OutputUpdate { value, .. } => weight(value),
                DaemonEvent::AssetUpdate { asset } => 512 + weight(&asset.value),
                DaemonEvent::BannerUpdate { banners } => banners.iter().map(String::len).sum(),
                _ => 0,
            },
            Notification::Live { event, .. } => live(event),
            Notification::Points { node, new, .. } => node.len() + points(new),
            _ => 0,
        }
}

/// Estimates how much memory a live event takes.
pub(super) fn live(event: &LiveEvent) -> usize {
    const EVENT: usize = 128;
    EVENT
        + match event {
            LiveEvent::NodeProgress { progress, .. } => progress.message.as_ref().map_or(0, String::len),
            LiveEvent::WaitUpdate { reason, .. } => reason.as_ref().map_or(0, String::len),
            LiveEvent::LocationUpdate { location, .. } => location.describe().len(),
            LiveEvent::LogUpdate { last_line, .. } => last_line.as_ref().map_or(0, String::len),
            LiveEvent::MetricUpdate { name, .. } => name.len(),
            LiveEvent::PreviewUpdate { value, .. } => weight(value),
            LiveEvent::EdgeUpdate { edge, .. } => edge.len(),
            LiveEvent::PlanningUpdate { plan, .. } => plan.len(),
            LiveEvent::TaskUpdate { task, .. } => task.title.len(),
            LiveEvent::ToolCallUpdate { call, .. } => call.bytes(),
            LiveEvent::ToolResultUpdate { result, .. } => result.text.len(),
            LiveEvent::Prediction { prediction, .. } => prediction.provider.len() + prediction.model.len(),
        }
}

/// Estimates how much memory new points take.
pub(super) fn points(new: &NewPoints) -> usize {
    const SERIES: usize = 128;
    SERIES + new.name.len() + new.points.len() * size_of::<Point>()
}

fn question(question: &Question) -> usize {
    let choices = match &question.kind {
        QuestionKind::Choice { choices, .. } => choices.as_slice(),
        QuestionKind::YesNo | QuestionKind::Value { .. } => &[],
    };
    question.text.len() + choices.iter().chain(&question.show).map(weight).sum::<usize>()
}

fn values<'a>(values: impl Iterator<Item = (&'a String, &'a Value)>) -> usize {
    values.map(|(name, value)| name.len() + weight(value)).sum()
}

fn weight(value: &Value) -> usize {
    /// The size of a scalar, or the overhead of an element of a list or object.
    const PLAIN: usize = 24;
    match value {
        Value::Text(text) => PLAIN + text.len(),
        Value::List(items) => PLAIN + items.iter().map(weight).sum::<usize>(),
        Value::Object(fields) => PLAIN + values(fields.iter()),
        Value::Media(media) => 256 + media.name.len() + media.source.as_ref().map_or(0, |it| it.path.len()),
        _ => PLAIN,
    }
}

/// Items of a node by reference, so that large ones aren't copied for serialisation.
#[derive(Serialize)]
#[serde(tag = "channel", rename = "snapshot_items")]
pub(super) struct SnapshotItems<'a> {
    pub(super) workflow_id: WorkflowId,
    pub(super) run_id: RunId,
    pub(super) seq: u64,
    pub(super) node: &'a str,
    pub(super) items: &'a BTreeMap<u32, &'a InstanceState>,
}

pub(super) fn encode_items(params: &SnapshotItems<'_>) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Frame<'a> {
        jsonrpc: JsonRpc2,
        method: &'static str,
        params: &'a SnapshotItems<'a>,
    }
    text(&Frame { jsonrpc: JsonRpc2, method: EVENT, params })
}

/// Serialises a message. Our own types always serialise: their keys are texts and nothing in them fails.
pub(crate) fn text<T: Serialize>(value: &T) -> Utf8Bytes {
    serde_json::to_string(value).map(Utf8Bytes::from).unwrap_or_else(|error| {
        tracing::error!(%error, "a message could not be written out");
        Utf8Bytes::from_static("{}")
    })
}

/// The bytes left in one message.
#[derive(Debug)]
pub(crate) struct Budget {
    whole: usize,
    left: usize,
}

impl Budget {
    /// Creates the budget of an empty message of this many bytes.
    pub(crate) fn new(bytes: usize) -> Self {
        Self { whole: bytes, left: bytes }
    }

    /// Reserves space for something, including its name or index. The first always gets it: nothing is large enough to
    /// do harm on its own. Once something did not fit, nothing else gets space.
    pub(crate) fn take<T: Serialize + ?Sized>(&mut self, name: usize, thing: &T) -> bool {
        let bytes = preview::json_bytes(thing) + name + "\"\":,".len();
        if bytes > self.left && self.left < self.whole {
            self.left = 0;
            return false;
        }
        self.left = self.left.saturating_sub(bytes);
        true
    }
}
