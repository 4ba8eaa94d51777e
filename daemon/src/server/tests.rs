//! The real server with a temporary home; tests drive it through the hub.

mod frames;
mod life;
mod limits;
mod parts;
mod questions;
mod stored;
mod uploads;
mod views;

use std::path::Path;
use std::sync::Arc;

use fanlight_shared::client::{Client, Notifications};
use fanlight_shared::event::{NodeUpdate, Numbered, StateEvent};
use fanlight_shared::home::Home;
use fanlight_shared::id::{RunId, SubmissionId, Version, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::{NodeStatus, Run, RunStatus};
use fanlight_shared::testing::{in_time, until};
use fanlight_shared::time::Time;
use indexmap::IndexMap;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::{Context, listen, serve};
use crate::command::{CommandSettings, Commands};
use crate::config::Config;
use crate::engine::{Engine, EngineParts};
use crate::executor::{COMMANDS, Executors, NATIVE, NativeNodes};
use crate::hub::Hub;
use crate::lock::Lock;
use crate::node_type::NodeTypes;
use crate::own_home::OwnHome;
use crate::plugin::{PluginSettings, Plugins};
use crate::store::Store;
use crate::supervisor::client::Supervisor;
use crate::worker::Workers;

/// A server with its own home.
struct Served {
    home: Home,
    hub: Arc<Hub>,
    context: Arc<Context>,
    stop: CancellationToken,
    task: JoinHandle<()>,
    _lock: Lock,
    _dir: tempfile::TempDir,
}

/// Returns a home that contains its socket, whatever the environment says.
fn home(dir: &tempfile::TempDir) -> Home {
    let mut home = Home::below(Path::new("/h")).unwrap();
    let root = dir.path();
    home.config = root.join("config");
    home.data = root.join("data");
    home.state = root.join("state");
    home.name = root.to_owned();
    home.socket = root.join("run/d.sock");
    home.supervisor_socket = root.join("run/s.sock");
    home.make().unwrap();
    home
}

impl Served {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let home = home(&dir);
        let lock = Lock::take(&home).unwrap();
        let store = Store::open(&home).unwrap();
        let hub = Arc::new(Hub::default());
        let helper = Path::new("/nowhere/fanlight");
        let supervisor = Supervisor::new(&home, helper);
        let settings = CommandSettings { grace: std::time::Duration::from_secs(5), pass_env: Vec::new() };
        let commands = Commands::new(supervisor.clone(), store.blobs().clone(), home.attempts(), settings);
        let workers = Workers::new(helper, 1, store.blobs().clone(), home.scratch(), home.attempts());
        #[cfg(feature = "llm")]
        let child_runs = crate::child::ChildRuns::default();
        let native = NativeNodes {
            blobs: store.blobs().clone(),
            writable: Vec::new(),
            attempts: home.attempts(),
            #[cfg(feature = "http")]
            http: crate::http::Http::default(),
            #[cfg(feature = "llm")]
            providers: crate::llm::Providers::default(),
            #[cfg(feature = "llm")]
            mcp: Default::default(),
            #[cfg(feature = "llm")]
            child_runs: child_runs.clone(),
            #[cfg(feature = "llm")]
            checker: Arc::new(workers.clone()),
        };
        let executors =
            Executors::default().with(COMMANDS, Arc::new(commands)).with(NATIVE, Arc::new(native));
        let engine = Engine::boot(EngineParts {
            store: store.clone(),
            hub: Arc::clone(&hub),
            executors: executors.clone(),
            #[cfg(feature = "llm")]
            child_runs,
            node_types: NodeTypes::built_in(),
            previewer: Arc::new(workers.clone()),
            rates: crate::rate::Rates::default(),
            config: Arc::new(Config::default()),
        })
        .await
        .unwrap();
        let listener = listen(&home, &lock).unwrap();
        let settings = PluginSettings::of(&home, helper, std::time::Duration::from_secs(5), &[]);
        let plugins = Plugins::load(settings, NodeTypes::built_in(), store.blobs().clone());
        let context = Arc::new(Context {
            own_home: Arc::new(OwnHome::of(&home).unwrap()),
            queued: Arc::default(),
            home: home.clone(),
            engine,
            store,
            executors,
            node_types: NodeTypes::built_in(),
            supervisor,
            plugins,
            engines: Default::default(),
            #[cfg(feature = "llm")]
            providers: crate::llm::Providers::default(),
            workers,
            hub: Arc::clone(&hub),
            clients: tokio::sync::watch::Sender::new(0),
            cache_bytes: 0,
            shutdown: CancellationToken::new(),
        });
        let stop = CancellationToken::new();
        let task = tokio::spawn(serve(listener, Arc::clone(&context), stop.clone()));
        Self { home, hub, context, stop, task, _lock: lock, _dir: dir }
    }

    async fn client(&self) -> Client {
        Client::connect(&self.home).await.unwrap()
    }
}

/// Returns the next notification; `None` once the connection has ended.
async fn recv(notifications: &mut Notifications) -> Option<Notification> {
    in_time("a notification", notifications.recv()).await
}

/// Returns a run of a workflow.
pub(crate) fn run_of(workflow_id: WorkflowId, number: u32, state: RunStatus) -> Run {
    Run {
        id: RunId::new(),
        workflow: "poster".into(),
        number,
        label: format!("seed={number}"),
        state,
        params: IndexMap::new(),
        params_short: false,
        submitted_at: Time(1),
        started_at: None,
        ended_at: None,
        error: None,
        workflow_id,
        title: "Poster".into(),
        version: Version::of(""),
        submission: SubmissionId::new(),
        index: 0,
        start_order: (state != RunStatus::Queued).then_some(u64::from(number)),
        resumed_from: None,
        parent: None,
        nodes_done: 0,
        spent: fanlight_shared::spent::Spent::default(),
        nodes: 2,
        position: None,
        asks: None,
        waits_for: None,
        paused: None,
        sweep: None,
        concurrency: None,
        priority: 0,
    }
}

/// Returns an event with a change of a node.
fn node(seq: u64, node: &str, item: ItemPath, status: NodeStatus) -> Numbered {
    let mut update = NodeUpdate::new(node, item, status, Time(seq.cast_signed()));
    update.attempt = Some(1);
    Numbered { seq, event: StateEvent::NodeUpdate(update) }
}
