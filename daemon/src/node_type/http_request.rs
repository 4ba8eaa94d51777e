//! `http.request`

use fanlight_shared::media::MediaKind;
use fanlight_shared::node_type::Effects;
use fanlight_shared::sanitise;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut, json};
use indexmap::IndexMap;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use reqwest::{Method, RequestBuilder, Response, StatusCode};

use super::build::{Build, ty};
use super::http::{Body, Target, check_ends, name, object, within};
use super::retry::{Failure, Retries};
use super::typed_inputs::TypedInputs;
use super::{Made, NodeCall, NodeType, Runner};
use crate::content;
use crate::file_error::FileError;
use crate::media;
use crate::services::DaemonServices;

/// The longest text or JSON, in bytes; what is longer is taken as a file.
const MAX_TEXT_BYTES: u64 = 8 << 20;
/// The most characters of the body of an error that are shown.
const MAX_ERROR_TEXT: usize = 200;
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
/// Methods that change nothing.
const SAFE: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

pub(super) fn node_type() -> NodeType {
    Build::new("http.request", "Sends an HTTP request and returns the response as JSON, text or a file.")
        .effects(Effects::External)
        .safe("method", &SAFE, Effects::None)
        .input("url", Type::Text, "The URL to send the request to.")
        .secret()
        .input(
            "method",
            Type::Choice,
            "The method; `GET`, `HEAD` and `OPTIONS` change nothing and may be repeated.",
        )
        .default("GET")
        .choices(&METHODS)
        .input("headers", Type::Json, "The headers of the request, as an object.")
        .optional()
        .secret()
        .input("bearer", Type::Text, "A token to send as `Authorization: Bearer TOKEN`.")
        .optional()
        .secret()
        .input(
            "query",
            Type::Json,
            "Parameters to add to the query of the URL, as an object; a list adds a parameter for each item.",
        )
        .optional()
        .secret()
        .input("json", Type::Any, "A value to send as JSON in the body.")
        .optional()
        .secret()
        .input("form", Type::Json, "Fields to send as a form in the body, as an object.")
        .optional()
        .secret()
        .input("body", Type::Text, "Text to send as the body.")
        .optional()
        .secret()
        .input("file", ty::file(), "A file to send as the body.")
        .optional()
        .input("take", Type::Choice, "How to return the response; `auto` goes by its content type.")
        .default("auto")
        .choices(&["auto", "json", "text", "file"])
        .input(
            "any_status",
            Type::Bool,
            "Whether to accept any response, such as an error or a redirect that is not followed, instead of failing.",
        )
        .default(false)
        .input("timeout", Type::Float, "The maximum time for the whole transfer, in seconds.")
        .default(60.0)
        .range(0.001, 86_400.0)
        .input("max_bytes", Type::Int, "The maximum size of the response's body, in bytes.")
        .default(100_000_000_i64)
        .range(0.0, 1e12)
        .input(
            "retries",
            Type::Int,
            "The maximum number of retries after a temporary failure, if repeating the request is safe.",
        )
        .default(2_i64)
        .range(0.0, 20.0)
        .input("local", Type::Bool, "Whether to allow requests to this machine and to private networks.")
        .default(false)
        .input(
            "open_ended",
            Type::Bool,
            "Whether to accept a response that does not say where it ends, as some old servers send it. If its connection \
             breaks, it is cut, and nobody notices.",
        )
        .default(false)
        .output("status", Type::Int, "The status code of the response.")
        .output("headers", Type::Json, "The headers of the response.")
        .output("json", Type::Json, "The body, if it is returned as JSON.")
        .output("text", Type::Text, "The body, if it is returned as text.")
        .output("file", ty::file(), "The body, if it is returned as a file.")
        .run(Runner::daemon(run))
}

async fn run(mut call: NodeCall) -> Made {
    let services = call.services.clone();
    let timeout = call.inputs.float("timeout")?;
    call.inputs = {
        let (inputs, blobs) = (call.inputs.clone(), call.blobs.clone());
        let read =
            move || Ok(content::whole(inputs.clone(), &blobs).map_err(|error| format!("input {error}"))?);
        services.blocking(read).await?
    };
    let work = exchange(&call, &services);
    within(&services, timeout, work).await
}

async fn exchange(call: &NodeCall, services: &DaemonServices) -> Made {
    let target = Target::new(call).await?;
    let safe = SAFE.contains(&call.inputs.text("method")?);
    let mut retries = Retries::new(call.inputs.count("retries")?);
    loop {
        let failure = match one(call, services, &target, safe).await {
            Ok(made) => return Ok(made),
            Err(failure) => failure,
        };
        retries.wait(services, failure).await?;
    }
}

async fn one(
    call: &NodeCall,
    services: &DaemonServices,
    target: &Target,
    safe: bool,
) -> Result<(Values, Vec<crate::store::blob::Published>), Failure> {
    let request = request(call, services, target).await?;
    let response = request.send().await.map_err(|error| Failure::of(&error, safe))?;
    if !call.inputs.flag("any_status")?
        && let Some(failure) = Failure::of_status(&response, safe)
    {
        return Err(failure);
    }
    take(call, services, response, safe).await
}

/// Returns the request that the inputs describe.
async fn request(
    call: &NodeCall,
    services: &DaemonServices,
    target: &Target,
) -> Result<RequestBuilder, FileError> {
    let inputs = &call.inputs;
    let method = Method::from_bytes(inputs.text("method")?.as_bytes())
        .map_err(|_| "input `method` is not a method".to_owned())?;
    let query = pairs(inputs, "query")?;
    let mut request = target.client.request(method, target.url.clone()).headers(target.headers.clone());
    if !query.is_empty() {
        request = request.query(&query);
    }
    let bodies: Vec<&str> =
        ["json", "form", "body", "file"].into_iter().filter(|name| inputs.maybe(name).is_some()).collect();
    match &bodies[..] {
        [] => Ok(request),
        ["json"] => {
            let value = inputs.value("json")?;
            if value.has_media() {
                return Err("input `json`: a file can't be sent as JSON; send it with `file`".into());
            }
            let typed = target.headers.contains_key(CONTENT_TYPE);
            let request = if typed { request } else { request.header(CONTENT_TYPE, "application/json") };
            Ok(request.body(value.to_json().to_string()))
        }
        ["form"] => Ok(request.form(&pairs(inputs, "form")?)),
        ["body"] => Ok(request.body(inputs.text("body")?.to_owned())),
        ["file"] => {
            let media = inputs.value("file")?.as_media().cloned().ok_or("input `file` is not a file")?;
            if media.kind == MediaKind::Dir {
                return Err("input `file`: a folder can't be sent".into());
            }
            let typed = target.headers.contains_key(CONTENT_TYPE);
            let request = if typed { request } else { request.header(CONTENT_TYPE, media.mime.clone()) };
            let (blobs, scratch) = (call.blobs.clone(), services.clone());
            let bytes = media.bytes;
            let file = services
                .blocking(move || {
                    let folder =
                        scratch.scratch().map_err(|error| FileError::of("no scratch folder", &error))?;
                    let path = folder.join("sent");
                    // A try before this one may have left it.
                    let _ = std::fs::remove_file(&path);
                    blobs.materialise(&media, &path)?;
                    std::fs::File::open(&path)
                        .map_err(|error| FileError::of("the file can't be read", &error))
                })
                .await?;
            Ok(request.header(CONTENT_LENGTH, bytes).body(tokio::fs::File::from_std(file)))
        }
        [one] => Err(format!("input `{one}` can't be sent").into()),
        [first, second, ..] => {
            Err(format!("`{first}` and `{second}` are both given, but a request has only one body").into())
        }
    }
}

/// Returns the entries of an object as pairs of texts; a list gives a pair for each of its items.
fn pairs(inputs: &Values, name: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    for (key, value) in object(inputs, name)? {
        let items = match value {
            Value::List(items) => items,
            Value::None => Vec::new(),
            one => vec![one],
        };
        for item in items {
            let text = item.to_text().map_err(|error| format!("input `{name}`: `{key}`: {error}"))?;
            pairs.push((key.clone(), text));
        }
    }
    Ok(pairs)
}

/// Takes the response.
async fn take(
    call: &NodeCall,
    services: &DaemonServices,
    response: Response,
    safe: bool,
) -> Result<(Values, Vec<crate::store::blob::Published>), Failure> {
    let status = response.status();
    let kind = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|it| it.to_str().ok())
        .unwrap_or_default()
        .to_lowercase();
    let mut headers: IndexMap<String, Value> = IndexMap::new();
    for key in response.headers().keys() {
        let all = response.headers().get_all(key).iter().map(|it| String::from_utf8_lossy(it.as_bytes()));
        headers.insert(key.as_str().to_owned(), all.collect::<Vec<_>>().join(", ").into());
    }
    // Cut, the target could show a part of a secret.
    let redirect = if services.secrets().is_empty() { redirect(&response) } else { String::new() };
    let name = name(response.url());
    let limit = u64::try_from(call.inputs.int("max_bytes")?).unwrap_or(0);
    let scratch = services.clone();
    let path = services
        .blocking(move || {
            let folder = scratch.scratch().map_err(|error| FileError::of("no scratch folder", &error))?;
            Ok(folder.join("received"))
        })
        .await?;
    let mut body = {
        let path = path.clone();
        services.blocking(move || Body::create(&path, limit)).await?
    };
    // The answer to a condition among the headers is a result. A redirect is not: what was to be done isn't done.
    let taken = status.is_success() || status == StatusCode::NOT_MODIFIED;
    body.masks = !taken && !call.inputs.flag("any_status")?;
    let ends = check_ends(&call.inputs, &response);
    body.take(services, response, safe).await?;
    if body.masks {
        let text = services.blocking(move || Ok(beginning(&path))).await?;
        return Err(format!("the server answered {status}{redirect}{text}").into());
    }
    if body.bytes > 0 {
        ends?;
    }
    let wanted = call.inputs.text("take")?.to_owned();
    let as_json = wanted == "json" || wanted == "auto" && kind.contains("json");
    let as_text = wanted == "text"
        || wanted == "auto"
            && (kind.starts_with("text/") || kind.contains("xml") || kind.contains("javascript"));
    let mut values = Values::from([
        ("status".to_owned(), Value::Int(i64::from(status.as_u16()))),
        ("headers".to_owned(), Value::Object(headers)),
    ]);
    if body.bytes == 0 && wanted == "auto" {
        return Ok((values, Vec::new()));
    }
    if (as_json || as_text) && (body.bytes <= MAX_TEXT_BYTES || wanted != "auto") {
        if body.bytes > MAX_TEXT_BYTES {
            let most = MAX_TEXT_BYTES >> 20;
            return Err(format!("the response has more than {most} MiB; set `take: file`").into());
        }
        let read = path.clone();
        let bytes = services
            .blocking(move || {
                std::fs::read(&read).map_err(|error| FileError::of("the body can't be read", &error))
            })
            .await?;
        match (String::from_utf8(bytes), as_json) {
            (Ok(text), true) => match json::parse(&text) {
                Ok(json) => {
                    values.insert("json".to_owned(), Value::from_json(json));
                    return Ok((values, Vec::new()));
                }
                Err(error) => {
                    return Err(format!("the response can't be read as JSON: {error}").into());
                }
            },
            (Ok(text), false) => {
                values.insert("text".to_owned(), text.into());
                return Ok((values, Vec::new()));
            }
            (Err(_), _) if wanted != "auto" => {
                return Err("the response is not UTF-8 text; set `take: file`".into());
            }
            (Err(_), _) => {}
        }
    }
    let blobs = call.blobs.clone();
    let (media, blob) = services
        .blocking(move || {
            let file = std::fs::File::open(&path)
                .map_err(|error| FileError::of("the body can't be read", &error))?;
            media::publish(&blobs, file, &name)
        })
        .await?;
    values.insert("file".to_owned(), Value::from(media));
    Ok((values, vec![blob]))
}

/// Returns the target of a redirect that was not followed, for the sentence of its error.
fn redirect(response: &Response) -> String {
    match response.headers().get(LOCATION).filter(|_| response.status().is_redirection()) {
        Some(target) => {
            let target = sanitise::line(&String::from_utf8_lossy(target.as_bytes()));
            format!(" to `{}`, which was not followed", cut(&target, MAX_ERROR_TEXT))
        }
        None => String::new(),
    }
}

/// Returns the beginning of the body of an error, for its sentence.
fn beginning(path: &std::path::Path) -> String {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(1000).read_to_end(&mut bytes));
    let text = sanitise::line(&String::from_utf8_lossy(&bytes));
    match (read, text.trim()) {
        (Ok(1..), text) if !text.is_empty() => format!(": {}", cut(text, MAX_ERROR_TEXT)),
        _ => String::new(),
    }
}
