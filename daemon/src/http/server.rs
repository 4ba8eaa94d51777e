//! A server for tests, of which each word is chosen by the test.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A step of an answer.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Writes this, and lets it arrive by itself.
    Write(Vec<u8>),
    /// Waits until the client closes the connection.
    Hang,
}

/// A server that answers each connection once.
pub(crate) struct Server {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    closed: watch::Receiver<usize>,
}

impl Server {
    /// Starts a server whose responses `answer` returns: it gets the number of the request, from 0, and its text.
    pub(crate) async fn new(answer: impl Fn(usize, &str) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests: Arc<Mutex<Vec<String>>> = Arc::default();
        let (closing, closed) = watch::channel(0);
        let (answer, seen, closing) = (Arc::new(answer), Arc::clone(&requests), Arc::new(closing));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (answer, seen, closing) = (Arc::clone(&answer), Arc::clone(&seen), Arc::clone(&closing));
                tokio::spawn(async move {
                    let request = read(&mut stream).await;
                    let number = {
                        let mut seen = seen.lock().unwrap();
                        seen.push(request.clone());
                        seen.len() - 1
                    };
                    for step in answer(number, &request) {
                        match step {
                            Step::Write(bytes) => {
                                let _ = stream.write_all(&bytes).await;
                                let _ = stream.flush().await;
                                tokio::task::yield_now().await;
                            }
                            Step::Hang => while matches!(stream.read(&mut [0; 64]).await, Ok(1..)) {},
                        }
                    }
                    drop(stream);
                    closing.send_modify(|closed| *closed += 1);
                });
            }
        });
        Self { address, requests, closed }
    }

    /// Returns a URL of it.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Returns the requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until this many connections are closed.
    pub(crate) async fn until_closed(&self, count: usize) {
        let mut closed = self.closed.clone();
        let wait = closed.wait_for(|closed| *closed >= count);
        fanlight_shared::testing::in_time("it closes", wait).await.unwrap();
    }

    /// Waits until it was asked so often.
    pub(crate) async fn until_asked(&self, count: usize) {
        let wait = async {
            while self.requests().len() < count {
                tokio::task::yield_now().await;
            }
        };
        fanlight_shared::testing::in_time("a request", wait).await;
    }
}

/// Reads a request with a body and its length.
pub(crate) async fn read(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while let Ok(n @ 1..) = stream.read(&mut buffer).await {
        bytes.extend_from_slice(&buffer[..n]);
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if body.len() >= length.unwrap_or(0) {
                break;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns a response with a body and its length.
pub(crate) fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<Step> {
    let head =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    vec![Step::Write([head.as_bytes(), body].concat())]
}
