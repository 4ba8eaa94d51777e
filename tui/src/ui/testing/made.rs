//! Runs, what is known of them, and what they made: the same for the same number.

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::event::{EdgeActivity, NodeError, Progress};
use fanlight_shared::id::{AssetId, RunId, SubmissionId, Version, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::{AttemptEnd, NodeStatus, Run, RunStatus};
use fanlight_shared::run_state::{Attempt, RunState};
use fanlight_shared::spent::Spent;
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;

use super::{NOW, POSTER};

/// Returns the same id for the same number, so that pictures of ids stay the same.
pub(crate) fn run_id(number: u32) -> RunId {
    RunId::from_bytes(bytes(1, number))
}

/// Returns the workflow's id of all tests.
pub(crate) fn workflow_id() -> WorkflowId {
    WorkflowId::from_bytes(bytes(2, 0))
}

/// Returns the same id for the same number.
pub(crate) fn asset_id(number: u32) -> AssetId {
    AssetId::from_bytes(bytes(3, number))
}

fn bytes(kind: u8, number: u32) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[0] = kind;
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    bytes
}

/// Returns a run of [`POSTER`] in a state; each is a submission of its own.
pub(crate) fn run(number: u32, state: RunStatus) -> Run {
    let started = state != RunStatus::Queued;
    let at = NOW.0 - 60_000 + i64::from(number) * 1_000;
    Run {
        id: run_id(number),
        workflow: "poster".to_owned(),
        number,
        label: format!("seed={number}"),
        state,
        params: [
            ("place".to_owned(), Value::Text("Brighton".to_owned())),
            ("seed".to_owned(), Value::Int(i64::from(number))),
        ]
        .into_iter()
        .collect(),
        params_short: false,
        submitted_at: Time(at),
        started_at: started.then_some(Time(at + 100)),
        ended_at: state.is_ended().then_some(Time(at + 5_300)),
        error: (state == RunStatus::Failed).then(|| "framed failed: exit code 1".to_owned()),
        workflow_id: workflow_id(),
        title: "Seaside poster".to_owned(),
        version: Version::of(POSTER),
        submission: SubmissionId::from_bytes(bytes(4, number)),
        index: 0,
        start_order: started.then_some(u64::from(number)),
        resumed_from: None,
        parent: None,
        spent: Spent::default(),
        nodes_done: match state {
            RunStatus::Completed => 4,
            RunStatus::Queued => 0,
            _ => 2,
        },
        nodes: 4,
        position: None,
        asks: None,
        waits_for: None,
        paused: None,
        sweep: None,
        concurrency: None,
        priority: 0,
    }
}

/// Returns what is known of a run of [`POSTER`]: in the middle of it, done, failed, or nothing yet.
pub(crate) fn state(run: &Run) -> RunState {
    let mut state = RunState::new(["sky", "title", "framed", "poster"]);
    state.status = run.state;
    state.started_at = run.started_at;
    state.ended_at = run.ended_at;
    state.error.clone_from(&run.error);
    let Some(started) = run.started_at else { return state };
    set(&mut state, "sky", NodeStatus::Completed, started);
    set(&mut state, "title", NodeStatus::Completed, started);
    if let Some(title) = state.nodes.get_mut("title") {
        title.whole.outputs.insert("stdout".to_owned(), Value::Text("Greetings from Brighton".to_owned()));
    }
    match run.state {
        RunStatus::Running | RunStatus::Parked | RunStatus::Cancelling => {
            set(&mut state, "framed", NodeStatus::Running, started);
            if let Some(framed) = state.nodes.get_mut("framed") {
                framed.whole.progress =
                    Some(Progress { fraction: Some(0.6), message: Some("18/30".to_owned()) });
            }
            state.edges.insert("sky.image>framed.image".to_owned(), EdgeActivity { active: true, count: 0 });
        }
        RunStatus::Completed => {
            set(&mut state, "framed", NodeStatus::Completed, started);
            set(&mut state, "poster", NodeStatus::Completed, started);
        }
        RunStatus::Failed => {
            set(&mut state, "framed", NodeStatus::Failed, started);
            set(&mut state, "poster", NodeStatus::Skipped, started);
            if let Some(framed) = state.nodes.get_mut("framed") {
                framed.whole.error = Some(NodeError {
                    message: "exit code 1".to_owned(),
                    exit_code: Some(1),
                    last_line: Some("convert: no such file sky.png".to_owned()),
                });
            }
        }
        RunStatus::Cancelled => {
            set(&mut state, "framed", NodeStatus::Cancelled, started);
            set(&mut state, "poster", NodeStatus::Cancelled, started);
        }
        RunStatus::Queued => {}
    }
    state
}

fn set(state: &mut RunState, node: &str, status: NodeStatus, started: Time) {
    let Some(node) = state.nodes.get_mut(node) else { return };
    let ended = status.is_ended().then(|| Time(started.0 + 420));
    node.whole.status = status;
    node.whole.ended_at = ended;
    if status != NodeStatus::Skipped {
        node.whole.attempts.push(Attempt {
            ended_at: ended,
            end: ended.map(|_| match status {
                NodeStatus::Failed => AttemptEnd::Failed,
                NodeStatus::Cancelled => AttemptEnd::Cancelled,
                _ => AttemptEnd::Completed,
            }),
            ..Attempt::new(1, started)
        });
    }
}

/// Returns a product of a run.
pub(crate) fn asset(number: u32, of: &Run, node: &str, kind: AssetKind) -> Asset {
    let value = match kind {
        AssetKind::Number => Value::Float(f64::from(number) / 8.0),
        _ => Value::Text(format!("text {number}")),
    };
    Asset {
        id: asset_id(number),
        workflow: of.workflow.clone(),
        run: of.name(),
        node: node.to_owned(),
        item: ItemPath::WHOLE,
        port: "image".to_owned(),
        kind,
        mime: if kind == AssetKind::Image { "image/png" } else { "text/plain" }.to_owned(),
        bytes: 12_345,
        name: format!("{node}.png"),
        created_at: NOW,
        starred: false,
        ordinal: 0,
        workflow_id: of.workflow_id,
        run_id: of.id,
        value,
        preview: PreviewState::None,
    }
}
