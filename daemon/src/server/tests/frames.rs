use fanlight_shared::rpc::ErrorCode;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::net::UnixStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::*;

/// No message is longer: as many items as go into one, and what stands around them.
const LONGEST: usize = fanlight_shared::rpc::frame::ITEMS + 32 * 1024;

/// A client that sends what it is told to.
pub(super) struct Raw(pub(super) WebSocketStream<UnixStream>);

impl Raw {
    pub(super) async fn connect(home: &Home) -> Self {
        let stream = UnixStream::connect(&home.socket).await.unwrap();
        let (socket, _) = tokio_tungstenite::client_async("ws://localhost/", stream).await.unwrap();
        Self(socket)
    }

    pub(super) async fn send(&mut self, text: impl ToString) {
        self.0.send(Message::text(text.to_string())).await.unwrap();
    }

    /// The next text frame; `None` when the connection is over.
    pub(super) async fn next(&mut self) -> Option<Json> {
        loop {
            match self.0.next().await {
                Some(Ok(Message::Text(text))) => {
                    assert!(text.len() <= LONGEST, "a message of {} bytes", text.len());
                    return Some(serde_json::from_str(&text).unwrap());
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    pub(super) async fn hello(&mut self) {
        self.send(request(0, "hello", json!({ "protocol": 1, "client": "raw" }))).await;
        assert!(self.next().await.unwrap()["result"].is_object());
    }

    async fn code(&mut self) -> i64 {
        self.next().await.unwrap()["error"]["code"].as_i64().unwrap()
    }
}

pub(super) fn request(id: u64, method: &str, params: Json) -> Json {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

#[tokio::test]
async fn hello_comes_first() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.send(request(1, "daemon.status", json!({}))).await;
    assert_eq!(raw.code().await, ErrorCode::Refused as i64);
    raw.hello().await;
    raw.send(request(2, "daemon.status", json!({}))).await;
    assert!(raw.next().await.unwrap()["result"]["pid"].is_number());
}

#[tokio::test]
async fn another_protocol_is_refused_in_words() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.send(request(1, "hello", json!({ "protocol": 99, "client": "future" }))).await;
    let answer = raw.next().await.unwrap();
    assert_eq!(answer["error"]["code"], ErrorCode::Version as i64);
    assert!(answer["error"]["message"].as_str().unwrap().contains("speaks protocol 1, the client 99"));
}

#[tokio::test]
async fn frames_that_make_no_sense_get_json_rpc_errors() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    for (frame, code) in [
        ("{".to_owned(), ErrorCode::Malformed),
        (json!({ "jsonrpc": "1.0", "id": 1, "method": "hello" }).to_string(), ErrorCode::Malformed),
        (json!({ "jsonrpc": "2.0", "id": [], "method": "daemon.status" }).to_string(), ErrorCode::Malformed),
        (request(1, "daemon.explode", json!({})).to_string(), ErrorCode::UnknownMethod),
        (request(1, "event", json!({})).to_string(), ErrorCode::UnknownMethod),
        (request(1, "runs.get", json!({ "run": 3 })).to_string(), ErrorCode::BadParams),
        (request(1, "runs.get", json!({ "run": "a", "extra": 1 })).to_string(), ErrorCode::BadParams),
    ] {
        raw.send(&frame).await;
        assert_eq!(raw.code().await, code as i64, "{frame}");
    }
    raw.0.send(Message::binary(vec![0; 8])).await.unwrap();
    assert_eq!(raw.code().await, ErrorCode::Malformed as i64);
    raw.0.send(Message::Ping(vec![7].into())).await.unwrap();
    assert_eq!(raw.0.next().await.unwrap().unwrap(), Message::Pong(vec![7].into()));
}

#[tokio::test]
async fn a_frame_that_is_too_long_ends_the_connection() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    let long = "x".repeat(fanlight_shared::rpc::frame::MESSAGE_LIMIT);
    let _ = raw.0.send(Message::text(request(1, "runs.get", json!({ "run": long })).to_string())).await;
    assert_eq!(raw.next().await, None);
}

#[tokio::test]
async fn web_pages_and_other_paths_are_refused() {
    let served = Served::new().await;
    for (url, origin, status) in [
        ("ws://localhost/", Some("null"), 403),
        ("ws://localhost/", Some("http://localhost"), 403),
        ("ws://localhost/x", None, 404),
    ] {
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        let stream = UnixStream::connect(&served.home.socket).await.unwrap();
        match tokio_tungstenite::client_async(request, stream).await {
            Err(Error::Http(answer)) => assert_eq!(answer.status(), status, "{url} {origin:?}"),
            other => panic!("{other:?}"),
        }
    }
}
