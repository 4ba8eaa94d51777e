//! A daemon with its own home, on the same disk as the build.

use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use fanlight_shared::client::Client;
use fanlight_shared::home::Home;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::daemon::{DaemonStatus, Status, Stop};
use fanlight_shared::rpc::queue;
use fanlight_shared::rpc::runs::{ParamSet, Start};
use fanlight_shared::run::Run;
use fanlight_shared::value::Value;
use indexmap::IndexMap;

/// A daemon, stopped when dropped.
pub(crate) struct Daemon {
    pub(crate) client: Client,
    pub(crate) home: Home,
    pub(crate) pid: u32,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) runtime: tempfile::TempDir,
}

impl Daemon {
    /// Starts a daemon with this `config.toml`.
    pub(crate) async fn start(config: &str) -> Self {
        let folder = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        // The path of a socket must be short.
        let runtime = tempfile::Builder::new().prefix("fl").tempdir_in("/tmp").unwrap();
        let mut home = Home::below(folder.path()).unwrap();
        home.make().unwrap();
        std::fs::create_dir_all(&home.config).unwrap();
        std::fs::write(home.config_file(), config).unwrap();
        let said = command(folder.path(), runtime.path(), &["daemon", "start"]).output().unwrap();
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        let said = command(folder.path(), runtime.path(), &["daemon", "status", "--json"]).output().unwrap();
        let status: serde_json::Value = serde_json::from_slice(&said.stdout).unwrap();
        home.socket = status["socket"].as_str().unwrap().into();
        let client = Client::connect(&home).await.unwrap();
        let pid = client.call(Status {}).await.unwrap().pid;
        Self { client, home, pid, folder, runtime }
    }

    pub(crate) async fn cap(&self, runs: u32) {
        let set = queue::Set { max_concurrent_runs: Some(runs), paused: Some(false) };
        self.client.call(set).await.unwrap();
    }

    pub(crate) async fn pause(&self) {
        self.client.call(queue::Set { max_concurrent_runs: None, paused: Some(true) }).await.unwrap();
    }

    /// Submits `count` runs at once.
    pub(crate) async fn submit(&self, document: &str, count: usize) -> Vec<Run> {
        self.submit_seeds(document, 0..count).await
    }

    /// Submits a run for each of these values of `seed`.
    pub(crate) async fn submit_seeds(&self, document: &str, seeds: Range<usize>) -> Vec<Run> {
        let set = |seed: usize| ParamSet {
            params: IndexMap::from([("seed".to_owned(), Value::Int(i64::try_from(seed).unwrap()))]),
            ..ParamSet::default()
        };
        let start = Start {
            document: document.to_owned(),
            sets: seeds.map(set).collect(),
            request_key: RunId::new().to_string(),
            ..Start::default()
        };
        self.client.call(start).await.unwrap().runs
    }

    pub(crate) async fn status(&self) -> DaemonStatus {
        self.client.call(Status {}).await.unwrap()
    }

    /// Waits until no run is running or queued. Polls often enough to measure hundreds of milliseconds.
    pub(crate) async fn drained(&self) {
        loop {
            let status = self.status().await;
            if status.running == 0 && status.queued == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    }

    /// Returns the process id of the supervisor, if one runs.
    pub(crate) fn supervisor(&self) -> Option<u32> {
        let folder = self.home.supervisor();
        std::fs::read_dir("/proc").unwrap().flatten().find_map(|entry| {
            let line = std::fs::read_to_string(entry.path().join("cmdline")).ok()?;
            let is_it = line.split('\0').nth(1) == Some("supervisor") && line.contains(folder.to_str()?);
            is_it.then(|| entry.file_name().to_str()?.parse().ok()).flatten()
        })
    }

    /// Ends it and what it runs.
    pub(crate) async fn stop(self) {
        let _ = self.client.call(Stop { cancel: true }).await;
        self.client.closed().await;
        drop((self.folder, self.runtime));
    }
}

fn command(home: &Path, runtime: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fanlight"));
    command.args(arguments).env("FANLIGHT_HOME", home).env("XDG_RUNTIME_DIR", runtime);
    command
}
