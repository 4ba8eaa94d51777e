//! `http.download`

use fanlight_shared::types::Type;
use fanlight_shared::value::Value;
use reqwest::StatusCode;
use reqwest::header::{CONTENT_RANGE, ETAG, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};

use super::build::{Build, ty};
use super::http::{Body, Failure, Retries, Target, name, within};
use super::typed_inputs::{TypedInputs, one};
use super::{Made, NodeCall, NodeType, Runner};
use crate::file_error::FileError;
use crate::media;
use crate::services::DaemonServices;

pub(super) fn node_type() -> NodeType {
    Build::new(
        "http.download",
        "Downloads a file; an interrupted download is resumed if the server supports that.",
    )
    .input("url", Type::Text, "The URL of the file.")
    .secret()
    .input("headers", Type::Json, "The headers of the request, as an object.")
    .optional()
    .secret()
    .input("bearer", Type::Text, "A token to send as `Authorization: Bearer TOKEN`.")
    .optional()
    .secret()
    .input("name", Type::Text, "The name of the file; the name in the URL by default.")
    .optional()
    .input("timeout", Type::Float, "The maximum time for the whole transfer, in seconds.")
    .default(3600.0)
    .range(0.001, 86_400.0)
    .input("max_bytes", Type::Int, "The maximum size of the file, in bytes.")
    .default(10_000_000_000_i64)
    .range(0.0, 1e12)
    .input("retries", Type::Int, "The maximum number of times to resume after the connection breaks.")
    .default(5_i64)
    .range(0.0, 100.0)
    .input("local", Type::Bool, "Whether to allow downloads from this machine and from private networks.")
    .default(false)
    .output("file", ty::file(), "The file.")
    .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let services = call.services.clone();
    let timeout = call.inputs.float("timeout")?;
    within(&services, timeout, download(&call, &services)).await
}

async fn download(call: &NodeCall, services: &DaemonServices) -> Made {
    let target = Target::new(call)?;
    let limit = u64::try_from(call.inputs.int("max_bytes")?).unwrap_or(0);
    let scratch = services.clone();
    let mut body = services
        .blocking(move || {
            let folder = scratch.scratch().map_err(|error| FileError::of("no scratch folder", &error))?;
            Body::create(&folder.join("received"), limit)
        })
        .await?;
    let mut retries = Retries::new(call.inputs.count("retries")?);
    let mut version = None;
    let mut found = name(&target.url);
    while let Err(failure) = more(services, &target, &mut body, &mut version, &mut found).await {
        retries.wait(services, failure).await?;
    }
    let name = call.inputs.maybe("name").and_then(Value::as_text).map_or(found, str::to_owned);
    let (blobs, file) = (call.blobs.clone(), body.file);
    let publish = move || {
        let mut file = file.try_clone().map_err(|error| FileError::of("the file can't be read", &error))?;
        std::io::Seek::rewind(&mut file).map_err(|error| FileError::of("the file can't be read", &error))?;
        media::publish(&blobs, file, &name)
    };
    let (media, blob) = services.blocking(publish).await?;
    Ok((one("file", Value::from(media)), vec![blob]))
}

/// Takes the rest, or all of it where the server has another file now or can't go on. `version` names the file that the
/// bytes so far are of.
async fn more(
    services: &DaemonServices,
    target: &Target,
    body: &mut Body,
    version: &mut Option<HeaderValue>,
    found: &mut String,
) -> Result<(), Failure> {
    let mut request = target.client.get(target.url.clone()).headers(target.headers.clone());
    let resumes = version.as_ref().filter(|_| body.bytes > 0);
    if let Some(version) = resumes {
        request = request.header(RANGE, format!("bytes={}-", body.bytes)).header(IF_RANGE, version.clone());
    }
    let resumes = resumes.is_some();
    let response = request.send().await.map_err(|error| Failure::of(&error, true))?;
    if let Some(failure) = Failure::of_status(&response, true) {
        return Err(failure);
    }
    match response.status() {
        StatusCode::PARTIAL_CONTENT
            if resumes && goes_on(response.headers().get(CONTENT_RANGE), body.bytes) => {}
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE if resumes => {
            (body.bytes, *version) = (0, None);
            return Err(Failure::Again("the server can't go on where it was".into(), None));
        }
        status if status.is_success() => {
            body.bytes = 0;
            let file = body.file.clone();
            services
                .blocking(move || {
                    file.set_len(0).map_err(|error| FileError::of("the file can't be stored", &error))
                })
                .await?;
        }
        status => return Err(format!("the server answered {status}").into()),
    }
    *version =
        strong(response.headers().get(ETAG)).or_else(|| response.headers().get(LAST_MODIFIED).cloned());
    *found = name(response.url());
    body.take(services, response, true).await
}

/// A tag that is the same only for the same bytes.
fn strong(tag: Option<&HeaderValue>) -> Option<HeaderValue> {
    tag.filter(|tag| !tag.as_bytes().starts_with(b"W/")).cloned()
}

/// Whether `bytes 100-199/200` goes on after this many bytes.
fn goes_on(range: Option<&HeaderValue>, bytes: u64) -> bool {
    let begin = range.and_then(|it| {
        it.to_str().ok()?.trim().strip_prefix("bytes ")?.split('-').next()?.trim().parse().ok()
    });
    begin == Some(bytes)
}
