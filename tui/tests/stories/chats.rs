//! A thousand chats at once.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;

use crate::process::peak_mib;
use crate::support::Fanlight;

const CHATS: usize = 1000;
/// The most memory of the daemon. A build with debug information takes more than a release.
const MAX_MIB: u64 = 300;

/// Returns the answer to a prompt.
fn answer(number: usize) -> String {
    let words = (0..40).map(|word| format!("é{number}.{word}"));
    words.collect::<Vec<_>>().join(" ")
}

/// A server that holds all requests back until it has this many, so that all are open at once.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let open = Arc::new((Mutex::new(0), Condvar::new()));
    thread::spawn(move || {
        for stream in listener.incoming() {
            let open = Arc::clone(&open);
            let small = thread::Builder::new().stack_size(256 << 10);
            small.spawn(move || serve(&mut stream.unwrap(), &open)).unwrap();
        }
    });
    port
}

fn serve(stream: &mut TcpStream, open: &(Mutex<usize>, Condvar)) {
    let mut request = Vec::new();
    let number = loop {
        let mut more = [0; 4096];
        let read = stream.read(&mut more).unwrap();
        assert!(read > 0, "the request ends early: {}", String::from_utf8_lossy(&request));
        request.extend(&more[..read]);
        let text = String::from_utf8_lossy(&request);
        if let Some((number, _)) = text.split_once("chat=").and_then(|(_, rest)| rest.split_once(';')) {
            break number.parse().unwrap();
        }
    };
    let mut count = open.0.lock().unwrap();
    *count += 1;
    open.1.notify_all();
    drop(open.1.wait_while(count, |count| *count < CHATS).unwrap());
    let mut body = String::new();
    for word in answer(number).split_inclusive(' ') {
        let json = serde_json::json!({"choices": [{"delta": {"content": word}}]});
        body += &format!("data: {json}\n\n");
    }
    body += "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
    stream.set_nodelay(true).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    // Borders in the middle of events and of characters, elsewhere in each response.
    for piece in body.as_bytes().chunks(61 + number % 97) {
        stream.write_all(piece).unwrap();
    }
}

#[test]
fn a_thousand_chats_at_once_lose_and_reorder_nothing_in_bounded_memory() {
    let fanlight = Fanlight::new();
    let port = server();
    let config = format!("[provider.house]\nurl = \"http://127.0.0.1:{port}/v1\"\nconcurrent = {CHATS}\n");
    let folder = fanlight.path("../h/config");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), config).unwrap();
    fanlight.file(
        "chats.yaml",
        "nodes:
  ask:
    each: \"${{ range(1000) }}\"
    uses: llm.chat
    with: { provider: house, model: m, prompt: \"chat=${{ item }};\" }
  all: { uses: text.join, with: { items: \"${{ ask.text }}\", separator: \"\\n\" } }
outputs: { all: \"${{ all.text }}\" }
",
    );
    fanlight.say(&["run", "chats.yaml"]).exits(0);
    let shown = fanlight.say(&["show", "chats#1", "--json"]).exits(0).json().remove(0);
    let said = shown["outputs"]["all"].as_str().unwrap();
    let wanted: Vec<String> = (0..CHATS).map(answer).collect();
    let found: Vec<&str> = said.lines().collect();
    assert_eq!(found, wanted, "each text is whole, in order and in its place");
    for number in [0, 1, 499, 999] {
        let log = fanlight.say(&["logs", "last", &format!("ask[{number}]")]).exits(0);
        assert!(log.out.contains(&answer(number)), "{}", log.out);
    }
    if let Some(peak) = peak_mib(&fanlight) {
        println!("the daemon used {peak} MiB for {CHATS} chats");
        assert!(peak < MAX_MIB, "the daemon used {peak} MiB for {CHATS} chats");
    }
}
