//! A graph on its server: submitted once, and withdrawn unless it has ended.

use std::collections::BTreeMap;
use std::time::Duration;

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::Media;
use fanlight_shared::value::Value;
use serde_json::Value as Json;
use tokio::task::JoinHandle;

use super::given::{self, Field};
use crate::comfy::{Graph, Server, ServerError, Socket, Submitted, Ticket, Withdrawn};
use crate::file_error::FileError;
use crate::llm::Provider;
use crate::llm::loads::Lease;
use crate::llm::multipart::Form;
use crate::node_type::NodeCall;
use crate::node_type::retry::{Failure, Retries};
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::services::{DaemonServices, Level};

/// The most bytes of a file that is uploaded: what ComfyUI takes unless it is told otherwise.
const MAX_UPLOAD_BYTES: u64 = 100 << 20;
/// How long a graph that is withdrawn may take to end.
const WITHDRAW_TIMEOUT: Duration = Duration::from_secs(10);
/// How many times to look for a graph of which the server shows nothing.
const MAX_LOOKS: usize = 5;
/// The time between looks at a graph that is withdrawn.
const WITHDRAW_INTERVAL: Duration = Duration::from_millis(200);

/// The graph of one attempt, at most on one server.
#[derive(Default)]
pub(super) struct Prompt {
    /// The server, its place there and the ids; from before the graph is sent.
    pub(super) at: Option<At>,
    /// Sends the graph. It continues when the attempt is cancelled, so that what the server took is known.
    sending: Option<JoinHandle<Result<Submitted, ServerError>>>,
    /// The messages about it, while they are connected.
    pub(super) socket: Option<Socket>,
    /// Whether nothing of it is computed any longer.
    pub(super) ended: bool,
}

pub(super) struct At {
    pub(super) server: Server,
    pub(super) ticket: Ticket,
    /// The id of the graph, once the server has taken it.
    pub(super) id: Option<String>,
    /// Counts the attempt at the server until it ends.
    _lease: Lease,
}

impl Prompt {
    pub(super) fn server(&self) -> Option<&Server> {
        self.at.as_ref().map(|at| &at.server)
    }

    /// Submits a graph to the least busy server, or to the next one if a server can't be reached. Returns the graph
    /// with its fields.
    ///
    /// # Errors
    /// No server can be reached, one refuses the graph, or whether one took it is not known.
    pub(super) async fn submit(
        &mut self,
        call: &NodeCall,
        provider: &Provider,
        graph: Graph,
        fields: Vec<Field>,
    ) -> Result<Graph, FileError> {
        let mut retries = Retries::new(call.inputs.count("retries")?);
        loop {
            let mut refused: Vec<String> = Vec::new();
            let mut urls: Vec<&str> = provider.settings.urls().collect();
            while let Some(lease) = provider.loads.take(urls.iter().copied()) {
                urls.retain(|url| *url != lease.url);
                match self.submit_to(call, provider, lease, graph.clone(), &fields).await? {
                    Ok(graph) => return Ok(graph),
                    Err(why) => {
                        call.services.log(Level::Warn, &why);
                        refused.push(why);
                    }
                }
            }
            retries.wait(&call.services, Failure::Again(refused.join("; "), None)).await?;
        }
    }

    /// Submits a graph to one server. Returns why it can't be reached.
    async fn submit_to(
        &mut self,
        call: &NodeCall,
        provider: &Provider,
        lease: Lease,
        mut graph: Graph,
        fields: &[Field],
    ) -> Result<Result<Graph, String>, FileError> {
        let (server, ticket) = (Server::new(provider.clone(), lease.url.clone()), Ticket::new());
        call.services.progress(None, Some(&format!("connects to {}", server.url)));
        // Nothing was sent before the graph that can't be sent to another server too.
        let socket = match server.connect(&ticket).await {
            Ok(socket) => socket,
            Err(ServerError::Wrong(why) | ServerError::Refused(why)) => return Err(why.into()),
            Err(trouble) => return Ok(Err(trouble.to_string())),
        };
        let names = match upload(call, &server, fields).await? {
            Ok(names) => names,
            Err(ServerError::Wrong(why) | ServerError::Refused(why)) => return Err(why.into()),
            Err(trouble) => return Ok(Err(trouble.to_string())),
        };
        let name = |media: &Media| names.get(&media.hash).cloned().map(Json::from).ok_or_else(String::new);
        given::set(&mut graph, fields.to_vec(), name)?;
        let (sender, json, own) = (server.clone(), graph.json(), ticket.clone());
        self.at = Some(At { server, ticket, id: None, _lease: lease });
        self.socket = Some(socket);
        let sending = self.sending.insert(tokio::spawn(async move { sender.submit(&json, &own).await }));
        let sent = sending.await.map_err(|error| error.to_string())?;
        self.sending = None;
        match self.take(sent) {
            Ok(None) => Ok(Ok(graph)),
            // All of the graph is wanted, and the server would call what it computes a success.
            Ok(Some(left_out)) => {
                Err(format!("the server would leave out a part of the graph: {left_out}").into())
            }
            Err(ServerError::Unreachable(why)) => {
                (self.at, self.socket) = (None, None);
                Ok(Err(why))
            }
            Err(ServerError::Broken(why)) => {
                Err(format!("{why}; whether it took the graph is not known").into())
            }
            Err(ServerError::Refused(why)) => {
                self.ended = true;
                Err(why.into())
            }
            Err(ServerError::Wrong(why)) => Err(why.into()),
        }
    }

    /// Takes the response to a graph that was sent. Returns what is wrong with outputs that the server leaves out.
    fn take(&mut self, sent: Result<Submitted, ServerError>) -> Result<Option<String>, ServerError> {
        let submitted = sent?;
        if let Some(at) = &mut self.at {
            at.id = Some(submitted.id);
        }
        Ok(submitted.left_out)
    }

    /// Takes the graph out of the server's queue or interrupts it, unless it has ended.
    pub(super) async fn withdraw(&mut self, services: &DaemonServices) {
        if let Some(socket) = self.socket.take() {
            socket.close().await;
        }
        let withdrawn = tokio::time::timeout(WITHDRAW_TIMEOUT, async {
            if let Some(sending) = self.sending.take() {
                let sent = sending.await.map_err(|error| ServerError::Broken(error.to_string()));
                // A graph that was refused is not there.
                if let Err(ServerError::Unreachable(_) | ServerError::Refused(_)) =
                    sent.and_then(|sent| self.take(sent))
                {
                    self.ended = true;
                }
            }
            let Some(at) = self.at.as_ref().filter(|_| !self.ended) else { return Ok(()) };
            let mut looks = 0;
            while looks < MAX_LOOKS {
                match at.server.withdraw(&at.ticket, at.id.as_deref()).await? {
                    Withdrawn::Ended => return Ok(()),
                    Withdrawn::Asked => {}
                    Withdrawn::Unknown => looks += 1,
                }
                tokio::time::sleep(WITHDRAW_INTERVAL).await;
            }
            Err(ServerError::Broken("whether it took the graph is not known".to_owned()))
        });
        let why = match withdrawn.await {
            Ok(Ok(())) => return,
            Ok(Err(trouble)) => trouble.to_string(),
            Err(_) => format!("it has not ended within {} s", WITHDRAW_TIMEOUT.as_secs()),
        };
        services.log(Level::Warn, &format!("the server may still compute the graph: {why}"));
    }
}

/// Uploads the files among the fields, each once. Returns their names on the server.
async fn upload(
    call: &NodeCall,
    server: &Server,
    fields: &[Field],
) -> Result<Result<BTreeMap<BlobHash, String>, ServerError>, FileError> {
    let mut names = BTreeMap::new();
    for (field, value) in fields {
        let Value::Media(media) = value else { continue };
        if names.contains_key(&media.hash) {
            continue;
        }
        if media.bytes > MAX_UPLOAD_BYTES {
            return Err(format!(
                "input `set`: `{}` for `{field}` has {} MiB, and at most {} are uploaded",
                media.name,
                media.bytes >> 20,
                MAX_UPLOAD_BYTES >> 20
            )
            .into());
        }
        let (found, blobs) = ((**media).clone(), call.blobs.clone());
        let read = move || {
            let mut reader = blobs.open_media(&found).map_err(|error| error.to_string())?;
            Ok(reader.next(MAX_UPLOAD_BYTES).map_err(|error| error.to_string())?)
        };
        let bytes = call.services.blocking(read).await?;
        // The same file has the same name, so that servers keep one copy of it.
        let hash = media.hash.to_string();
        let name = format!("fanlight-{}.{}", &hash[..hash.len().min(16)], extension(media));
        let form = Form::new(&bytes).field("type", "input").file("image", &name, &media.mime, &bytes);
        match server.upload(&form).await {
            Ok(name) => names.insert(media.hash, name),
            Err(trouble) => return Ok(Err(trouble)),
        };
    }
    Ok(Ok(names))
}

/// Returns the extension of a file: letters and digits of its own, by which ComfyUI tells kinds of files apart.
fn extension(media: &Media) -> String {
    let own = media.ext().to_ascii_lowercase();
    let fits = (1..=8).contains(&own.len()) && own.bytes().all(|it| it.is_ascii_alphanumeric());
    match (fits, media.mime.as_str()) {
        (true, _) => own,
        (false, "image/png") => "png".to_owned(),
        (false, "image/jpeg") => "jpg".to_owned(),
        (false, _) => "bin".to_owned(),
    }
}
