//! A home with its own supervisor, and helpers for the tests.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fanlight_daemon::secret::Secrets;
use fanlight_daemon::supervisor::Trees;
use fanlight_daemon::supervisor::client::{AttemptEvent, Exit, Settings, Stage, StartSpec, Supervisor};
use fanlight_daemon::supervisor::log;
use fanlight_shared::home::Home;
use fanlight_shared::id::AttemptId;

use crate::alive::is_alive;
pub(crate) use fanlight_shared::testing::{TIMEOUT, until};
use fanlight_shared::testing::{happens, skip};

pub(crate) struct Story {
    pub(crate) root: tempfile::TempDir,
    pub(crate) home: Home,
    pub(crate) settings: Settings,
    pub(crate) supervisor: Supervisor,
}

/// Runs a test with both kinds of containment.
pub(crate) fn both(story: impl AsyncFn(Story)) {
    for trees in [Trees::Session, Trees::Cgroup] {
        tokio::runtime::Runtime::new().unwrap().block_on(async {
            let told = Story::new(trees);
            match told.supervisor.list().await {
                Ok(_) => {
                    assert_eq!(told.supervisor.trees(), Some(trees.name()));
                    story(told).await;
                }
                Err(error) if trees == Trees::Cgroup && error.to_string().contains("cgroup") => {
                    skip(&format!("with cgroups: {error}"));
                }
                Err(error) => panic!("{error}"),
            }
        });
    }
}

impl Story {
    pub(crate) fn new(trees: Trees) -> Self {
        Self::with(Settings { linger: Duration::from_secs(60), trees })
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut home = Home::below(root.path()).unwrap();
        home.supervisor_socket = root.path().join("s.sock");
        let supervisor = Supervisor::with(&home, Path::new(env!("CARGO_BIN_EXE_fanlight")), settings);
        Self { root, home, settings, supervisor }
    }

    /// Returns another client of the same home, as after a restart of the daemon.
    pub(crate) fn another_client(&self) -> Supervisor {
        Supervisor::with(&self.home, Path::new(env!("CARGO_BIN_EXE_fanlight")), self.settings)
    }

    pub(crate) fn program(&self, program: &str, arguments: &[&str]) -> StartSpec {
        let id = AttemptId::new();
        let folder = self.root.path().join(id.to_string());
        let work = folder.join("work");
        std::fs::create_dir_all(&work).unwrap();
        StartSpec {
            id,
            program: program.into(),
            arguments: arguments.iter().map(OsString::from).collect(),
            env: vec![("PATH".into(), std::env::var_os("PATH").unwrap())],
            cwd: work,
            folder,
            grace: Duration::from_millis(300),
            secrets: Secrets::default(),
            stdout_limit: 1 << 20,
        }
    }

    pub(crate) fn script(&self, text: &str) -> StartSpec {
        self.program("sh", &["-c", text])
    }

    /// Runs a command to its end.
    pub(crate) async fn run(&self, spec: &StartSpec) -> Exit {
        let mut events = self.supervisor.subscribe(spec.id);
        self.supervisor.start(spec).await.unwrap();
        ended(&mut events).await
    }

    pub(crate) async fn stage(&self, id: AttemptId) -> Stage {
        self.supervisor.state(id).await.unwrap().expect("it is known").stage
    }

    pub(crate) fn supervisor_pid(&self) -> u32 {
        self.supervisor.pid().expect("it was started")
    }

    /// Sends a signal to the supervisor.
    pub(crate) fn signal_supervisor(&self, signal: &str) {
        kill(signal, self.supervisor_pid());
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        // The supervisor takes the leftovers of a failed test with it.
        if let Some(pid) = self.supervisor.pid()
            && command_line(pid).contains("supervisor")
        {
            kill("TERM", pid);
            // A failed test must not panic again.
            let _ = happens(|| !command_line(pid).contains("supervisor"));
        }
    }
}

pub(crate) fn kill(signal: &str, pid: u32) {
    let _ = std::process::Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status();
}

fn command_line(pid: u32) -> String {
    String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()).into_owned()
}

/// Returns the live processes that carry an attempt's token.
pub(crate) fn processes_of(id: AttemptId) -> Vec<u32> {
    let token = format!("FANLIGHT_ATTEMPT={id}").into_bytes();
    let pids = std::fs::read_dir("/proc").unwrap().flatten();
    pids.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            is_alive(pid) && environment.split(|byte| *byte == 0).any(|variable| variable == token)
        })
        .collect()
}

pub(crate) async fn ended(events: &mut fanlight_daemon::supervisor::client::Subscription) -> Exit {
    loop {
        match tokio::time::timeout(TIMEOUT, events.next()).await.expect("it ends") {
            AttemptEvent::Ended(exit) => return exit,
            AttemptEvent::Grew { .. } => {}
            AttemptEvent::Lost => panic!("it is lost"),
        }
    }
}

pub(crate) async fn lost(events: &mut fanlight_daemon::supervisor::client::Subscription) {
    loop {
        match tokio::time::timeout(TIMEOUT, events.next()).await.expect("it is lost") {
            AttemptEvent::Lost => return,
            AttemptEvent::Grew { .. } => {}
            AttemptEvent::Ended(exit) => panic!("it ended: {exit:?}"),
        }
    }
}

/// Returns the log as text.
pub(crate) fn log_text(folder: &Path) -> String {
    let part = log::read(folder, 0, u32::MAX).unwrap();
    let bytes: Vec<u8> = part.pieces.into_iter().flat_map(|(_, bytes)| bytes).collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the number that a command wrote to a file of its work folder.
pub(crate) fn number_in(spec: &StartSpec, file: &str) -> u32 {
    let path: PathBuf = spec.cwd.join(file);
    std::fs::read_to_string(path).unwrap().trim().parse().unwrap()
}
