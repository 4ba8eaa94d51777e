//! The files that a graph made.

use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::value::{Value, Values};
use reqwest::StatusCode;
use serde_json::Value as Json;

use crate::comfy::{Entry, Graph, MadeFile, Server, ServerError};
use crate::file_error::FileError;
use crate::http::check_ends;
use crate::node_type::http::Body;
use crate::node_type::llm::stored::received;
use crate::node_type::retry::{Failure, Retries};
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall};
use crate::store::blob::Published;

/// The most files of one graph.
const MAX_FILES: usize = 10_000;

/// Fetches the files of a graph: those of `take`, else all that were saved, else all that were shown.
///
/// # Errors
/// A node of `take` made none, the graph made nothing at all, or a file can't be fetched.
pub(super) async fn fetch(
    call: &NodeCall,
    server: &Server,
    graph: &Graph,
    entry: &Entry,
    take: Option<&[String]>,
) -> Made {
    let wanted = wanted(graph, entry, take)?;
    if wanted.is_empty() && entry.outputs.is_empty() {
        return Err("the graph made nothing that can be fetched: it needs a node such as SaveImage".into());
    }
    if wanted.len() > MAX_FILES {
        return Err(
            format!("the graph made {} files, and at most {MAX_FILES} are fetched", wanted.len()).into()
        );
    }
    let mut found = Vec::new();
    for (at, file) in wanted.iter().enumerate() {
        let words = format!("fetches {} of {}", at + 1, wanted.len());
        call.services.progress(None, Some(&words));
        found.push(one(call, server, file, at).await?);
    }
    let shown = Value::from_json(Json::Object(entry.outputs.clone()));
    Ok(outputs(found, shown))
}

/// Returns the outputs of the node, each file among those of its kind.
pub(super) fn outputs(found: Vec<(Media, Published)>, shown: Value) -> (Values, Vec<Published>) {
    let of = |wanted: &dyn Fn(MediaKind) -> bool| {
        let media = found.iter().map(|(media, _)| media).filter(|media| wanted(media.kind));
        Value::List(media.cloned().map(Value::from).collect())
    };
    let is = |kind: MediaKind| move |it: MediaKind| it == kind;
    let known = [MediaKind::Image, MediaKind::Audio, MediaKind::Video];
    let values = [
        ("images", of(&is(MediaKind::Image))),
        ("audio", of(&is(MediaKind::Audio))),
        ("videos", of(&is(MediaKind::Video))),
        ("files", of(&|kind| !known.contains(&kind))),
        ("shown", shown),
    ];
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    (values, found.into_iter().map(|(_, published)| published).collect())
}

/// Returns the files to fetch, in the order of their nodes. A file that two fields show is fetched once.
fn wanted(graph: &Graph, entry: &Entry, take: Option<&[String]>) -> Result<Vec<MadeFile>, String> {
    // A node that the server made from one of the graph has the id of that one before a dot.
    let own = graph.ids().map(str::to_owned);
    let others = entry.outputs.keys().filter(|id| graph.class(id).is_none()).cloned();
    let ids: Vec<String> = take.map_or_else(|| own.chain(others).collect(), <[String]>::to_vec);
    let mut files: Vec<MadeFile> = Vec::new();
    for id in &ids {
        let made = entry.files(id);
        if take.is_some() && made.is_empty() {
            return Err(format!("input `take`: node `{id}` made no files"));
        }
        for (_, file) in made {
            if !files.contains(&file) {
                files.push(file);
            }
        }
    }
    let saved = files.iter().any(|file| file.folder == "output");
    files.retain(|file| take.is_some() || !saved || file.folder == "output");
    Ok(files)
}

/// Fetches one file.
async fn one(
    call: &NodeCall,
    server: &Server,
    file: &MadeFile,
    at: usize,
) -> Result<(Media, Published), FileError> {
    let services = &call.services;
    let limit = u64::try_from(call.inputs.int("max_bytes")?).unwrap_or(0);
    let mut retries = Retries::new(call.inputs.count("retries")?);
    loop {
        let (scratch, part) = (services.clone(), format!("made-{at}"));
        let create = move || {
            let folder = scratch.scratch().map_err(|error| FileError::of("no scratch folder", &error))?;
            Body::create(&folder.join(&part), limit)
        };
        let mut body = services.blocking(create).await?;
        if let Err(failure) = take(call, server, file, &mut body).await {
            retries.wait(services, failure).await?;
            continue;
        }
        let (media, published) = received(call, body, &file.name).await?;
        if media.bytes == 0 {
            return Err(format!("the file `{}` of the graph is empty", media.name).into());
        }
        return Ok((media, published));
    }
}

async fn take(call: &NodeCall, server: &Server, file: &MadeFile, body: &mut Body) -> Result<(), Failure> {
    let response = match server.view(file).await {
        Ok(response) => response,
        Err(ServerError::Wrong(why) | ServerError::Refused(why)) => return Err(FileError::from(why).into()),
        Err(trouble) => return Err(Failure::Again(trouble.to_string(), None)),
    };
    if let Some(failure) = Failure::of_status(&response, true) {
        return Err(failure);
    }
    let name = fanlight_shared::sanitise::line(&file.name);
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => {
            return Err(
                FileError::from(format!("the server no longer has the file `{name}` of the graph")).into()
            );
        }
        status => {
            return Err(FileError::from(format!("the server answered {status} for the file `{name}`")).into());
        }
    }
    check_ends(&response).map_err(|why| FileError::from(format!("the file `{name}`: {why}")))?;
    body.take(&call.services, response, true).await
}
