//! Notifications as text frames.

use std::collections::BTreeMap;

use fanlight_shared::event::Queue;
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::rpc::frame::{EVENT, Notified, Two};
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::{Instance, RunState};
use serde::Serialize;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::outbox::Outgoing;

/// A notification as a text frame.
pub(crate) fn encode(notification: &Notification) -> Utf8Bytes {
    text(&Notified { jsonrpc: Two, method: EVENT, params: notification })
}

/// A message as a text frame; of a run that is told in parts the next one. `None` where all of it was told.
pub(crate) fn written(message: &Outgoing) -> Option<Utf8Bytes> {
    Some(match message {
        Outgoing::Text(text) => text.clone(),
        Outgoing::Lagged => encode(&Notification::Lagged {}),
        Outgoing::Snapshot(telling) => telling.part()?,
        Outgoing::Registry { seq, runs, queue, banners } => {
            let runs = runs.iter().map(AsRef::as_ref).collect();
            frame(Shared::Registry { seq: *seq, runs, queue, banners })
        }
    })
}

/// [`Notification`] by reference: what is large is not copied only to be written out.
#[derive(Serialize)]
#[serde(tag = "channel", rename_all = "snake_case")]
pub(super) enum Shared<'a> {
    Registry {
        seq: u64,
        runs: Vec<&'a Run>,
        queue: &'a Queue,
        #[serde(skip_serializing_if = "<[String]>::is_empty")]
        banners: &'a [String],
    },
    Snapshot {
        workflow_id: WorkflowId,
        run_id: RunId,
        run: &'a Run,
        state: &'a RunState,
    },
    SnapshotItems {
        workflow_id: WorkflowId,
        run_id: RunId,
        seq: u64,
        node: &'a str,
        items: &'a BTreeMap<u32, &'a Instance>,
    },
}

pub(super) fn frame(params: Shared<'_>) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Frame<'a> {
        jsonrpc: Two,
        method: &'static str,
        params: Shared<'a>,
    }
    text(&Frame { jsonrpc: Two, method: EVENT, params })
}

/// Our own types always serialise: their keys are texts and nothing in them fails.
pub(crate) fn text<T: Serialize>(value: &T) -> Utf8Bytes {
    serde_json::to_string(value).map(Utf8Bytes::from).unwrap_or_else(|error| {
        tracing::error!(%error, "a message could not be written out");
        Utf8Bytes::from_static("{}")
    })
}
