//! Supervisors of other versions, simulated by a listener in the test.

use std::os::unix::fs::PermissionsExt;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use super::super::frame;
use super::*;

struct Story {
    root: tempfile::TempDir,
    home: Home,
}

impl Story {
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut home = Home::below(root.path()).unwrap();
        home.supervisor_socket = root.path().join("s.sock");
        Self { root, home }
    }

    /// Returns a client whose helper prints one line.
    fn client(&self, line: &str) -> Supervisor {
        let helper = self.root.path().join("helper");
        std::fs::write(&helper, format!("#!/bin/sh\necho '{line}'\n")).unwrap();
        std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
        Supervisor::new(&self.home, &helper)
    }

    /// Simulates a supervisor that greets with this version and build, and replies to every list with nothing.
    fn other(&self, version: u16, build: &'static str, busy: bool) {
        let socket = self.home.supervisor_socket.clone();
        let listener = UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut buffer = Vec::new();
            loop {
                let reply = match next(&mut stream, &mut buffer).await {
                    Some(Request::Hello { .. }) => {
                        let (build, running) = (build.to_owned(), u32::from(busy));
                        Reply::Hello { version, build, trees: Containment::Session, running, pid: 1 }
                    }
                    Some(Request::Shutdown { request }) => Reply::Done { request, yes: !busy },
                    Some(Request::List { request }) => {
                        Reply::Attempts { request, last: true, states: Vec::new() }
                    }
                    _ => return,
                };
                let over = matches!(reply, Reply::Done { yes: true, .. });
                if over {
                    std::fs::remove_file(&socket).unwrap();
                }
                stream.write_all(&reply.encode().unwrap()).await.unwrap();
                if over {
                    return;
                }
            }
        });
    }
}

async fn next(stream: &mut UnixStream, buffer: &mut Vec<u8>) -> Option<Request> {
    loop {
        if let Some((body, used)) = frame::first(buffer).unwrap() {
            let request = Request::decode(body).unwrap();
            buffer.drain(..used);
            return Some(request);
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

#[tokio::test]
async fn an_idle_supervisor_of_another_build_is_replaced() {
    let story = Story::new();
    story.other(frame::VERSION, "0.0.1", false);
    let client = story.client("no helper today");
    let error = client.list().await.unwrap_err().to_string();
    assert_eq!(error, "the supervisor can't be reached: no helper today");
}

#[tokio::test]
async fn a_busy_supervisor_of_another_build_is_kept_and_reported() {
    let story = Story::new();
    story.other(frame::VERSION, "0.0.1", true);
    let client = story.client("no helper today");
    assert_eq!(*client.banner().borrow(), None);
    assert_eq!(client.list().await.unwrap(), []);
    assert!(client.banner().borrow().as_ref().unwrap().contains("version 0.0.1 still runs commands"));
    assert_eq!(client.trees(), Some("session"));
    assert!(!client.shutdown_if_idle().await.unwrap());
}

#[tokio::test]
async fn a_busy_supervisor_that_speaks_other_frames_is_an_error() {
    let story = Story::new();
    story.other(frame::VERSION + 1, "9.0.0", true);
    let client = story.client("no helper today");
    assert!(matches!(client.list().await, Err(SupervisorError::Version(build)) if build == "9.0.0"));
}

#[tokio::test]
async fn a_helper_that_does_not_work_is_explained() {
    let story = Story::new();
    let silent = story.client("");
    assert!(silent.list().await.unwrap_err().to_string().ends_with("ended without a message"));
    let missing = Supervisor::new(&story.home, Path::new("/no/such/helper"));
    assert!(missing.list().await.unwrap_err().to_string().contains("`/no/such/helper` can't be started"));
    assert!(missing.shutdown_if_idle().await.unwrap(), "there is none");
}
