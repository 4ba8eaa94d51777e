use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;

use fanlight_shared::client::{Client, start_daemon};
use fanlight_shared::home::ALREADY_RUNNING;
use fanlight_shared::rpc::daemon::{Hello, Status, Stop};
use fanlight_shared::rpc::schema;
use fanlight_shared::rpc::watch::{Notification, Since, Watch};
use fanlight_shared::rpc::{ErrorCode, Request, assets, runs};

use super::*;
use crate::server::dispatch::METHODS;

#[tokio::test]
async fn a_client_is_greeted_and_gets_the_status() {
    let served = Served::new().await;
    let client = served.client().await;
    assert_eq!(client.hello().instance, served.hub.instance());
    let status = client.call(Status {}).await.unwrap();
    assert_eq!(status.pid, std::process::id());
    assert_eq!(status.clients, 1);
    assert_eq!(status.socket, served.home.socket.display().to_string());
}

#[tokio::test]
async fn watching_the_registry_begins_with_a_snapshot() {
    let served = Served::new().await;
    let workflow = WorkflowId::new();
    let (running, waiting) =
        (run_of(workflow, 1, RunStatus::Running), run_of(workflow, 2, RunStatus::Queued));
    for run in [&waiting, &running] {
        served.hub.daemon(fanlight_shared::event::DaemonEvent::RunUpdate { run: Box::new(run.clone()) });
    }
    let client = served.client().await;
    let mut notifications = client.notifications().unwrap();
    let watching = client.call(Watch { registry: true, ..Watch::default() }).await.unwrap();
    assert_eq!(watching.seq, 2);
    let Some(Notification::Registry { seq: 2, runs, .. }) = recv(&mut notifications).await else { panic!() };
    let ids: Vec<_> = runs.iter().map(|run| (run.id, run.position)).collect();
    assert_eq!(ids, [(running.id, None), (waiting.id, Some(1))]);
}

#[tokio::test]
async fn watchers_get_the_registry_again_when_waiting_runs_move() {
    let served = Served::new().await;
    let workflow = WorkflowId::new();
    let waiting: Vec<_> = (1..=3).map(|number| run_of(workflow, number, RunStatus::Queued)).collect();
    for run in &waiting {
        served.hub.daemon(fanlight_shared::event::DaemonEvent::RunUpdate { run: Box::new(run.clone()) });
    }
    let client = served.client().await;
    let mut notifications = client.notifications().unwrap();
    let watching = client.call(Watch { registry: true, ..Watch::default() }).await.unwrap();
    let mut projection = fanlight_shared::client::projection::Projection::default();
    projection.apply(&mut recv(&mut notifications).await.unwrap());
    served.hub.moved(&[(Some(1), waiting[2].id)], &[(waiting[2].id, 5)]);
    projection.apply(&mut recv(&mut notifications).await.unwrap());
    let order: Vec<u32> = projection.queued().map(|run| run.number).collect();
    assert_eq!(order, [3, 1, 2]);
    // One that reconnects, too.
    let since = Since { instance: served.hub.instance().to_owned(), seq: watching.seq };
    let other = served.client().await;
    let mut notifications = other.notifications().unwrap();
    other.call(Watch { registry: true, since: Some(since), ..Watch::default() }).await.unwrap();
    assert_eq!(recv(&mut notifications).await, Some(Notification::Lagged {}));
    let Some(Notification::Registry { runs, .. }) = recv(&mut notifications).await else { panic!() };
    assert_eq!(runs.iter().map(|run| run.number).collect::<Vec<_>>(), [3, 1, 2]);
}

#[tokio::test]
async fn many_requests_run_at_once() {
    let served = Served::new().await;
    let client = served.client().await;
    let calls: Vec<_> = (0..100)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.call(Status {}).await })
        })
        .collect();
    for call in calls {
        in_time("a response", call).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn every_client_is_notified_that_the_daemon_ends() {
    let served = Served::new().await;
    let client = served.client().await;
    let mut notifications = client.notifications().unwrap();
    client.call(Stop::default()).await.unwrap();
    in_time("the stop", served.context.shutdown.cancelled()).await;
    served.hub.bye("the daemon was stopped", false);
    served.stop.cancel();
    in_time("the end of the server", served.task).await.unwrap();
    assert_eq!(
        recv(&mut notifications).await,
        Some(Notification::Bye { reason: "the daemon was stopped".into(), home_gone: false })
    );
    assert_eq!(recv(&mut notifications).await, None);
    assert_eq!(in_time("the end of the connection", client.closed()).await, "the daemon was stopped");
    let error = client.call(Status {}).await.unwrap_err();
    assert!(error.to_string().contains("the daemon was stopped"), "{error}");
}

#[tokio::test]
async fn a_disconnected_client_is_forgotten() {
    let served = Served::new().await;
    let client = served.client().await;
    client.call(Status {}).await.unwrap();
    let mut clients = served.context.clients.subscribe();
    drop(client);
    in_time("no client", clients.wait_for(|clients| *clients == 0)).await.unwrap();
}

#[tokio::test]
async fn a_missing_daemon_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    let error = Client::connect(&home(&dir)).await.unwrap_err();
    assert!(error.is_no_daemon(), "{error}");
}

#[tokio::test]
async fn the_socket_is_private_and_a_dead_one_is_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    let lock = Lock::take(&home).unwrap();
    drop(listen(&home, &lock).unwrap());
    assert!(home.socket.exists(), "a dead daemon leaves its socket");
    let _again = listen(&home, &lock).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.socket), 0o600);
    assert_eq!(mode(home.socket.parent().unwrap()), 0o700);
    std::fs::remove_file(&home.socket).unwrap();
    std::fs::write(&home.socket, "mine").unwrap();
    let error = listen(&home, &lock).unwrap_err().to_string();
    assert!(error.contains("something that is not a socket"), "{error}");
}

#[test]
fn every_method_is_in_the_dispatch_table() {
    let table: BTreeSet<&str> = METHODS.iter().copied().collect();
    assert_eq!(table.len(), METHODS.len(), "a method stands there twice");
    let known: BTreeSet<&str> = schema::methods().into_iter().collect();
    assert_eq!(table, known);
}

#[tokio::test]
async fn a_daemon_that_ends_at_once_is_reported_with_its_last_output() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    let exe = script(&dir, "echo 'the disk is on fire' >&2; exit 3");
    let error = start_daemon(&home, &exe, &[]).await.unwrap_err().to_string();
    assert!(error.contains("the disk is on fire") && error.contains("exit status: 3"), "{error}");
}

#[tokio::test]
async fn the_loser_of_a_race_uses_the_daemon_of_the_winner() {
    let dir = tempfile::tempdir().unwrap();
    let home = home(&dir);
    let exe = script(&dir, &format!("exit {ALREADY_RUNNING}"));
    let (loser, winner) = tokio::join!(start_daemon(&home, &exe, &[]), async {
        // The winner listens only after the loser has seen that nobody listens.
        let lock = Lock::take(&home).unwrap();
        until("the log of the loser", || home.log_file().exists()).await;
        let served = Served::new().await;
        let listener = listen(&home, &lock).unwrap();
        tokio::spawn(serve(listener, Arc::clone(&served.context), served.stop.clone()));
        served
    });
    assert_eq!(loser.unwrap().hello().instance, winner.hub.instance());
}

fn script(dir: &tempfile::TempDir, body: &str) -> std::path::PathBuf {
    let path = dir.path().join("fanlight");
    std::fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

#[tokio::test]
async fn errors_come_back_with_their_code() {
    let served = Served::new().await;
    let client = served.client().await;
    let refused = |error| match error {
        fanlight_shared::client::ClientError::Rpc(error) => error,
        other => panic!("{other}"),
    };
    let error = refused(client.call(runs::Get { run: "nothing#1".into() }).await.unwrap_err());
    assert!(error.is(ErrorCode::NotFound), "{error:?}");
    let run = RunId::new();
    let unknown = [
        client.call(assets::List { run_id: Some(run), ..assets::List::default() }).await.map(drop),
        client.call(runs::List { parent: Some(run), ..runs::List::default() }).await.map(drop),
    ];
    for answer in unknown {
        let error = refused(answer.unwrap_err());
        assert!(error.is(ErrorCode::NotFound), "{error:?}");
    }
    let hello = Hello { protocol: 1, client: "twice".into() };
    assert!(refused(client.call(hello).await.unwrap_err()).is(ErrorCode::Refused));
    assert_eq!(Hello::METHOD, "hello");
}

/// An invalid file is enough to show that the script handshakes, sends, receives and parses.
#[tokio::test]
async fn the_script_in_the_docs_works() {
    let served = Served::new().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/fanlight.py");
    let file = served.home.name.join("wrong.yaml");
    std::fs::write(&file, format!("nodes: {{ sky: {{ uses: image.paint }} }}\n{}", "#".repeat(70_000)))
        .unwrap();
    let mut python = tokio::process::Command::new("python3");
    let output = match python.arg(script).arg(&served.home.socket).arg(&file).arg("seed=7").output().await {
        Ok(output) => output,
        Err(error) => return fanlight_shared::testing::skip(&format!("there is no python3: {error}")),
    };
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(!told.trim().is_empty() && !told.contains("Traceback"), "{told}");
}
