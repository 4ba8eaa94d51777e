//! A daemon in this process with its own home, and a workflow whose runs wait until they are released.

use std::path::{Path, PathBuf};

use fanlight_daemon::config::Config;
use fanlight_daemon::lock::Lock;
use fanlight_daemon::node_type::NodeTypes;
use fanlight_daemon::run::{Shutdown, run};
use fanlight_daemon::server;
use fanlight_daemon::store::Store;
use fanlight_shared::client::Client;
use fanlight_shared::home::Home;
use fanlight_shared::rpc::daemon::Stop;
use fanlight_shared::rpc::queue;
use fanlight_shared::rpc::runs::{Get, ParamSet, Start};
use fanlight_shared::rpc::watch::Watch;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::testing::{TIMEOUT, in_time};
use fanlight_shared::value::Value;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// `count` reports progress, waits for a file and prints its run; then `sky` is painted.
const WORKFLOW: &str = r#"id: 01980000-0000-7000-8000-0000000000f1
name: Promise
params:
  seed: { type: int, default: 0 }
  gate: { type: text, default: "" }
nodes:
  count:
    run: |
      echo "{\"type\":\"progress\",\"value\":0.$seed,\"message\":\"step of $seed\"}" >> "$FANLIGHT_EVENTS"
      while [ ! -e "$gate/$seed" ]; do [ -d "$gate" ] || exit 1; sleep 0.02; done
      echo "made by $seed"
    with: { seed: "${{ params.seed }}", gate: "${{ params.gate }}" }
  sky:
    uses: image.generate
    needs: [count]
    with: { width: 48, height: 32, seed: "${{ params.seed }}" }
  words:
    uses: text.template
    with: { template: "{{ said }}", said: "${{ count.stdout }}" }
outputs:
  sky: "${{ sky.image }}"
  words: "${{ words.text }}"
"#;

pub(crate) struct House {
    pub(crate) home: Home,
    pub(crate) node_types: NodeTypes,
    folder: tempfile::TempDir,
    daemon: Option<(JoinHandle<()>, CancellationToken, Lock)>,
}

impl House {
    pub(crate) async fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("fl").tempdir_in("/tmp").unwrap();
        let root = folder.path();
        // It doesn't depend on the environment.
        let home = Home {
            config: root.join("config"),
            data: root.join("data"),
            state: root.join("state"),
            socket: root.join("run/d.sock"),
            supervisor_socket: root.join("run/s.sock"),
            name: root.to_owned(),
        };
        std::fs::create_dir(root.join("gate")).unwrap();
        std::fs::write(root.join("promise.yaml"), WORKFLOW).unwrap();
        let mut house = Self { home, node_types: NodeTypes::built_in(), folder, daemon: None };
        house.boot().await;
        house
    }

    async fn boot(&mut self) {
        self.home.make().unwrap();
        let lock = Lock::take(&self.home).unwrap();
        let store = Store::open(&self.home).unwrap();
        let listener = server::listen(&self.home, &lock).unwrap();
        let token = CancellationToken::new();
        let shutdown = Shutdown { token: token.clone(), when_idle: false };
        let (home, node_types) = (self.home.clone(), self.node_types.clone());
        let helper = Path::new(env!("CARGO_BIN_EXE_fanlight"));
        let living = tokio::spawn(async move {
            run(listener, store, helper, node_types, Config::default(), home, shutdown).await.unwrap();
        });
        self.daemon = Some((living, token, lock));
    }

    /// Stops the daemon gracefully, even with running runs, and starts the next one.
    pub(crate) async fn restart(&mut self) {
        self.end().await;
        self.boot().await;
    }

    async fn end(&mut self) {
        if let Some((living, token, _lock)) = self.daemon.take() {
            token.cancel();
            in_time("the end of the daemon", living).await.unwrap();
        }
    }

    /// Ends the test with nothing left running.
    pub(crate) async fn close(mut self) {
        let client = self.client().await;
        let _ = client.call(Stop { cancel: true }).await;
        self.end().await;
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(&self.home).await.unwrap()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("promise.yaml")
    }

    /// Returns the path for a second socket.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("run").join(name)
    }

    pub(crate) async fn cap(&self, runs: u32) {
        let set = queue::Set { max_concurrent_runs: Some(runs), paused: None };
        self.client().await.call(set).await.unwrap();
    }

    /// Starts a run by another client.
    pub(crate) async fn start(&self, seed: i64) -> Run {
        let gate = self.folder.path().join("gate").to_string_lossy().into_owned();
        let params = [("seed".to_owned(), Value::Int(seed)), ("gate".to_owned(), Value::Text(gate))];
        let start = Start {
            document: WORKFLOW.to_owned(),
            path: Some(self.file().to_string_lossy().into_owned()),
            sets: vec![ParamSet { params: params.into_iter().collect(), ..ParamSet::default() }],
            request_key: fanlight_shared::id::RunId::new().to_string(),
            ..Start::default()
        };
        self.client().await.call(start).await.unwrap().runs.remove(0)
    }

    /// Waits until the daemon has a run in this state.
    pub(crate) async fn is(&self, run: &str, state: RunStatus) {
        let client = self.client().await;
        let mut told = client.notifications().unwrap();
        client.call(Watch { registry: true, ..Watch::default() }).await.unwrap();
        let waiting = async {
            while client.call(Get { run: run.to_owned() }).await.unwrap().run.state != state {
                // Every change of a run is announced.
                told.recv().await.unwrap();
            }
        };
        let waited = tokio::time::timeout(TIMEOUT, waiting).await;
        assert!(waited.is_ok(), "waited in vain until {run} is {}", state.word());
    }

    /// Lets the run with this seed finish.
    pub(crate) fn let_go(&self, seed: i64) {
        std::fs::write(self.folder.path().join("gate").join(seed.to_string()), "").unwrap();
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if let Some((_, token, _)) = &self.daemon {
            token.cancel();
        }
        crate::leftovers::end_supervisor(&self.home);
    }
}
