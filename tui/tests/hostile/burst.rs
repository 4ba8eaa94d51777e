//! Clients that request much and read nothing, and what their daemon keeps of it.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use crate::process::{daemon, status};
use crate::support::{Fanlight, wait_for};

/// How many clients there are.
const CLIENTS: usize = 12;
/// How many requests each of them sends.
const REQUESTS: usize = 40;
/// How much more memory the daemon takes while responses wait for them. What waits for one is bounded by 8 MiB.
const BURST_MIB: u64 = 60;
/// How much of that may remain.
const REST_MIB: u64 = 16;

/// A run whose param is nearly as long as lists show whole.
const LONG: &str = "params: { n: { type: int }, text: { type: text } }
nodes: { a: { uses: text.template, with: { template: hi } } }
";

/// Returns the memory in MiB that only the daemon has, without the pages of its executable.
fn private_mib(daemon: i32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{daemon}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() >> 10
}

/// Connects to a daemon and sends these requests, one after the other. Nothing of the responses is read.
fn without_reading(socket: &str, requests: &[String]) -> UnixStream {
    let mut stream = UnixStream::connect(socket).unwrap();
    let upgrade = "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).unwrap();
    let mut reply = Vec::new();
    while !reply.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        reply.extend(byte);
    }
    for request in requests {
        // A text frame, masked with zeros.
        let length = u8::try_from(request.len()).ok().filter(|length| *length < 126).unwrap();
        stream.write_all(&[0x81, 0x80 | length, 0, 0, 0, 0]).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
    }
    stream
}

#[test]
fn the_memory_of_a_burst_goes_back_when_its_clients_are_gone() {
    if !std::path::Path::new("/proc/self/status").exists() {
        return fanlight_shared::testing::skip("the memory of a process is not known here");
    }
    let fanlight = Fanlight::new();
    fanlight.file("long.yaml", LONG).file("text.txt", &"x".repeat(3000));
    fanlight.say(&["queue", "--pause"]).exits(0);
    let line = ["run", "long.yaml", "--sweep", "n=1..200", "-p", "text=@text.txt", "--detach"];
    fanlight.say(&line).exits(0);
    let daemon = daemon(&fanlight).as_raw_nonzero().get();
    let before = private_mib(daemon);

    let mut requests = vec![
        r#"{"jsonrpc":"2.0","id":0,"method":"hello","params":{"protocol":1,"client":"deaf"}}"#.to_owned(),
    ];
    requests.extend((1..=REQUESTS).map(|id| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"runs.list","params":{{"limit":1000}}}}"#)
    }));
    let socket = status(&fanlight)["socket"].as_str().unwrap().to_owned();
    let clients: Vec<UnixStream> = (0..CLIENTS).map(|_| without_reading(&socket, &requests)).collect();
    wait_for("the burst", || private_mib(daemon) > before + BURST_MIB);
    drop(clients);
    wait_for("its memory to go back", || private_mib(daemon) < before + REST_MIB);
    assert_eq!(fanlight.say(&["ps", "--json"]).exits(0).json().len(), 200, "it continues");
}
