//! What is done at ends: by real programs, and by a server of the test.

use std::path::Path;

use fanlight_shared::on_end::{EndAction, OnEnd, WantedBy};
use fanlight_shared::run::RunStatus;
use fanlight_shared::testing::until;

use super::*;
use crate::command::Environment;
use crate::secret::SecretSettings;
use crate::store::tests::{Fixture, row};

fn command(script: &str) -> OnEnd {
    let words = ["sh", "-c", script].map(str::to_owned).to_vec();
    OnEnd {
        of: None,
        states: Vec::new(),
        action: EndAction::Command(words),
        secrets: Vec::new(),
        wanted_by: WantedBy::Config,
    }
}

fn performer() -> Performer {
    Performer {
        secrets: SecretSettings::default(),
        #[cfg(feature = "http")]
        http: crate::http::Http::new(crate::config::HttpSettings {
            allow: vec!["127.0.0.1".into()],
            ..Default::default()
        }),
        environment: Arc::new(Environment::inherit(
            [("PATH".into(), "/usr/bin:/bin".into())].into_iter(),
            &[],
        )),
    }
}

/// A store in which this many runs have ended.
fn ended(runs: usize, all: Vec<OnEnd>) -> Fixture {
    let at = Fixture::new();
    at.commit(vec![Op::OnEnd { all: all.into(), added: Arc::default() }]);
    let ends = at.submit(runs).iter().map(|run| row(run.id, RunStatus::Completed)).collect();
    at.commit(ends);
    at
}

/// Delivers until a condition holds, and stops.
fn deliver_until(at: &Fixture, what: &str, mut done: impl FnMut() -> bool) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let stop = CancellationToken::new();
        let delivering = tokio::spawn(deliver(at.store.clone(), performer(), Arc::default(), stop.clone()));
        until(what, &mut done).await;
        stop.cancel();
        delivering.await.unwrap();
    });
}

fn lines(path: &Path) -> Vec<String> {
    std::fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

fn alive(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn one_that_hangs_delays_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let hangs = command("sleep 1000");
    let quick = command(&format!("echo $FANLIGHT_NAME >> '{}'", told.display()));
    let at = ended(40, vec![hangs, quick]);
    deliver_until(&at, "all that do not hang", || lines(&told).len() == 40);
    let mut names = lines(&told);
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 40);
}

#[test]
fn a_row_that_cannot_be_read_stops_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let told = folder.path().join("told");
    let at = ended(2, vec![command(&format!("echo $FANLIGHT_NAME >> '{}'", told.display()))]);
    at.tamper("UPDATE on_end SET what = '{' WHERE name = 'poster#1'");
    let left = || at.store.due_on_end(Time(i64::MAX), 10).unwrap();
    deliver_until(&at, "nothing left", || left().due.is_empty() && left().unreadable.is_empty());
    assert_eq!(lines(&told), ["poster#2"]);
    assert_eq!(at.store.failed_on_end().unwrap().len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn a_program_that_is_stopped_ends_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pids = folder.path().join("pids");
    let at = ended(1, vec![command(&format!("sleep 1000 & echo $! > '{}'; wait", pids.display()))]);
    deliver_until(&at, "the child of the program", || !lines(&pids).is_empty());
    let pid = lines(&pids).remove(0);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(until("the end of the child", || !alive(&pid)));
    assert_eq!(at.store.due_on_end(Time(i64::MAX), 10).unwrap().due.len(), 1, "the next daemon does it");
}

#[cfg(feature = "http")]
#[test]
fn a_webhook_is_sent_again_with_the_same_key_until_the_server_accepts_it() {
    use crate::http::server::{Server, answer};
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = runtime.block_on(Server::new(|number, _| match number {
        0 => answer("503 Service Unavailable", "", b""),
        _ => answer("204 No Content", "", b""),
    }));
    let action = EndAction::Webhook { url: server.url("/ended"), token: None };
    let at = ended(
        1,
        vec![OnEnd {
            of: None,
            states: Vec::new(),
            action,
            secrets: Vec::new(),
            wanted_by: WantedBy::Config,
        }],
    );
    let id = at.store.due_on_end(Time(i64::MAX), 1).unwrap().due.remove(0).id;
    deliver_until(&at, "the end of it", || at.store.due_on_end(Time(i64::MAX), 1).unwrap().due.is_empty());
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        assert!(
            head.starts_with("POST /ended ") && head.contains(&format!("idempotency-key: {id}")),
            "{head}"
        );
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!((&body["key"], &body["name"]), (&id.as_str().into(), &"poster#1".into()));
        assert_eq!((&body["of"], &body["state"]), (&"run".into(), &"completed".into()));
    }
}

#[test]
fn an_outage_of_hours_is_survived() {
    let delays: Vec<Duration> = (1..).map_while(delay).collect();
    assert_eq!(delays[..3], [1, 2, 4].map(Duration::from_secs));
    assert_eq!(delays.len(), MAX_TRIES as usize - 1);
    assert!(delays.iter().all(|delay| *delay <= LONGEST_DELAY));
    assert!(delays.iter().sum::<Duration>() > Duration::from_secs(8 * 3600));
}
