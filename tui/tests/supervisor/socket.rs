use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::process::Command;

use fanlight_daemon::supervisor::client::How;
use fanlight_shared::testing::child::{Timed, output};

use super::story::*;

#[test]
fn the_socket_and_the_folder_are_private_to_the_user() {
    both(async |story| {
        let mode = |path: &std::path::Path| path.metadata().unwrap().mode() & 0o777;
        assert_eq!(mode(&story.home.supervisor_socket), 0o600);
        assert_eq!(mode(&story.home.supervisor()), 0o700);
    });
}

#[test]
fn garbage_drops_only_the_client_that_sent_it() {
    both(async |story| {
        let spec = story.script("until [ -e go ]; do sleep 0.01; done");
        let mut events = story.supervisor.subscribe(spec.id);
        story.supervisor.start(&spec).await.unwrap();
        for garbage in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            &[0; 4],
            &[255; 64],
            &[1, 0, 0, 0, 0x55],
            &[5, 0, 0, 0, 4, 1, 0, 0, 0],
        ] {
            let mut stranger = UnixStream::connect(&story.home.supervisor_socket).unwrap();
            stranger.write_all(garbage).unwrap();
            // If it is closed with unread data, it may be a reset.
            if let Err(error) = Timed(stranger).read_to_end(&mut Vec::new()) {
                assert_ne!(error.kind(), std::io::ErrorKind::TimedOut, "it is not dropped");
            }
        }
        // The rest of half a frame is awaited, without blocking others.
        let mut slow = UnixStream::connect(&story.home.supervisor_socket).unwrap();
        slow.write_all(&[200, 0, 0, 0, 1]).unwrap();
        std::fs::write(spec.cwd.join("go"), "").unwrap();
        assert_eq!(ended(&mut events).await.how, How::Code(0));
    });
}

#[test]
fn a_folder_has_one_supervisor() {
    both(async |story| {
        let mut other = Command::new(env!("CARGO_BIN_EXE_fanlight"));
        other
            .arg("supervisor")
            .args(["--folder".as_ref(), story.home.supervisor().as_os_str()])
            .args(["--socket".as_ref(), story.home.supervisor_socket.as_os_str()]);
        let output = output(&mut other);
        assert_eq!((output.stdout.as_slice(), output.status.code()), (&b"taken\n"[..], Some(0)));
        assert_eq!(story.run(&story.script("exit 1")).await.how, How::Code(1));
    });
}

#[test]
fn clients_that_start_together_share_one_supervisor() {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let story = Story::new(fanlight_daemon::supervisor::Trees::Auto);
        let clients: Vec<_> = (0..4).map(|_| story.another_client()).collect();
        let asked = clients.iter().map(|client| {
            let client = client.clone();
            tokio::spawn(async move { client.list().await.map(|_| client.pid()) })
        });
        let mut pids = Vec::new();
        for answer in asked.collect::<Vec<_>>() {
            pids.push(answer.await.unwrap().unwrap());
        }
        story.supervisor.list().await.unwrap();
        assert_eq!(pids, vec![story.supervisor.pid(); 4]);
    });
}

#[test]
fn wrong_usage_is_explained() {
    let output = output(Command::new(env!("CARGO_BIN_EXE_fanlight")).args(["supervisor", "--trees", "oak"]));
    let sentence = "`--trees oak` is not one of auto, cgroup, session\n";
    assert_eq!(
        (String::from_utf8(output.stdout).unwrap().as_str(), output.status.code()),
        (sentence, Some(1))
    );
}
