use fanlight_shared::rpc::ErrorCode;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value as Json, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::*;

/// The maximum length of a message.
const MAX_MESSAGE_BYTES: usize = fanlight_shared::rpc::frame::MESSAGE_LIMIT;

/// A client that sends arbitrary frames.
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

    pub(super) async fn send_bytes(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).await.unwrap();
    }

    async fn frame(&mut self) -> Option<Result<Message, Error>> {
        in_time("a frame, or the end of the connection", self.0.next()).await
    }

    /// Returns the next text frame; `None` once the connection has ended.
    pub(super) async fn next(&mut self) -> Option<Json> {
        loop {
            match self.frame().await {
                Some(Ok(Message::Text(text))) => {
                    assert!(text.len() <= MAX_MESSAGE_BYTES, "a message of {} bytes", text.len());
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

    /// Returns the code of the close frame, if one arrives.
    async fn close_code(&mut self) -> Option<CloseCode> {
        loop {
            match self.frame().await {
                Some(Ok(Message::Close(frame))) => return frame.map(|frame| frame.code),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
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
async fn another_protocol_version_is_refused_with_a_reason() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.send(request(1, "hello", json!({ "protocol": 99, "client": "future" }))).await;
    let answer = raw.next().await.unwrap();
    assert_eq!(answer["error"]["code"], ErrorCode::Version as i64);
    assert!(answer["error"]["message"].as_str().unwrap().contains("speaks protocol 1, the client 99"));
}

#[tokio::test]
async fn malformed_frames_get_json_rpc_errors() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    for (frame, code) in [
        ("{".to_owned(), ErrorCode::Malformed),
        (json!({ "jsonrpc": "1.0", "id": 1, "method": "hello" }).to_string(), ErrorCode::Malformed),
        (json!({ "jsonrpc": "2.0", "id": [], "method": "daemon.status" }).to_string(), ErrorCode::Malformed),
        (
            r#"{"jsonrpc":"2.0","id":99999999999999999999,"method":"daemon.status"}"#.to_owned(),
            ErrorCode::Malformed,
        ),
        (json!({ "jsonrpc": "2.0", "id": 1.5, "method": "daemon.status" }).to_string(), ErrorCode::Malformed),
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
    assert_eq!(raw.frame().await.unwrap().unwrap(), Message::Pong(vec![7].into()));
}

#[tokio::test]
async fn a_frame_that_is_too_long_ends_the_connection() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    let long = "x".repeat(fanlight_shared::rpc::frame::REQUEST_LIMIT);
    let _ = raw.0.send(Message::text(request(1, "runs.get", json!({ "run": long })).to_string())).await;
    assert_eq!(raw.close_code().await, Some(CloseCode::Size));
}

/// Returns the close code for a client that sends these bytes instead of frames.
async fn after_bytes(served: &Served, bytes: &[u8]) -> Option<CloseCode> {
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    raw.0.get_mut().write_all(bytes).await.unwrap();
    raw.close_code().await
}

#[tokio::test]
async fn a_connection_ends_with_a_reason() {
    let served = Served::new().await;
    let unmasked = [0x81, 0x02, b'h', b'i'];
    assert_eq!(after_bytes(&served, &unmasked).await, Some(CloseCode::Protocol));
    let not_utf8 = [0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe];
    assert_eq!(after_bytes(&served, &not_utf8).await, Some(CloseCode::Invalid));
}

#[tokio::test]
async fn a_close_frame_is_answered() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    let frame = CloseFrame { code: CloseCode::Normal, reason: "done".into() };
    raw.0.send(Message::Close(Some(frame))).await.unwrap();
    assert_eq!(raw.close_code().await, Some(CloseCode::Normal));
}

#[tokio::test]
async fn a_request_that_is_not_for_a_websocket_gets_an_http_status() {
    let served = Served::new().await;
    for (request, status) in [
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "426"),
        ("POST / HTTP/1.1\r\nHost: localhost\r\n\r\n", "405"),
        ("hello\r\n\r\n", "400"),
    ] {
        let mut stream = UnixStream::connect(&served.home.socket).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        in_time("the end of the response", stream.read_to_string(&mut answer)).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request:?}: {answer:?}");
    }
}

#[tokio::test]
async fn an_error_response_has_the_id_of_its_request_if_it_is_readable() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    for (frame, id) in [
        (json!({ "jsonrpc": "1.0", "id": 7, "method": "daemon.status" }), json!(7)),
        (json!({ "jsonrpc": "2.0", "id": "a", "method": 3 }), json!("a")),
        (json!({ "jsonrpc": "2.0", "id": 8, "method": "daemon.status", "extra": 1 }), json!(8)),
        (json!({ "jsonrpc": "2.0", "id": 9, "method": "daemon.status", "params": [1] }), json!(9)),
        (json!([request(1, "daemon.status", json!({}))]), Json::Null),
    ] {
        raw.send(&frame).await;
        let answer = raw.next().await.unwrap();
        assert_eq!(answer["id"], id, "{frame}");
        assert!(answer["error"]["message"].is_string(), "{answer}");
    }
}

#[tokio::test]
async fn a_cursor_belongs_to_its_list() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    for (method, cursor) in [
        ("runs.list", "assets.list:7"),
        ("runs.list", "7"),
        ("assets.list", "runs.list:7"),
        ("workflows.list", "x"),
    ] {
        raw.send(request(1, method, json!({ "cursor": cursor }))).await;
        let error = raw.next().await.unwrap()["error"].take();
        assert_eq!(error["code"], ErrorCode::BadParams as i64, "{method} {cursor}: {error}");
        assert!(error["message"].as_str().unwrap().starts_with("`cursor`: "), "{error}");
    }
}

#[tokio::test]
async fn unknown_methods_and_names_are_errors() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    let (workflow, run) = (WorkflowId::new(), RunId::new());
    let file = "nodes: { a: { uses: text.template, with: { template: hi } } }";
    let start = json!({ "document": file, "path": "/nowhere/a.yaml", "sets": [{}], "request_key": "a" });
    for (method, params, code) in [
        ("runs.list", json!({ "workflow_id": workflow }), ErrorCode::NotFound),
        ("assets.list", json!({ "workflow_id": workflow }), ErrorCode::NotFound),
        ("values.list", json!({ "workflow_id": workflow, "node": "a", "port": "b" }), ErrorCode::NotFound),
        ("runs.cancel", json!({ "runs": [run] }), ErrorCode::NotFound),
        ("values.read", json!({ "run_id": run, "of": "params" }), ErrorCode::NotFound),
        ("runs.start", start, ErrorCode::BadParams),
    ] {
        raw.send(request(1, method, params)).await;
        let error = raw.next().await.unwrap()["error"].take();
        assert_eq!(error["code"], code as i64, "{method}: {error}");
    }
}

#[tokio::test]
async fn a_request_key_identifies_one_request() {
    let served = Served::new().await;
    let mut raw = Raw::connect(&served.home).await;
    raw.hello().await;
    let file = |template: &str| {
        let id = "0199aaaa-0000-7000-8000-0000000000aa";
        format!(
            "id: {id}\nparams: {{ n: {{ type: int, default: 1 }} }}\n\
                 nodes: {{ a: {{ uses: text.template, with: {{ template: {template} }} }} }}"
        )
    };
    let start = |template: &str, n: i64| json!({ "document": file(template), "sets": [{ "params": { "n": n } }], "request_key": "key" });
    raw.send(request(1, "runs.start", start("hi", 1))).await;
    let first = raw.next().await.unwrap()["result"]["runs"][0]["id"].take();
    raw.send(request(2, "runs.start", start("hi", 1))).await;
    assert_eq!(raw.next().await.unwrap()["result"]["runs"][0]["id"], first);
    let run = first.as_str().unwrap().parse().unwrap();
    until("the end of the run", || served.context.store.listed(run).unwrap().state.is_ended()).await;
    for (method, params) in [
        ("runs.start", start("ho", 1)),
        ("runs.start", start("hi", 2)),
        ("runs.resume", json!({ "run": first, "document": file("ho"), "request_key": "key" })),
    ] {
        raw.send(request(3, method, params)).await;
        let error = raw.next().await.unwrap()["error"].take();
        assert_eq!(error["code"], ErrorCode::BadParams as i64, "{method}: {error}");
        assert!(error["message"].as_str().unwrap().contains("`request_key`"), "{error}");
    }
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
