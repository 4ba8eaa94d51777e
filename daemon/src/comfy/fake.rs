//! A ComfyUI server for tests: it answers as ComfyUI documents it, and computes what the test says.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Map, Value as Json, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::Role;

use crate::http::server::read;

/// A step of a graph that is computed.
#[derive(Clone, Debug)]
pub(crate) enum Beat {
    /// Sends a message about the graph; its id is added.
    Say(&'static str, Json),
    /// Sends a picture so far.
    Preview(Vec<u8>),
    /// Closes the websocket.
    HangUp,
    /// Computes until it is interrupted.
    Hold,
    /// Ends the graph with these outputs; `None`: the node `3` fails.
    End(Option<Json>),
    /// Forgets the graph, as a server does that is restarted.
    Forget,
}

/// How the server behaves.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    pub(crate) beats: Vec<Beat>,
    /// Whether graphs stay in the queue, behind one of somebody else.
    pub(crate) busy: bool,
    /// Whether it chooses the ids of graphs, as older servers do.
    pub(crate) own_ids: bool,
    /// The response to a graph, instead of taking it.
    pub(crate) refusal: Option<(u16, String)>,
    /// The status that its websocket answers with, instead of being opened.
    pub(crate) no_socket: Option<u16>,
    /// What is wrong with nodes of a graph that is taken nevertheless.
    pub(crate) node_errors: Json,
    /// Whether the connection of a graph that was taken breaks before the response.
    pub(crate) breaks: bool,
    /// Files by name.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug, Default)]
struct State {
    script: Script,
    waiting: Vec<Json>,
    running: Vec<Json>,
    history: Map<String, Json>,
    sockets: BTreeMap<String, mpsc::UnboundedSender<Message>>,
    requests: Vec<String>,
    interrupted: bool,
}

/// A running server.
pub(crate) struct Fake {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    changes: Arc<watch::Sender<u64>>,
}

impl Fake {
    pub(crate) async fn new(script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { script, ..State::default() }));
        let changes = Arc::new(watch::channel(0).0);
        let (of, told) = (Arc::clone(&state), Arc::clone(&changes));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&of), Arc::clone(&told)));
            }
        });
        Self { address, state, changes }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests so far: their first lines and bodies.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    /// Returns the body of the graph that was submitted.
    pub(crate) fn submitted(&self) -> Json {
        let requests = self.requests();
        let submitted = requests.iter().find(|it| it.starts_with("POST /prompt ")).unwrap();
        serde_json::from_str(submitted.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Returns how many graphs wait or run here.
    pub(crate) fn busy_with(&self) -> usize {
        let state = self.state.lock().unwrap();
        state.waiting.len() + state.running.len()
    }

    /// Waits until the server was asked for this.
    pub(crate) async fn until_asked(&self, begin: &str) {
        self.until(|state| state.requests.iter().any(|it| it.starts_with(begin))).await;
    }

    /// Waits until a graph runs.
    pub(crate) async fn until_running(&self) {
        self.until(|state| !state.running.is_empty()).await;
    }

    /// Removes the graphs that wait, as a person may.
    pub(crate) fn clear(&self) {
        self.state.lock().unwrap().waiting.clear();
        self.tell();
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) {
        let mut changes = self.changes.subscribe();
        let wait = async {
            while !holds(&self.state.lock().unwrap()) {
                changes.changed().await.unwrap();
            }
        };
        fanlight_shared::testing::in_time("a change of the fake", wait).await;
    }

    /// Sends all clients that the queue changed.
    fn tell(&self) {
        let state = self.state.lock().unwrap();
        let text =
            json!({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 1}}}}).to_string();
        state.sockets.values().for_each(|socket| drop(socket.send(Message::text(text.clone()))));
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>, changes: Arc<watch::Sender<u64>>) {
    let request = read(&mut stream).await;
    let (head, body) = request.split_once("\r\n\r\n").unwrap_or((&request, ""));
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    state.lock().unwrap().requests.push(request.clone());
    changes.send_modify(|count| *count += 1);
    let no_socket = state.lock().unwrap().script.no_socket.filter(|_| path.starts_with("/ws?"));
    if let Some(status) = no_socket {
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        return drop(stream.write_all(head.as_bytes()).await);
    }
    if let Some(client) = path.strip_prefix("/ws?clientId=") {
        return messages(stream, head, client.to_owned(), state).await;
    }
    let json: Json = serde_json::from_str(body).unwrap_or_default();
    let (status, body) = respond(&state, method, path, &json, &changes);
    changes.send_modify(|count| *count += 1);
    if state.lock().unwrap().script.breaks && path == "/prompt" {
        return;
    }
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
}

fn respond(
    state: &Arc<Mutex<State>>,
    method: &str,
    path: &str,
    json: &Json,
    changes: &Arc<watch::Sender<u64>>,
) -> (u16, Vec<u8>) {
    let mut guard = state.lock().unwrap();
    let of = &mut *guard;
    let text = |json: Json| json.to_string().into_bytes();
    match (method, path.split('?').next().unwrap_or_default()) {
        ("POST", "/prompt") => {
            if let Some((status, body)) = &of.script.refusal {
                return (*status, body.clone().into_bytes());
            }
            let id = if of.script.own_ids {
                "own-1".to_owned()
            } else {
                json["prompt_id"].as_str().unwrap().to_owned()
            };
            let client = json["client_id"].as_str().unwrap().to_owned();
            let item = json!([5.0, id, json["prompt"], {"client_id": client}, ["9"]]);
            of.waiting.push(item.clone());
            if of.script.busy {
                of.running = vec![json!([1.0, "other", {}, {"client_id": "other"}, []])];
            } else {
                tokio::spawn(compute(Arc::clone(state), item, id.clone(), client, Arc::clone(changes)));
            }
            (200, text(json!({"prompt_id": id, "number": 5.0, "node_errors": of.script.node_errors})))
        }
        ("GET", "/queue") => (200, text(json!({"queue_running": of.running, "queue_pending": of.waiting}))),
        ("GET", path) if path.starts_with("/history/") => {
            let id = &path["/history/".len()..];
            let entry = of.history.get(id).map(|entry| json!({id: entry}));
            (200, text(entry.unwrap_or_else(|| json!({}))))
        }
        ("POST", "/queue") => {
            let ids = json["delete"].as_array().unwrap();
            of.waiting.retain(|item| !ids.contains(&item[1]));
            (200, Vec::new())
        }
        ("POST", "/interrupt") => {
            of.interrupted = of.running.iter().any(|item| item[1] == json["prompt_id"]);
            (200, Vec::new())
        }
        ("POST", "/upload/image") => {
            (200, text(json!({"name": "uploaded.png", "subfolder": "in", "type": "input"})))
        }
        ("GET", "/view") => {
            let found = of.script.files.iter().find(|(name, _)| path.contains(&format!("filename={name}&")));
            found.map_or((404, Vec::new()), |(_, bytes)| (200, bytes.clone()))
        }
        _ => (404, Vec::new()),
    }
}

/// Computes a graph, beat by beat.
async fn compute(
    state: Arc<Mutex<State>>,
    item: Json,
    id: String,
    client: String,
    changes: Arc<watch::Sender<u64>>,
) {
    let change = |of: &dyn Fn(&mut State)| {
        of(&mut state.lock().unwrap());
        changes.send_modify(|count| *count += 1);
    };
    let send = |message: Message| {
        if let Some(socket) = state.lock().unwrap().sockets.get(&client) {
            let _ = socket.send(message);
        }
    };
    let ends = |entry: Json| {
        change(&|of| {
            of.running.clear();
            of.history.insert(id.clone(), entry.clone());
        });
        send(Message::text(
            json!({"type": "executing", "data": {"node": null, "prompt_id": id}}).to_string(),
        ));
    };
    change(&|of| {
        of.waiting.retain(|other| other[1] != id);
        of.running = vec![item.clone()];
    });
    let beats = state.lock().unwrap().script.beats.clone();
    for beat in beats {
        match beat {
            Beat::Say(kind, mut data) => {
                data["prompt_id"] = id.clone().into();
                send(Message::text(json!({"type": kind, "data": data}).to_string()));
            }
            Beat::Preview(picture) => {
                send(Message::binary([&b"\0\0\0\x01\0\0\0\x01"[..], &picture].concat()))
            }
            Beat::HangUp => change(&|of| of.sockets.clear()),
            Beat::Hold => {
                while !state.lock().unwrap().interrupted {
                    tokio::task::yield_now().await;
                }
                let messages = json!([["execution_interrupted", {"node_id": "3", "node_type": "KSampler"}]]);
                let status = json!({"status_str": "error", "completed": false, "messages": messages});
                return ends(json!({"prompt": item, "outputs": {}, "status": status}));
            }
            Beat::End(outputs) => {
                let error = json!([["execution_error", {"node_id": "3", "node_type": "KSampler",
                    "exception_type": "RuntimeError", "exception_message": "out of memory", "traceback": ["  File a"]}]]);
                let (word, messages) =
                    if outputs.is_some() { ("success", json!([])) } else { ("error", error) };
                let status =
                    json!({"status_str": word, "completed": outputs.is_some(), "messages": messages});
                let outputs = outputs.unwrap_or_else(|| json!({}));
                ends(json!({"prompt": item, "outputs": outputs, "status": status}));
            }
            Beat::Forget => {
                change(&|of| {
                    of.running.clear();
                    of.sockets.clear();
                });
            }
        }
    }
}

/// Sends messages to a client.
async fn messages(mut stream: TcpStream, head: &str, client: String, state: Arc<Mutex<State>>) {
    let key = head.lines().find(|line| line.to_ascii_lowercase().starts_with("sec-websocket-key:"));
    let key = derive_accept_key(key.unwrap().split_once(':').unwrap().1.trim().as_bytes());
    let accept = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: {key}\r\n\r\n"
    );
    stream.write_all(accept.as_bytes()).await.unwrap();
    let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
    let (sender, mut received) = mpsc::unbounded_channel();
    state.lock().unwrap().sockets.insert(client, sender);
    loop {
        tokio::select! {
            message = received.recv() => match message {
                Some(message) => drop(socket.send(message).await),
                None => break,
            },
            heard = socket.next() => if !matches!(heard, Some(Ok(_))) { break },
        }
    }
}
