//! `http.download`

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::types::Type;
use fanlight_shared::value::Value;
use reqwest::header::{CONTENT_RANGE, DATE, ETAG, HeaderMap, HeaderValue, IF_RANGE, LAST_MODIFIED, RANGE};
use reqwest::{Response, StatusCode};

use super::build::{Build, ty};
use super::http::{Body, Target, check_ends, name, within};
use super::retry::{Failure, Retries};
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
    .input(
        "open_ended",
        Type::Bool,
        "Whether to accept a response that does not say where it ends, as some old servers send it. If its connection breaks, \
         it is cut, and nobody notices.",
    )
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
    let target = Target::new(call).await?;
    let limit = u64::try_from(call.inputs.int("max_bytes")?).unwrap_or(0);
    let scratch = services.clone();
    let body = services
        .blocking(move || {
            let folder = scratch.scratch().map_err(|error| FileError::of("no scratch folder", &error))?;
            Body::create(&folder.join("received"), limit)
        })
        .await?;
    let mut retries = Retries::new(call.inputs.count("retries")?);
    let found = name(&target.url);
    let mut download = Download { body, version: None, name: found };
    loop {
        match download.take(call, services, &target).await {
            Ok(Progress::Whole) => break,
            Ok(Progress::Part) => {}
            Err(failure) => retries.wait(services, failure).await?,
        }
    }
    let name = call.inputs.maybe("name").and_then(Value::as_text).map_or(download.name, str::to_owned);
    let (blobs, file) = (call.blobs.clone(), download.body.file);
    let publish = move || {
        let mut file = file.try_clone().map_err(|error| FileError::of("the file can't be read", &error))?;
        std::io::Seek::rewind(&mut file).map_err(|error| FileError::of("the file can't be read", &error))?;
        media::publish(&blobs, file, &name)
    };
    let (media, blob) = services.blocking(publish).await?;
    Ok((one("file", Value::from(media)), vec![blob]))
}

/// A download that may take several responses.
struct Download {
    body: Body,
    /// The file on the server that the bytes so far belong to; none if it can't be continued.
    version: Option<Version>,
    name: String,
}

/// What a response brought.
enum Progress {
    /// The rest of the file.
    Whole,
    /// The next bytes, but not all that were requested.
    Part,
}

impl Download {
    /// Takes one response: the rest, or the whole file where it is another one now or the server can't continue.
    async fn take(
        &mut self,
        call: &NodeCall,
        services: &DaemonServices,
        target: &Target,
    ) -> Result<Progress, Failure> {
        let mut request = target.client.get(target.url.clone()).headers(target.headers.clone());
        let resumed = self.version.clone().filter(|_| self.body.bytes > 0);
        if let Some(version) = &resumed {
            let range = format!("bytes={}-", self.body.bytes);
            request = request.header(RANGE, range).header(IF_RANGE, version.validator.value());
        }
        let response = request.send().await.map_err(|error| Failure::of(&error, true))?;
        if let Some(failure) = Failure::of_status(&response, true) {
            return Err(failure);
        }
        match (response.status(), resumed) {
            (StatusCode::PARTIAL_CONTENT, Some(version)) => self.resume(services, response, &version).await,
            (StatusCode::RANGE_NOT_SATISFIABLE, Some(_)) => Err(self.restart()),
            (StatusCode::OK | StatusCode::NON_AUTHORITATIVE_INFORMATION, _) => {
                check_ends(&call.inputs, &response)?;
                self.begin(services, response).await
            }
            (status, _) => Err(format!("the server answered {status}").into()),
        }
    }

    /// Takes the file from its beginning.
    async fn begin(&mut self, services: &DaemonServices, response: Response) -> Result<Progress, Failure> {
        self.body.bytes = 0;
        let file = Arc::clone(&self.body.file);
        let empty =
            move || file.set_len(0).map_err(|error| FileError::of("the file can't be stored", &error));
        services.blocking(empty).await?;
        self.version = Version::of(&response);
        self.name = name(response.url());
        self.body.take(services, response, true).await?;
        Ok(Progress::Whole)
    }

    /// Takes a range of the file, if it is the next one of the same file.
    async fn resume(
        &mut self,
        services: &DaemonServices,
        response: Response,
        version: &Version,
    ) -> Result<Progress, Failure> {
        let begin = self.body.bytes;
        let range = ContentRange::of(response.headers());
        // A secret that begins in one range and ends in the next would not be found.
        let is_safe = |range: &ContentRange| range.end == range.all || services.secrets().is_empty();
        let is_next = |range: &ContentRange| range.begin == begin && version.includes(range, &response);
        let Some(range) = range.filter(|range| is_next(range) && is_safe(range)) else {
            return Err(self.restart());
        };
        let taken = self.body.take(services, response, true).await;
        if self.body.bytes > range.end || taken.is_ok() && self.body.bytes < range.end {
            return Err(self.restart());
        }
        taken?;
        Ok(if range.end == range.all { Progress::Whole } else { Progress::Part })
    }

    /// Lets the next try take the file from its beginning, at once: the server is there.
    fn restart(&mut self) -> Failure {
        (self.body.bytes, self.version) = (0, None);
        Failure::Again("the server can't continue the file".into(), Some(Duration::ZERO))
    }
}

/// A file on the server at one moment.
#[derive(Clone)]
struct Version {
    validator: Validator,
    /// Its length, in bytes.
    length: u64,
}

#[derive(Clone)]
enum Validator {
    Tag(HeaderValue),
    Date(HeaderValue),
}

impl Version {
    /// Returns the version of a whole file. None if the headers may be those of other bytes too, or if nobody could say
    /// whether a continued file is whole.
    fn of(response: &Response) -> Option<Self> {
        Some(Self { validator: Validator::of(response.headers())?, length: response.content_length()? })
    }

    /// Returns whether a range is a part of this file.
    fn includes(&self, range: &ContentRange, response: &Response) -> bool {
        let same = match &self.validator {
            // A partial response has the tag of its file.
            Validator::Tag(tag) => response.headers().get(ETAG) == Some(tag),
            // It may leave out the date, which the condition has compared.
            Validator::Date(date) => response.headers().get(LAST_MODIFIED).is_none_or(|other| other == date),
        };
        same && range.all == self.length
    }
}

impl Validator {
    fn of(headers: &HeaderMap) -> Option<Self> {
        if let Some(tag) = headers.get(ETAG) {
            // A weak tag may be that of other bytes too.
            return (!tag.as_bytes().starts_with(b"W/")).then(|| Self::Tag(tag.clone()));
        }
        // A file that changed twice within a second has one date.
        let date = |name| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?).ok();
        let age = date(&DATE)?.duration_since(date(&LAST_MODIFIED)?).ok()?;
        (age >= Duration::from_secs(1)).then(|| headers.get(LAST_MODIFIED).cloned().map(Self::Date))?
    }

    fn value(&self) -> HeaderValue {
        match self {
            Self::Tag(value) | Self::Date(value) => value.clone(),
        }
    }
}

/// The bytes that a partial response holds.
struct ContentRange {
    begin: u64,
    /// The position after the last byte.
    end: u64,
    /// The length of the whole file.
    all: u64,
}

impl ContentRange {
    /// Reads `bytes 100-199/200`.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let text = headers.get(CONTENT_RANGE)?.to_str().ok()?;
        let (range, all) = text.trim().strip_prefix("bytes ")?.split_once('/')?;
        let (begin, last) = range.split_once('-')?;
        let number = |text: &str| text.trim().parse::<u64>().ok();
        let range = Self { begin: number(begin)?, end: number(last)?.checked_add(1)?, all: number(all)? };
        (range.begin < range.end && range.end <= range.all).then_some(range)
    }
}
