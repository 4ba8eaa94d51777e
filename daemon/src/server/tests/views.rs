use std::collections::HashMap;
use std::time::Duration;

use fanlight_shared::event::{LiveEvent, NodeError, Progress, Source, Task, TaskStatus};
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run_state::{Edges, Folded, RunState};
use fanlight_shared::testing::TIMEOUT;
use proptest::prelude::*;
use serde_json::json;

use super::frames::{Raw, request};
use super::*;

/// A client that folds the events that it receives, and treats every gap and every duplicate as an error.
pub(super) struct Viewer {
    pub(super) raw: Raw,
    pub(super) runs: HashMap<RunId, RunState>,
    watched: Vec<RunId>,
    /// How many parts of snapshots arrived, without the first ones.
    pub(super) parts: usize,
    lagged: usize,
}

impl Viewer {
    pub(super) async fn new(home: &Home) -> Self {
        let mut raw = Raw::connect(home).await;
        raw.hello().await;
        Self { raw, runs: HashMap::new(), watched: Vec::new(), parts: 0, lagged: 0 }
    }

    pub(super) async fn watch(&mut self, runs: Vec<RunId>) {
        self.runs.retain(|run, _| runs.contains(run));
        let telemetry: Vec<_> = runs
            .iter()
            .map(|run| match self.runs.get(run) {
                Some(state) => json!({ "run_id": run, "seq": state.seq }),
                None => json!({ "run_id": run }),
            })
            .collect();
        self.watched = runs;
        self.raw.send(request(1, "watch", json!({ "telemetry": telemetry }))).await;
    }

    /// Reconnects and continues where it was.
    async fn reconnect(&mut self, home: &Home) {
        let mut raw = Raw::connect(home).await;
        raw.hello().await;
        self.raw = raw;
        // The parts that were on their way are lost.
        self.runs.retain(|_, state| state.is_whole());
        self.watch(self.watched.clone()).await;
    }

    pub(super) async fn read(&mut self) {
        let frame = self.raw.next().await.expect("the connection is there");
        if frame.get("method").is_none() {
            assert!(frame.get("error").is_none(), "{frame}");
            return;
        }
        match serde_json::from_value(frame["params"].clone()).unwrap() {
            Notification::Snapshot { run_id, state, .. } if self.watched.contains(&run_id) => {
                self.runs.insert(run_id, *state);
            }
            Notification::SnapshotItems { run_id, seq, node, items, .. } => {
                if let Some(state) = self.runs.get_mut(&run_id) {
                    assert_eq!(seq, state.seq, "nothing else of a run comes before its last part");
                    state.take_items(&node, items);
                    self.parts += 1;
                }
            }
            Notification::SnapshotNodes { run_id, seq, nodes, edges, .. } => {
                if let Some(state) = self.runs.get_mut(&run_id) {
                    assert_eq!(seq, state.seq, "nothing else of a run comes before its last part");
                    state.take_nodes(nodes);
                    state.take_edges(edges);
                    self.parts += 1;
                }
            }
            Notification::State { run_id, event, .. } => {
                if let Some(state) = self.runs.get_mut(&run_id) {
                    assert_eq!(state.fold(&event), Folded::Next, "{} after {}", event.seq, state.seq);
                }
            }
            Notification::Live { run_id, event, .. } => {
                if let Some(state) = self.runs.get_mut(&run_id) {
                    state.fold_live(&event);
                }
            }
            Notification::Lagged {} => {
                self.runs.clear();
                self.lagged += 1;
            }
            _ => {}
        }
    }

    /// Reads until it sees what the hub sees.
    pub(super) async fn settle(&mut self, hub: &Hub) {
        let same = |viewer: &Self| {
            viewer.watched.iter().all(|run| viewer.runs.get(run) == hub.run_state(*run).as_deref())
        };
        let reading = async {
            while !same(self) {
                self.read().await;
            }
        };
        if tokio::time::timeout(TIMEOUT, reading).await.is_err() {
            for run in &self.watched {
                assert_eq!(self.runs.get(run), hub.run_state(*run).as_deref());
            }
        }
    }
}

/// The engine's side: active runs.
struct Runs {
    workflow: WorkflowId,
    ids: Vec<RunId>,
}

impl Runs {
    fn begin(hub: &Hub, count: u32) -> Self {
        let workflow = WorkflowId::new();
        let ids = (1..=count)
            .map(|number| {
                let run = run_of(workflow, number, RunStatus::Running);
                hub.begin(&run, RunState::new(["a", "b"]).with_edges(&Edges::new(["a.out>b.in"])));
                run.id
            })
            .collect();
        Self { workflow, ids }
    }

    fn state(&self, hub: &Hub, nth: usize, name: &str, item: ItemPath, status: NodeStatus, bytes: usize) {
        let run = self.ids[nth % self.ids.len()];
        let mut event = node(hub.run_state(run).unwrap().seq + 1, name, item, status);
        if let StateEvent::NodeUpdate(update) = &mut event.event {
            update.error = (bytes > 0).then(|| NodeError::new("x".repeat(bytes)));
        }
        hub.state(self.workflow, run, event.into());
    }

    fn live(&self, hub: &Hub, nth: usize, event: LiveEvent) {
        hub.live(self.workflow, self.ids[nth % self.ids.len()], event);
    }
}

#[derive(Clone, Debug)]
enum Step {
    State {
        run: usize,
        reader: bool,
        item: Option<u32>,
        status: usize,
    },
    Live {
        run: usize,
        item: Option<u32>,
        kind: u8,
        value: u32,
    },
    /// More than the socket and the outbox hold, and more items than fit into one message.
    Flood {
        run: usize,
    },
    Watch(Vec<usize>),
    Read,
    Reconnect,
}

fn step() -> impl Strategy<Value = Step> {
    let item = || proptest::option::of(0..3_u32);
    prop_oneof![
        8 => (0..3_usize, any::<bool>(), item(), 0..4_usize)
            .prop_map(|(run, reader, item, status)| Step::State { run, reader, item, status }),
        8 => (0..3_usize, item(), 0..5_u8, 0..100_u32)
            .prop_map(|(run, item, kind, value)| Step::Live { run, item, kind, value }),
        1 => (0..3_usize).prop_map(|run| Step::Flood { run }),
        2 => proptest::sample::subsequence(vec![0, 1, 2], 0..=3).prop_map(Step::Watch),
        4 => Just(Step::Read),
        1 => Just(Step::Reconnect),
    ]
}

fn live(item: Option<u32>, kind: u8, value: u32) -> LiveEvent {
    let (node, item) = ("a".to_owned(), ItemPath(item));
    match kind {
        0 => {
            let progress = Progress { fraction: Some(f64::from(value) / 128.0), message: None };
            LiveEvent::NodeProgress { node, item, progress }
        }
        1 => {
            let last_line = value.is_multiple_of(2).then(|| format!("line {value}"));
            LiveEvent::LogUpdate { node, item, attempt: 1, end: value.into(), last_line }
        }
        4 => {
            let task = Task { number: value, title: format!("task {value}"), status: TaskStatus::Running };
            LiveEvent::TaskUpdate { source: Source { node, item, attempt: 1 }, task }
        }
        2 => LiveEvent::MetricUpdate { node, item, name: "loss".into(), value: value.into(), unit: None },
        _ => LiveEvent::PreviewUpdate { node, item, port: "out".into(), value: i64::from(value).into() },
    }
}

async fn play(steps: Vec<Step>) {
    const STATUS: [NodeStatus; 4] =
        [NodeStatus::Running, NodeStatus::Waiting, NodeStatus::Completed, NodeStatus::Running];
    let served = Served::new().await;
    let hub = &served.hub;
    let runs = Runs::begin(hub, 3);
    let mut viewer = Viewer::new(&served.home).await;
    viewer.watch(runs.ids.clone()).await;
    for step in steps {
        match step {
            Step::State { run, reader, item, status } => {
                let name = if reader { "b" } else { "a" };
                runs.state(hub, run, name, ItemPath(item), STATUS[status], 0);
            }
            Step::Live { run, item, kind, value } => runs.live(hub, run, live(item, kind, value)),
            Step::Flood { run } => {
                for index in 9..209 {
                    runs.state(hub, run, "a", ItemPath::item(index), NodeStatus::Failed, 8192);
                }
            }
            Step::Watch(nth) => viewer.watch(nth.iter().map(|nth| runs.ids[*nth]).collect()).await,
            Step::Read => {
                let _ = tokio::time::timeout(Duration::from_millis(1), viewer.read()).await;
            }
            Step::Reconnect => viewer.reconnect(&served.home).await,
        }
    }
    viewer.settle(hub).await;
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]
    #[test]
    fn the_view_of_the_client_equals_that_of_the_daemon(steps in proptest::collection::vec(step(), 1..80)) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(play(steps));
    }
}

#[tokio::test]
async fn a_client_that_did_not_read_gets_a_new_snapshot() {
    let served = Served::new().await;
    let runs = Runs::begin(&served.hub, 1);
    let mut viewer = Viewer::new(&served.home).await;
    viewer.watch(runs.ids.clone()).await;
    viewer.settle(&served.hub).await;
    for _ in 0..2000 {
        runs.state(&served.hub, 0, "a", ItemPath::WHOLE, NodeStatus::Running, 8192);
        // Let the session fill the socket.
        tokio::task::yield_now().await;
    }
    viewer.settle(&served.hub).await;
    assert!(viewer.lagged > 0, "16 MB fit neither the socket nor the outbox");
}

#[tokio::test]
async fn two_runs_of_one_workflow_have_separate_telemetry() {
    let served = Served::new().await;
    let runs = Runs::begin(&served.hub, 2);
    let mut viewer = Viewer::new(&served.home).await;
    viewer.watch(vec![runs.ids[0]]).await;
    viewer.settle(&served.hub).await;
    runs.state(&served.hub, 1, "a", ItemPath::WHOLE, NodeStatus::Failed, 10);
    runs.live(&served.hub, 1, live(None, 0, 7));
    runs.state(&served.hub, 0, "a", ItemPath::WHOLE, NodeStatus::Running, 0);
    viewer.settle(&served.hub).await;
    assert_eq!(viewer.runs.len(), 1);
    assert_eq!(viewer.runs[&runs.ids[0]].nodes["a"].whole.status, NodeStatus::Running);
    assert_eq!(viewer.runs[&runs.ids[0]].nodes["a"].whole.progress, None);
}

#[tokio::test]
async fn a_client_that_follows_a_workflow_moves_to_its_newest_started_run() {
    let served = Served::new().await;
    let first = Runs::begin(&served.hub, 1);
    let mut viewer = Viewer::new(&served.home).await;
    viewer.raw.send(request(1, "watch", json!({ "follow": first.workflow }))).await;
    viewer.watched = first.ids.clone();
    viewer.settle(&served.hub).await;
    let second = run_of(first.workflow, 2, RunStatus::Running);
    served.hub.begin(&second, RunState::new(["a", "b"]));
    viewer.watched = vec![second.id];
    viewer.settle(&served.hub).await;
}

#[tokio::test]
async fn edges_follow_the_node_that_reads_them() {
    let served = Served::new().await;
    let runs = Runs::begin(&served.hub, 1);
    let edge = || served.hub.run_state(runs.ids[0]).unwrap().edges["a.out>b.in"];
    for index in 0..2 {
        runs.state(&served.hub, 0, "b", ItemPath::item(index), NodeStatus::Running, 0);
    }
    assert_eq!((edge().active, edge().count), (true, 0));
    runs.state(&served.hub, 0, "b", ItemPath::item(0), NodeStatus::Completed, 0);
    assert_eq!((edge().active, edge().count), (true, 1));
    runs.state(&served.hub, 0, "b", ItemPath::item(1), NodeStatus::Failed, 0);
    assert_eq!((edge().active, edge().count), (false, 2));
}
