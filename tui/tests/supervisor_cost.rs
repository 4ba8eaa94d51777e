//! What the supervisor adds to bare spawns. A measurement, not a check: `cargo test --release --test supervisor_cost -- --ignored --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fanlight_daemon::supervisor::Trees;
use fanlight_daemon::supervisor::client::{AttemptEvent, Settings, StartSpec, Supervisor};
use fanlight_shared::home::Home;
use fanlight_shared::id::AttemptId;

const TOTAL: usize = 500;

fn bare() -> Duration {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..TOTAL / 2 {
                    let mut command = Command::new("/bin/true");
                    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
                    let mut child = command.spawn().unwrap();
                    child.stdout.take().unwrap().read_to_end(&mut Vec::new()).unwrap();
                    child.stderr.take().unwrap().read_to_end(&mut Vec::new()).unwrap();
                    child.wait().unwrap();
                }
            });
        }
    });
    begun.elapsed()
}

async fn one(supervisor: &Supervisor, root: &Path) -> Duration {
    let id = AttemptId::new();
    let folder = root.join(id.to_string());
    std::fs::create_dir(&folder).unwrap();
    let spec = StartSpec {
        id,
        program: "/bin/true".into(),
        arguments: Vec::new(),
        env: vec![("PATH".into(), "/bin".into())],
        cwd: folder.clone(),
        folder,
        grace: Duration::from_secs(1),
    };
    let mut events = supervisor.subscribe(id);
    let begun = Instant::now();
    supervisor.start(&spec).await.unwrap();
    let started = begun.elapsed();
    while !matches!(events.next().await, AttemptEvent::Ended(_)) {}
    supervisor.forget(id).await.unwrap();
    started
}

fn measured(trees: Trees) {
    let root = tempfile::tempdir().unwrap();
    let mut home = Home::below(root.path()).unwrap();
    home.supervisor_socket = root.path().join("s.sock");
    let settings = Settings { linger: Duration::ZERO, trees };
    let helper = Path::new(env!("CARGO_BIN_EXE_fanlight"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let supervisor = Supervisor::with(&home, helper, settings);
        supervisor.list().await.unwrap();
        let begun = Instant::now();
        let halves: Vec<_> = (0..2)
            .map(|_| {
                let (supervisor, root) = (supervisor.clone(), root.path().to_owned());
                tokio::spawn(async move {
                    for _ in 0..TOTAL / 2 {
                        one(&supervisor, &root).await;
                    }
                })
            })
            .collect();
        for half in halves {
            half.await.unwrap();
        }
        let ours = begun.elapsed();
        let bare = bare();
        let ratio = ours.as_secs_f64() / bare.as_secs_f64();
        let name = supervisor.trees().unwrap_or_default();
        println!("{name}: {TOTAL} × true, 2 at once: {ours:?}; bare: {bare:?}; ratio {ratio:.2}");
        let mut starts = Vec::new();
        for _ in 0..50 {
            tokio::time::sleep(Duration::from_millis(50)).await;
            starts.push(one(&supervisor, root.path()).await);
        }
        starts.sort();
        println!("{name}: a start on an idle machine: p50 {:?}, most {:?}", starts[25], starts[49]);
        let pid = supervisor.pid().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        let memory = status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("RssAnon"));
        println!("{name}: {}", memory.collect::<Vec<_>>().join("; "));
    });
}

#[test]
#[ignore = "a measurement"]
fn what_the_supervisor_adds() {
    for trees in [Trees::Session, Trees::Cgroup, Trees::Session, Trees::Cgroup] {
        measured(trees);
    }
}
