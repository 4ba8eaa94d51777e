//! Handwritten frames of the supervisor: from a client that dies or sends them at the wrong moment.

use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use fanlight_daemon::supervisor::client::StartSpec;
use fanlight_shared::id::AttemptId;

use super::story::*;

const ATTEMPTS: u8 = 0x83;

fn frame(kind: u8, fields: &[u8]) -> Vec<u8> {
    let length = u32::try_from(fields.len() + 1).unwrap();
    [&length.to_le_bytes()[..], &[kind], fields].concat()
}

fn bytes(value: &[u8]) -> Vec<u8> {
    [&u32::try_from(value.len()).unwrap().to_le_bytes()[..], value].concat()
}

fn start(spec: &StartSpec) -> Vec<u8> {
    let mut fields = [&1_u32.to_le_bytes()[..], spec.id.as_bytes(), &bytes(spec.program.as_bytes())].concat();
    fields.extend(u32::try_from(spec.arguments.len()).unwrap().to_le_bytes());
    spec.arguments.iter().for_each(|it| fields.extend(bytes(it.as_bytes())));
    fields.extend(u32::try_from(spec.env.len()).unwrap().to_le_bytes());
    for (name, value) in &spec.env {
        fields.extend([bytes(name.as_bytes()), bytes(value.as_bytes())].concat());
    }
    fields.extend(bytes(spec.cwd.as_os_str().as_bytes()));
    fields.extend(bytes(spec.folder.as_os_str().as_bytes()));
    fields.extend(300_u32.to_le_bytes());
    frame(0x02, &fields)
}

fn state(id: AttemptId) -> Vec<u8> {
    frame(0x03, &[&1_u32.to_le_bytes()[..], id.as_bytes()].concat())
}

fn shutdown() -> Vec<u8> {
    frame(0x07, &1_u32.to_le_bytes())
}

/// Connects and sends the hello.
fn connect(story: &Story) -> UnixStream {
    let mut stream = UnixStream::connect(&story.home.supervisor_socket).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(30))).unwrap();
    let build = bytes(env!("CARGO_PKG_VERSION").as_bytes());
    stream.write_all(&frame(0x01, &[&1_u16.to_le_bytes()[..], &build].concat())).unwrap();
    stream
}

/// Returns the next frame: its kind and its fields; `None` at the end.
fn next(stream: &mut UnixStream) -> Option<(u8, Vec<u8>)> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut body = vec![0; u32::from_le_bytes(length) as usize];
    stream.read_exact(&mut body).unwrap();
    Some((body[0], body.split_off(1)))
}

#[test]
fn requests_of_a_dead_daemon_are_finished_before_those_of_the_next_one() {
    both(async |story| {
        let mut dead = connect(&story);
        next(&mut dead).expect("a greeting");
        // More than is read from one client at a time, less than a socket's buffer.
        let mut spec = story.script("true");
        for name in ["ONE", "TWO"] {
            spec.env.push((name.into(), "x".repeat(85_000).into()));
        }
        story.signal_supervisor("STOP");
        dead.write_all(&start(&spec)).unwrap();
        drop(dead);
        let mut heir = connect(&story);
        heir.write_all(&state(spec.id)).unwrap();
        story.signal_supervisor("CONT");
        let (_, answer) =
            std::iter::from_fn(|| next(&mut heir)).find(|it| it.0 == ATTEMPTS).expect("an answer");
        assert_eq!(answer[5..9], 1_u32.to_le_bytes(), "it is started, and the heir must know");
    });
}

#[test]
fn a_supervisor_that_shuts_down_refuses_nothing_that_its_successor_can_do() {
    both(async |story| {
        let (mut ends, mut starts) = (connect(&story), connect(&story));
        next(&mut ends).expect("a greeting");
        next(&mut starts).expect("a greeting");
        let spec = story.script("true");
        story.signal_supervisor("STOP");
        ends.write_all(&shutdown()).unwrap();
        starts.write_all(&start(&spec)).unwrap();
        story.signal_supervisor("CONT");
        assert_eq!(next(&mut starts), None, "no answer is a reason to ask the next supervisor");
        story.run(&spec).await;
    });
}
