//! An engine with its own store, and helpers for stories.

use std::sync::Arc;

use fanlight_shared::home::Home;
use fanlight_shared::id::{AttemptId, RunId};
use fanlight_shared::media::Media;
use fanlight_shared::rpc::{RpcError, runs};
use fanlight_shared::run::{NodeStatus, Run};
use fanlight_shared::run_state::RunState;
use fanlight_shared::testing::in_time;
use fanlight_shared::value::Value;
use futures_util::future::BoxFuture;
use indexmap::IndexMap;

use crate::command::fake_slurm::FakeSlurm;
use crate::config::Config;
use crate::engine::{Activity, Engine, EngineParts};
use crate::executor::fake::Fake;
use crate::executor::{Executors, NativeNodes, Previewer};
use crate::hub::Hub;
use crate::node_type::{NodeTypes, fake};
use crate::rate::Rates;
use crate::secret::SecretFile;
use crate::store::{After, Batch, Store};

/// An engine with its own store.
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) store: Store,
    /// Runs nodes that aren't native.
    pub(super) fake: Fake,
    /// Sends events to watchers of the engine.
    pub(super) hub: Arc<Hub>,
    /// The node types that `uses:` may name; the next engine has them too.
    pub(super) node_types: NodeTypes,
    /// The engine `cluster`, if it has one.
    cluster: Option<FakeSlurm>,
    home: Home,
    config: Arc<Config>,
    folder: tempfile::TempDir,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with_cap(8).await
    }

    pub(super) async fn with_cap(cap: u32) -> Self {
        Self::with(Config { max_concurrent_runs: cap, ..Config::default() }).await
    }

    pub(super) async fn with(config: Config) -> Self {
        Self::with_cluster(config, None).await
    }

    /// Returns one with a cluster for the engine `cluster`, which its config declares.
    pub(super) async fn with_cluster(mut config: Config, cluster: Option<FakeSlurm>) -> Self {
        let folder = tempfile::tempdir_in("/tmp").unwrap();
        let home = Home::below(folder.path()).unwrap();
        let store = Store::open(&home).unwrap();
        config.secrets.file = SecretFile::at(home.secrets_file());
        let config = Arc::new(config);
        let fake = Fake::default();
        let hub = Arc::new(Hub::default());
        let node_types = NodeTypes::built_in();
        node_types.add(fake::types()).unwrap();
        let engine = boot(&home, &store, &fake, &config, &hub, &node_types, cluster.as_ref()).await;
        Self { engine, store, fake, hub, node_types, cluster, home, config, folder }
    }

    /// Blocks commits until the returned sender is dropped.
    pub(super) fn hold_the_disk(&self) -> std::sync::mpsc::Sender<()> {
        let (disk, held) = std::sync::mpsc::channel();
        let (holding, begun) = std::sync::mpsc::channel();
        let after: After = Box::new(move |_| {
            let _ = holding.send(());
            let _ = held.recv();
        });
        self.store.write(Batch { after: Some(after), ..Batch::default() });
        // Otherwise the writer could commit later batches together with this one.
        begun.recv().unwrap();
        disk
    }

    /// Ends the engine and boots another one on the same store.
    pub(super) async fn restart(&mut self) {
        self.restart_after(|_| {}).await;
    }

    /// Does the same, and calls `meanwhile` in between.
    pub(super) async fn restart_after(&mut self, meanwhile: impl FnOnce(&Self)) {
        self.engine.stop().await;
        meanwhile(self);
        self.hub = Arc::new(Hub::default());
        let (home, cluster) = (&self.home, self.cluster.as_ref());
        self.engine =
            boot(home, &self.store, &self.fake, &self.config, &self.hub, &self.node_types, cluster).await;
    }

    /// Returns the file of secrets.
    pub(super) fn secrets(&self) -> &SecretFile {
        &self.config.secrets.file
    }

    /// Returns the folder of the home.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Returns the folder of an attempt.
    pub(super) fn folder_of(&self, attempt: AttemptId) -> std::path::PathBuf {
        self.home.attempts().join(attempt.to_string())
    }

    /// Ends the engine as a daemon does that crashes on a run, and boots another one.
    pub(super) async fn crash_during(&mut self, run: RunId) {
        self.restart_after(|world| {
            std::fs::create_dir_all(&world.home.state).unwrap();
            std::fs::write(world.home.working_file(), run.as_bytes()).unwrap();
        })
        .await;
    }

    /// Changes the database behind the store's back.
    pub(super) fn tamper(&self, sql: &str) {
        crate::store::tests::tamper(self.store.home(), sql);
    }

    /// Returns the path of a workflow file, which is there.
    pub(super) fn file(&self, name: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::File::create(&path).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Starts a workflow once per set of params.
    pub(super) async fn try_start(
        &self,
        document: &str,
        sets: &[&[(&str, Value)]],
    ) -> Result<Vec<Run>, RpcError> {
        self.submit(document, sets, |_| {}).await
    }

    pub(super) async fn submit(
        &self,
        document: &str,
        sets: &[&[(&str, Value)]],
        more: impl FnOnce(&mut runs::Start),
    ) -> Result<Vec<Run>, RpcError> {
        let mut request = runs::Start {
            document: document.to_owned(),
            path: Some(self.file("story.yaml")),
            sets: sets
                .iter()
                .map(|set| runs::ParamSet { params: params(set), ..runs::ParamSet::default() })
                .collect(),
            request_key: RunId::new().to_string(),
            ..runs::Start::default()
        };
        more(&mut request);
        self.engine.start(request).await.map(|started| started.runs)
    }

    /// Starts one run with its defaults.
    pub(super) async fn start(&self, document: &str) -> Run {
        self.try_start(document, &[&[]]).await.unwrap().remove(0)
    }

    /// Runs a workflow once, to its end.
    pub(super) async fn run(&self, document: &str) -> Ended {
        let run = self.start(document).await;
        self.idle().await;
        self.ended(run.id)
    }

    /// Waits until nothing runs and nothing waits.
    pub(super) async fn idle(&self) {
        self.until(|activity| *activity == Activity::default()).await;
    }

    /// Waits until the engine's activity meets `condition`, and everything is stored.
    pub(super) async fn until(&self, condition: impl FnMut(&Activity) -> bool) {
        let mut activity = self.engine.activity();
        let got_there = in_time("the engine gets there", activity.wait_for(condition)).await;
        got_there.expect("the engine should live");
        self.store.commit(Vec::new()).await.unwrap();
    }

    /// Waits until the stored state of a run meets `condition`; checks after every commit.
    pub(super) async fn until_state(&self, id: RunId, condition: impl Fn(&RunState) -> bool) {
        self.until_stored(|_| condition(&self.ended(id).state)).await;
    }

    /// Waits until the store meets `condition`.
    pub(super) async fn until_stored(&self, condition: impl Fn(&Store) -> bool) {
        let look = async {
            while !condition(&self.store) {
                // Our own commit is a barrier after everything that the engine wrote; in between, other tasks run.
                self.store.commit(Vec::new()).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        in_time("the store gets there", look).await;
    }

    /// Waits until this attempt of a node is running or has ended.
    pub(super) async fn until_attempt(&self, id: RunId, node: &str, number: u32) {
        self.until_state(id, |state| state.nodes[node].whole.attempt() >= number).await;
    }

    pub(super) fn ended(&self, id: RunId) -> Ended {
        let run = self.store.listed(id).unwrap();
        let state = self.store.run_state(id).unwrap();
        Ended { run, state }
    }

    pub(super) async fn cancel(&self, runs: &[RunId]) -> runs::CancelResponse {
        self.engine.cancel(runs::Cancel { runs: runs.to_vec(), ..runs::Cancel::default() }).await.unwrap()
    }

    /// Returns the stored values of a port of a run, one per item.
    pub(super) fn values(&self, run: RunId, node: &str, port: &str) -> Vec<Option<Value>> {
        let open = self.store.run(run).unwrap();
        open.values
            .into_iter()
            .filter(|(n, _, p, _)| n == node && p == port)
            .map(|(_, _, _, value)| value)
            .collect()
    }
}

async fn boot(
    home: &Home,
    store: &Store,
    fake: &Fake,
    config: &Arc<Config>,
    hub: &Arc<Hub>,
    node_types: &NodeTypes,
    cluster: Option<&FakeSlurm>,
) -> Engine {
    let (attempts, rates) = (home.attempts(), Rates::new(config));
    #[cfg(feature = "llm")]
    let child_runs = crate::child::ChildRuns::default();
    let native = NativeNodes {
        blobs: store.blobs().clone(),
        writable: Vec::new(),
        attempts,
        #[cfg(feature = "http")]
        http: crate::http::Http::default(),
        #[cfg(feature = "llm")]
        providers: crate::llm::Providers::new(config, crate::http::Http::default(), rates.clone()),
        #[cfg(feature = "llm")]
        mcp: Default::default(),
        #[cfg(feature = "llm")]
        child_runs: child_runs.clone(),
        #[cfg(feature = "llm")]
        checker: Arc::new(crate::worker::InProcess(store.blobs().clone())),
    };
    let mut executors = Executors::default()
        .with("local", Arc::new(fake.clone()))
        .with("elsewhere", Arc::new(fake.clone()))
        .with("daemon", Arc::new(native));
    if let Some(cluster) = cluster {
        executors = executors.with("engine.cluster", Arc::new(cluster.clone()));
    }
    let parts = EngineParts {
        store: store.clone(),
        hub: Arc::clone(hub),
        executors,
        #[cfg(feature = "llm")]
        child_runs,
        node_types: node_types.clone(),
        previewer: Arc::new(NoPreviews),
        rates,
        config: config.clone(),
    };
    Engine::boot(parts).await.unwrap()
}

struct NoPreviews;

impl Previewer for NoPreviews {
    fn preview(&self, _media: Media) -> BoxFuture<'_, Option<(String, Vec<u8>)>> {
        Box::pin(std::future::ready(None))
    }
}

pub(super) fn params(set: &[(&str, Value)]) -> IndexMap<String, Value> {
    set.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

/// An ended run as it is stored.
pub(super) struct Ended {
    pub(super) run: Run,
    pub(super) state: RunState,
}

impl Ended {
    /// Returns the states of its nodes, in order: `a completed, b skipped`.
    pub(super) fn nodes(&self) -> String {
        let node = |(name, node): (&String, &fanlight_shared::run_state::NodeState)| {
            format!("{name} {}", node.whole.status.word())
        };
        self.state.nodes.iter().map(node).collect::<Vec<_>>().join(", ")
    }

    /// Returns the states of a node's items, in order.
    pub(super) fn items(&self, node: &str) -> Vec<NodeStatus> {
        self.state.nodes[node].items.values().map(|item| item.status).collect()
    }

    pub(super) fn error(&self) -> &str {
        self.run.error.as_deref().unwrap_or_default()
    }

    pub(super) fn output(&self, name: &str) -> Option<&Value> {
        self.state.outputs.get(name)
    }
}
