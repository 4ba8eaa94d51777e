//! An MCP server that is reached over HTTP: each message is a request of its own, and a response is JSON or a stream of
//! events.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fanlight_shared::sanitise;
use fanlight_shared::value::cut;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, Url};
use serde_json::Value as Json;
use tokio::time::timeout;

use crate::http;
use crate::llm::sse::Events;
use crate::plugin::message::{self, MAX_LINE, Message};
use crate::plugin::process::{End, Failure};
use crate::secret::Secrets;

/// The header with the session, and the one with the version of the protocol.
const SESSION: &str = "mcp-session-id";
const VERSION: &str = "mcp-protocol-version";
/// How long a server may take to end a session.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// The most requests of a server that are answered during one of ours.
const MAX_REQUESTS: usize = 1000;

/// A server at a URL, and the session with it.
pub(super) struct HttpPeer {
    client: Client,
    url: Url,
    key: Option<HeaderValue>,
    /// The key, for masking.
    secrets: Secrets,
    last_id: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<HeaderValue>,
    version: Option<HeaderValue>,
}

impl HttpPeer {
    /// Creates the client of a server; `key` is sent as a bearer token, and `secrets` contains it.
    ///
    /// # Errors
    /// A sentence: the key can't be sent.
    pub(super) fn new(client: Client, url: Url, key: Option<&str>, secrets: Secrets) -> Result<Self, String> {
        let header = |key: &str| {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.trim()))
                .map_err(|_| "its key has characters that no key has".to_owned())?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        };
        let key = key.map(header).transpose()?;
        Ok(Self { client, url, key, secrets, last_id: AtomicU64::new(0), state: Mutex::default() })
    }

    fn request(&self, method: Method) -> RequestBuilder {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let headers =
            [(SESSION, &state.session), (VERSION, &state.version), (AUTHORIZATION.as_str(), &self.key)];
        let request = self.client.request(method, self.url.clone());
        headers.into_iter().fold(request, |request, (name, value)| match value {
            Some(value) => request.header(name, value),
            None => request,
        })
    }

    /// Sends a message and returns the response.
    async fn send(&self, message: Vec<u8>) -> Result<Response, Failure> {
        let request = self.request(Method::POST).header(CONTENT_TYPE, "application/json");
        let request = request.header(ACCEPT, "application/json, text/event-stream").body(message);
        let response = request.send().await.map_err(|error| self.fault(&http::sentence(&error)))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let has_session = self.state.lock().unwrap_or_else(PoisonError::into_inner).session.is_some();
        Err(match status {
            StatusCode::NOT_FOUND if has_session => self.fault("it has ended the session"),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                self.fault(&format!("it answered {status}; is the `key` in the config the right one?"))
            }
            status if status.is_redirection() => self.fault(&format!(
                "it answered {status}, and redirects are not followed; set `url` in the config"
            )),
            status => {
                let body = read(response, 4 << 10).await.unwrap_or_default();
                let body = sanitise::line(&self.secrets.mask(String::from_utf8_lossy(&body).into_owned()));
                self.fault(&format!("it answered {status}: {}", cut(body.trim(), 200)))
            }
        })
    }

    fn fault(&self, why: &str) -> Failure {
        Failure::Over(End::Fault(self.secrets.mask(format!("{}: {why}", self.url))))
    }

    /// Asks it something that takes at most `most`. What it says is masked.
    pub(super) async fn ask(&self, method: &str, params: &Json, most: Duration) -> Result<Json, Failure> {
        timeout(most, self.asked(method, params)).await.map_err(|_| self.late(method, most))?
    }

    fn late(&self, method: &str, most: Duration) -> Failure {
        self.fault(&format!("it did not answer `{method}` within {} s", most.as_secs()))
    }

    async fn asked(&self, method: &str, params: &Json) -> Result<Json, Failure> {
        let id = self.last_id.fetch_add(1, Ordering::Relaxed) + 1;
        let response = self.send(message::request(id, method, params)).await?;
        if method == "initialize" {
            let session = response.headers().get(SESSION).cloned();
            self.state.lock().unwrap_or_else(PoisonError::into_inner).session = session;
        }
        let kind =
            response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let result = if kind.starts_with("text/event-stream") {
            self.streamed(response, id).await?
        } else if kind.starts_with("application/json") {
            let body = read(response, MAX_LINE).await.map_err(|why| self.fault(&why))?;
            match self.message(&body)? {
                Message::Response { id: of, result } if of == id => result,
                _ => return Err(self.fault("it answered something that was not asked")),
            }
        } else {
            let kind = cut(&sanitise::line(kind), 60);
            return Err(
                self.fault(&format!("it answered with `{kind}`, neither JSON nor a stream of events"))
            );
        };
        let result = result.map_err(|why| Failure::Refused(self.secrets.mask(why)))?;
        if method == "initialize" {
            let version = result.get("protocolVersion").and_then(Json::as_str);
            let version = version.and_then(|version| HeaderValue::from_str(version).ok());
            self.state.lock().unwrap_or_else(PoisonError::into_inner).version = version;
        }
        // A server may repeat the key that it got.
        match self.secrets.masked(&result.to_string()) {
            None => Ok(result),
            Some(masked) => {
                serde_json::from_str(&masked).map_err(|_| self.fault("its answer contains its key"))
            }
        }
    }

    /// Reads events until the response is among them.
    async fn streamed(&self, mut response: Response, id: u64) -> Result<Result<Json, String>, Failure> {
        let (mut events, mut requests, mut bytes) = (Events::default(), 0, 0);
        while let Some(chunk) = response.chunk().await.map_err(|error| self.fault(&http::sentence(&error)))? {
            bytes += chunk.len();
            if bytes > 4 * MAX_LINE {
                return Err(self.fault(&format!("its answer has more than {} MiB", (4 * MAX_LINE) >> 20)));
            }
            for event in events.take(&chunk).map_err(|why| self.fault(&why))? {
                if event.data.is_empty() {
                    continue;
                }
                match self.message(event.data.as_bytes())? {
                    Message::Response { id: of, result } if of == id => return Ok(result),
                    Message::Response { .. } => {
                        return Err(self.fault("it answered something that was not asked"));
                    }
                    Message::Notification { .. } => {}
                    Message::Request { id, method } => {
                        requests += 1;
                        if requests > MAX_REQUESTS {
                            return Err(self.fault("it keeps sending requests"));
                        }
                        let answer = if method == "ping" {
                            message::empty_result(&id)
                        } else {
                            message::unknown_method(&id, &method)
                        };
                        self.send(answer).await?;
                    }
                }
            }
        }
        Err(self.fault("the connection ended before the answer"))
    }

    fn message(&self, text: &[u8]) -> Result<Message, Failure> {
        Message::read(text).map_err(|what| self.fault(&format!("it sent {what}")))
    }

    /// Tells it something, which it accepts within `most`.
    pub(super) async fn notify(&self, method: &str, params: &Json, most: Duration) -> Result<(), Failure> {
        let sent = timeout(most, self.send(message::notification(method, params))).await;
        sent.map_err(|_| self.late(method, most))?.map(drop)
    }

    /// Ends the session. A server that refuses the request ends it by itself.
    pub(super) async fn close(&self) {
        let session = self.state.lock().unwrap_or_else(PoisonError::into_inner).session.is_some();
        if session {
            let _ = timeout(CLOSE_TIMEOUT, self.request(Method::DELETE).send()).await;
        }
    }
}

/// Reads a body up to a limit.
async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| http::sentence(&error))? {
        if body.len() + chunk.len() > limit {
            return Err(format!("its answer has more than {} KiB", limit >> 10));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::server::{Server, Step, answer};

    const JSON: &str = "Content-Type: application/json\r\n";
    const KEY: &str = "correct-horse-battery";

    fn peer(server: &Server) -> HttpPeer {
        let secrets: Secrets = [("docs".to_owned(), KEY.to_owned())].into_iter().collect();
        let url = server.url("/mcp").parse().unwrap();
        let client = http::Http::default().client(http::Reach::Any, http::Redirects::Nowhere).unwrap();
        HttpPeer::new(client, url, Some(KEY), secrets).unwrap()
    }

    fn result(id: u64, result: &Json) -> Vec<u8> {
        json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string().into_bytes()
    }

    fn events(events: &[&str]) -> Vec<Step> {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
        let events: String = events.iter().map(|data| format!("event: message\ndata: {data}\n\n")).collect();
        vec![Step::Write(format!("{head}{events}").into_bytes())]
    }

    async fn asked(server: &Server, method: &str) -> Result<Json, Failure> {
        peer(server).ask(method, &json!({}), Duration::from_secs(30)).await
    }

    fn why(asked: Result<Json, Failure>) -> String {
        match asked {
            Err(Failure::Over(End::Fault(why))) => why,
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_session_has_its_key_its_version_and_its_end() {
        let server = Server::new(|number, _| match number {
            0 => {
                let session = format!("{JSON}Mcp-Session-Id: s-1\r\n");
                answer("200 OK", &session, &result(1, &json!({"protocolVersion": "2025-06-18"})))
            }
            1 => answer("202 Accepted", "", b""),
            2 => events(&[
                r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{}}"#,
                r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#,
                r#"{"jsonrpc":"2.0","id":2,"result":{"said":"it is correct-horse-battery"}}"#,
            ]),
            _ => answer("200 OK", "", b""),
        })
        .await;
        let peer = peer(&server);
        let ask = |method: &'static str| peer.ask(method, &Json::Null, Duration::from_secs(30));
        ask("initialize").await.unwrap();
        peer.notify("notifications/initialized", &json!({}), Duration::from_secs(30)).await.unwrap();
        let said = ask("tools/call").await.unwrap();
        assert!(!said.to_string().contains(KEY), "{said}");
        peer.close().await;
        let requests = server.requests();
        assert!(
            requests.iter().all(|it| it.contains(&format!("authorization: Bearer {KEY}\r\n"))),
            "{requests:?}"
        );
        assert!(!requests[0].contains(SESSION) && requests[2].contains("mcp-session-id: s-1\r\n"));
        assert!(requests[2].contains("mcp-protocol-version: 2025-06-18\r\n"));
        assert!(
            requests[3].ends_with(r#"{"id":"p","jsonrpc":"2.0","result":{}}"#)
                || requests[3].contains(r#""result":{}"#)
        );
        assert!(requests[4].starts_with("DELETE /mcp "), "{requests:?}");
    }

    #[tokio::test]
    async fn a_refusal_goes_to_the_model_and_other_answers_are_faults() {
        let error =
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no correct-horse-battery"}}"#;
        let server = Server::new(move |_, _| answer("200 OK", JSON, error.as_bytes())).await;
        match asked(&server, "tools/call").await {
            Err(Failure::Refused(why)) => assert!(why.starts_with("no ") && !why.contains(KEY), "{why}"),
            other => panic!("{other:?}"),
        }
        for (status, headers, body, expected) in [
            ("401 Unauthorized", JSON, "{}", "is the `key` in the config the right one?"),
            ("302 Found", "Location: http://evil/\r\n", "", "redirects are not followed"),
            (
                "500 Internal Server Error",
                "",
                "broken correct-horse-battery",
                "500 Internal Server Error: broken",
            ),
            ("200 OK", "Content-Type: text/html\r\n", "<html>", "neither JSON nor a stream of events"),
            ("200 OK", JSON, "<html>", "which is not JSON"),
            ("200 OK", JSON, r#"{"jsonrpc":"2.0","id":7,"result":{}}"#, "something that was not asked"),
            ("200 OK", "Content-Type: text/event-stream\r\n", "", "the connection ended before the answer"),
        ] {
            let server = Server::new(move |_, _| answer(status, headers, body.as_bytes())).await;
            let why = why(asked(&server, "tools/call").await);
            assert!(why.contains(expected) && !why.contains(KEY), "{why}");
        }
    }

    #[tokio::test]
    async fn a_server_that_does_not_answer_is_given_up() {
        let server = Server::new(|_, _| vec![Step::Hang]).await;
        let asked = peer(&server).ask("tools/call", &json!({}), Duration::from_millis(50)).await;
        assert!(why(asked).contains("it did not answer `tools/call`"));
        server.until_closed(1).await;
        let told =
            peer(&server).notify("notifications/initialized", &json!({}), Duration::from_millis(50)).await;
        let why = why(told.map(|()| Json::Null));
        assert!(why.contains(&server.url("/mcp")), "{why}");
        assert!(why.contains("it did not answer `notifications/initialized`"), "{why}");
    }
}
