//! HTTP requests and the variables of the daemon.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::support::Fanlight;

/// A server that answers with its name, and records the first line of each request.
struct Server {
    address: String,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(name: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let seen = Arc::clone(&lines);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
                let first = head.next().unwrap_or_default();
                head.take_while(|line| !line.is_empty()).for_each(drop);
                let status = if first.starts_with("CONNECT") { "403 Forbidden" } else { "200 OK" };
                seen.lock().unwrap().push(first);
                let length = name.len();
                let answer = format!(
                    "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{name}"
                );
                stream.write_all(answer.as_bytes()).unwrap();
            }
        });
        Self { address, lines }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }
}

#[test]
fn requests_go_through_the_proxies_that_the_daemons_variables_name() {
    let fanlight = Fanlight::new();
    let (plain, secure, direct) = (Server::new("proxy"), Server::new("proxy for TLS"), Server::new("server"));
    let mut start = fanlight.command(&["daemon", "start"]);
    start.env("HTTP_PROXY", format!("http://{}", plain.address));
    start.env("HTTPS_PROXY", format!("http://{}", secure.address));
    start.env("NO_PROXY", "127.0.0.1");
    assert!(start.status().unwrap().success());
    let file = format!(
        "nodes:
  plain: {{ uses: http.request, with: {{ url: 'http://shop.example/a' }} }}
  secure: {{ uses: http.request, with: {{ url: 'https://shop.example/b', retries: 0 }}, allow_failure: true }}
  direct: {{ uses: http.request, with: {{ url: 'http://{}/c', local: true }} }}
outputs: {{ plain: '${{{{ plain.text }}}}', direct: '${{{{ direct.text }}}}' }}
",
        direct.address
    );
    fanlight.file("ask.yaml", &file).say(&["run", "ask.yaml"]).exits(0);
    let shown = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
    assert_eq!(shown["outputs"], serde_json::json!({ "plain": "proxy", "direct": "server" }));
    assert_eq!(plain.lines(), ["GET http://shop.example/a HTTP/1.1"]);
    assert_eq!(secure.lines(), ["CONNECT shop.example:443 HTTP/1.1"]);
    assert_eq!(direct.lines(), ["GET /c HTTP/1.1"]);
}
