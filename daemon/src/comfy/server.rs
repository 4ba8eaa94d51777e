//! The requests to one server.

use std::time::Duration;

use fanlight_shared::sanitise;
use fanlight_shared::value::cut;
use futures_util::{SinkExt as _, StreamExt as _};
use reqwest::header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Upgraded};
use serde_json::{Value as Json, json};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use super::{MadeFile, Message, Place};
use crate::http;
use crate::llm::Provider;
use crate::llm::multipart::Form;

/// How long a server may take to respond. While it loads a model it may be slow.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(60);
/// The longest response, in bytes: a queue contains its graphs.
const MAX_BODY_BYTES: usize = 64 << 20;
/// The longest message of a websocket, in bytes.
const MAX_MESSAGE_BYTES: usize = 16 << 20;
/// How much of a message of the server is shown.
const MAX_SHOWN: usize = 600;

/// The ids of a graph on a server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Ticket {
    /// The client that submitted it and gets its messages; no other graph has it.
    pub(crate) client: String,
    /// The id that is proposed for the graph. Older servers choose another one.
    pub(crate) prompt: String,
}

/// Why a request brought nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum ServerError {
    /// The server was not reached.
    Unreachable(String),
    /// The connection broke, or the server is overloaded: whether it did something is not known.
    Broken(String),
    /// It answered something else than what was asked for.
    Wrong(String),
    /// It did nothing, and says why.
    Refused(String),
}

/// What became of a graph that is not wanted any longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Withdrawn {
    /// It has ended.
    Ended,
    /// The server was asked to end it.
    Asked,
    /// The server does not have it, and may not have read it yet.
    Unknown,
}

/// A graph that a server took.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Submitted {
    pub(crate) id: String,
    /// What is wrong with outputs that the server leaves out.
    pub(crate) left_out: Option<String>,
}

/// A server, as one graph uses it.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    provider: Provider,
    pub(crate) url: String,
}

/// The messages about the graphs of one client.
pub(crate) struct Socket(Box<WebSocketStream<Upgraded>>);

impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Unreachable(sentence)
        | Self::Broken(sentence)
        | Self::Wrong(sentence)
        | Self::Refused(sentence)) = self;
        f.write_str(sentence)
    }
}

impl Ticket {
    /// Makes new ids.
    pub(crate) fn new() -> Self {
        Self { client: uuid::Uuid::now_v7().simple().to_string(), prompt: uuid::Uuid::now_v7().to_string() }
    }
}

impl Server {
    pub(crate) fn new(provider: Provider, url: String) -> Self {
        Self { provider, url }
    }

    fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, ServerError> {
        self.provider.request_to(&self.url, method, path).map_err(ServerError::Wrong)
    }

    fn connection_error(&self, error: &reqwest::Error) -> ServerError {
        let sentence = http::sentence(error);
        if error.is_connect() {
            ServerError::Unreachable(format!("{} can't be reached: {sentence}", self.url))
        } else {
            ServerError::Broken(format!("the connection to {} broke: {sentence}", self.url))
        }
    }

    fn wrong(&self, what: &str) -> ServerError {
        ServerError::Wrong(format!("the answer of {} is not one of ComfyUI's: {what}", self.url))
    }

    /// Sends a request and returns its response as JSON, with its status.
    async fn ask(
        &self,
        request: RequestBuilder,
    ) -> Result<(StatusCode, Result<Json, ServerError>), ServerError> {
        let asked = async {
            let mut response = request.send().await.map_err(|error| self.connection_error(&error))?;
            let status = response.status();
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| self.connection_error(&error))? {
                if body.len() + chunk.len() > MAX_BODY_BYTES {
                    return Err(self.wrong(&format!("more than {} MiB", MAX_BODY_BYTES >> 20)));
                }
                body.extend_from_slice(&chunk);
            }
            if is_overload(status) {
                let why = self.provider.error_in(&body);
                return Err(ServerError::Broken(format!("{} answered {status}: {why}", self.url)));
            }
            let json = serde_json::from_slice(&body).map_err(|error| {
                let shown = self.provider.shown(&String::from_utf8_lossy(&body));
                self.wrong(&format!("{status}, not JSON ({error}): {}", cut(&shown, 120)))
            });
            Ok((status, json))
        };
        let late = || {
            ServerError::Broken(format!(
                "{} did not respond within {} s",
                self.url,
                RESPONSE_TIMEOUT.as_secs()
            ))
        };
        tokio::time::timeout(RESPONSE_TIMEOUT, asked).await.map_err(|_| late())?
    }

    /// Returns the JSON of a successful response.
    async fn json(&self, request: RequestBuilder) -> Result<Json, ServerError> {
        let (status, json) = self.ask(request).await?;
        if status.is_success() {
            return json;
        }
        let body = json.map(|json| json.to_string()).unwrap_or_default();
        let why = self.provider.error_in(body.as_bytes());
        Err(ServerError::Wrong(format!("{} answered {status}: {why}", self.url)))
    }

    /// Opens the websocket of a client. It uses the HTTP client of all nodes, with its proxy and its certificates.
    pub(crate) async fn connect(&self, ticket: &Ticket) -> Result<Socket, ServerError> {
        let key = generate_key();
        let request = self
            .request(Method::GET, &format!("/ws?clientId={}", ticket.client))?
            .header(CONNECTION, "Upgrade")
            .header(UPGRADE, "websocket")
            .header(SEC_WEBSOCKET_VERSION, "13")
            .header(SEC_WEBSOCKET_KEY, &key);
        let opened = async {
            let response = request.send().await.map_err(|error| self.connection_error(&error))?;
            let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(|it| it.as_bytes().to_vec());
            let status = response.status();
            if is_overload(status) {
                return Err(ServerError::Broken(format!("{} answered {status} to a websocket", self.url)));
            }
            if status != StatusCode::SWITCHING_PROTOCOLS
                || accepted.as_deref() != Some(derive_accept_key(key.as_bytes()).as_bytes())
            {
                return Err(self.wrong(&format!("{status} to a websocket")));
            }
            response.upgrade().await.map_err(|error| self.connection_error(&error))
        };
        let late = |_| ServerError::Broken(format!("{} opens no websocket", self.url));
        let stream = tokio::time::timeout(RESPONSE_TIMEOUT, opened).await.map_err(late)??;
        let limits = WebSocketConfig::default()
            .max_message_size(Some(MAX_MESSAGE_BYTES))
            .max_frame_size(Some(MAX_MESSAGE_BYTES));
        let socket = WebSocketStream::from_raw_socket(stream, Role::Client, Some(limits)).await;
        Ok(Socket(Box::new(socket)))
    }

    /// Submits a graph.
    pub(crate) async fn submit(&self, graph: &Json, ticket: &Ticket) -> Result<Submitted, ServerError> {
        let body = json!({
            "prompt": graph,
            "client_id": ticket.client,
            "prompt_id": ticket.prompt,
            "extra_data": {"client_id": ticket.client, "preview_method": "auto"},
        });
        let (status, json) = self.ask(self.post("/prompt", &body)?).await?;
        let json = json?;
        let left_out = node_errors(&json);
        if !status.is_success() {
            let message = json.get("error").map(described).unwrap_or_default();
            let why = left_out.unwrap_or(message);
            return Err(ServerError::Refused(format!(
                "{} refuses the graph: {}",
                self.url,
                self.shown(&why)
            )));
        }
        let id = json.get("prompt_id").and_then(Json::as_str).filter(|id| is_id(id));
        let id = id.ok_or_else(|| self.wrong("no `prompt_id`"))?.to_owned();
        Ok(Submitted { id, left_out: left_out.map(|it| self.shown(&it)) })
    }

    /// Finds the graph of a ticket. Its id is that of its item in the queue unless it is given.
    pub(crate) async fn find(&self, ticket: &Ticket, id: Option<&str>) -> Result<Place, ServerError> {
        let queue = self.json(self.request(Method::GET, "/queue")?).await?;
        if let Some(place) = Place::in_queue(&queue, ticket).map_err(|why| self.wrong(&why))? {
            return Ok(place);
        }
        // It leaves the queue when it gets into the history.
        let id = id.unwrap_or(&ticket.prompt);
        let history = self.json(self.request(Method::GET, &format!("/history/{id}"))?).await?;
        Place::in_history(&history, ticket, id).map_err(|why| self.wrong(&why))
    }

    /// Takes a graph out of the queue, or interrupts it if it runs.
    pub(crate) async fn withdraw(&self, ticket: &Ticket, id: Option<&str>) -> Result<Withdrawn, ServerError> {
        let (path, body) = match self.find(ticket, id).await? {
            Place::Waiting { id, .. } => ("/queue", json!({"delete": [id]})),
            // Older servers interrupt whatever runs, so that this is only sent while it does.
            Place::Running { id } => ("/interrupt", json!({"prompt_id": id})),
            Place::Ended(_) => return Ok(Withdrawn::Ended),
            Place::Nowhere if id.is_some() => return Ok(Withdrawn::Ended),
            Place::Nowhere => return Ok(Withdrawn::Unknown),
        };
        let send = async {
            let response =
                self.post(path, &body)?.send().await.map_err(|error| self.connection_error(&error))?;
            let status = response.status();
            if status.is_success() { Ok(()) } else { Err(self.wrong(&status.to_string())) }
        };
        let late = |_| ServerError::Broken(format!("{} does not respond", self.url));
        tokio::time::timeout(RESPONSE_TIMEOUT, send).await.map_err(late)??;
        Ok(Withdrawn::Asked)
    }

    /// Uploads a file. Returns its name there.
    pub(crate) async fn upload(&self, form: &Form) -> Result<String, ServerError> {
        let (content_type, body) = form.finish();
        let request = self.request(Method::POST, "/upload/image")?;
        let request = request.header(reqwest::header::CONTENT_TYPE, content_type).body(body);
        let json = self.json(request).await?;
        let text = |name: &str| json.get(name).and_then(Json::as_str);
        let name = text("name")
            .filter(|name| !name.is_empty())
            .ok_or_else(|| self.wrong("an upload without a name"))?;
        Ok(match text("subfolder") {
            None | Some("") => name.to_owned(),
            Some(folder) => format!("{folder}/{name}"),
        })
    }

    /// Requests a file.
    pub(crate) async fn view(&self, file: &MadeFile) -> Result<Response, ServerError> {
        let query = [("filename", &file.name), ("subfolder", &file.subfolder), ("type", &file.folder)];
        let request = self.request(Method::GET, "/view")?.query(&query);
        let late = |_| ServerError::Broken(format!("{} does not respond", self.url));
        let sent = tokio::time::timeout(RESPONSE_TIMEOUT, request.send()).await.map_err(late)?;
        sent.map_err(|error| self.connection_error(&error))
    }

    fn post(&self, path: &str, body: &Json) -> Result<RequestBuilder, ServerError> {
        let request = self.request(Method::POST, path)?;
        Ok(request.header(reqwest::header::CONTENT_TYPE, "application/json").body(body.to_string()))
    }

    /// Returns words of the server, safe to show and without the key.
    fn shown(&self, text: &str) -> String {
        self.provider.shown_up_to(text, MAX_SHOWN)
    }
}

impl Socket {
    /// Returns the next message about a graph; `None` when the connection has ended.
    pub(crate) async fn next(&mut self, prompt: &str) -> Option<Message> {
        loop {
            let message = match self.0.next().await? {
                Ok(tungstenite::Message::Text(text)) => Message::of_text(&text, prompt),
                Ok(tungstenite::Message::Binary(bytes)) => Message::of_bytes(&bytes),
                Ok(tungstenite::Message::Close(_)) | Err(_) => return None,
                Ok(_) => None,
            };
            if message.is_some() {
                return message;
            }
        }
    }

    /// Ends the connection.
    pub(crate) async fn close(mut self) {
        let _ = self.0.send(tungstenite::Message::Close(None)).await;
    }
}

/// Returns whether a status comes from a proxy without a server behind it, or from a server that has too much to do.
fn is_overload(status: StatusCode) -> bool {
    let gateway = [StatusCode::BAD_GATEWAY, StatusCode::SERVICE_UNAVAILABLE, StatusCode::GATEWAY_TIMEOUT];
    gateway.contains(&status) || status == StatusCode::TOO_MANY_REQUESTS
}

/// Returns whether a text can be a part of a path.
fn is_id(id: &str) -> bool {
    (1..=200).contains(&id.len())
        && id.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'-' || it == b'_')
}

/// Returns what is wrong with nodes of a graph: each by its id and its class.
fn node_errors(json: &Json) -> Option<String> {
    let nodes = json.get("node_errors")?.as_object().filter(|nodes| !nodes.is_empty())?;
    let node = |(id, node): (&String, &Json)| {
        let class = node.get("class_type").and_then(Json::as_str).unwrap_or("?");
        let errors = node.get("errors").and_then(Json::as_array).into_iter().flatten();
        let errors: Vec<String> = errors.map(described).collect();
        format!("node `{id}` ({class}): {}", errors.join("; "))
    };
    Some(nodes.iter().take(5).map(node).collect::<Vec<_>>().join("; "))
}

/// Returns an error of the server as a sentence.
fn described(error: &Json) -> String {
    let text = |name: &str| error.get(name).and_then(Json::as_str).unwrap_or_default().trim();
    match (text("message"), text("details")) {
        ("", _) => sanitise::line(error.as_str().unwrap_or("it gave no reason")),
        (message, "") => message.to_owned(),
        (message, details) => format!("{message}: {details}"),
    }
}
