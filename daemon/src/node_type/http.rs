//! Shared code of the `http.*` types: a request from inputs, and a body that goes to a file.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::sanitise;
use fanlight_shared::value::{Value, Values, cut};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Response, Url};

use super::NodeCall;
use super::retry::Failure;
use super::typed_inputs::TypedInputs;
use crate::file_error::FileError;
use crate::http::{Reach, Redirects};
use crate::secret::{MaskStream, contains};
use crate::services::DaemonServices;

/// The bytes of a body that are written at once.
const BUFFER: usize = 256 << 10;

/// The client, the URL and the headers of a request.
pub(super) struct Target {
    pub(super) client: Client,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
}

impl Target {
    /// Reads it from the inputs `url`, `headers`, `bearer` and `local`. A request with secrets isn't redirected to
    /// another server.
    pub(super) async fn new(call: &NodeCall) -> Result<Self, String> {
        let reach = if call.inputs.flag("local")? { Reach::Any } else { Reach::Public };
        let (services, secrets) = (call.services.http(), call.services.secrets());
        let url = call.inputs.text("url")?;
        let url = services.check(url, reach).await.map_err(|error| match secrets.find(url) {
            // The message would be cut, perhaps within the secret.
            Some(name) => {
                format!("input `url`, which contains the secret `{name}`, is no URL that may be asked")
            }
            None => error,
        })?;
        let mut headers = HeaderMap::new();
        for (name, value) in object(&call.inputs, "headers")? {
            let wrong =
                || format!("input `headers`: `{}` can't be a header", cut(&sanitise::line(&name), 60));
            let text = value.to_text().map_err(|error| format!("input `headers`: `{name}`: {error}"))?;
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?;
            headers.append(name, HeaderValue::from_str(text.trim()).map_err(|_| wrong())?);
        }
        if call.inputs.maybe("bearer").is_some() {
            if headers.contains_key(AUTHORIZATION) {
                return Err("`bearer` and the header `Authorization` are both given".into());
            }
            let value = HeaderValue::from_str(&format!("Bearer {}", call.inputs.text("bearer")?.trim()));
            let mut value = value.map_err(|_| "input `bearer` can't be a header")?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let redirects = if secrets.is_empty() { Redirects::Anywhere } else { Redirects::SameOrigin };
        Ok(Self { client: services.client(reach, redirects)?, url, headers })
    }
}

/// Returns the entries of an input that is an object; none where it is left out.
pub(super) fn object(inputs: &Values, name: &str) -> Result<Vec<(String, Value)>, String> {
    match inputs.maybe(name) {
        None => Ok(Vec::new()),
        Some(Value::Object(map)) => Ok(map.iter().map(|(key, value)| (key.clone(), value.clone())).collect()),
        Some(other) => Err(format!("input `{name}`: expected an object, got {}", other.type_of())),
    }
}

/// Checks that a response says where it ends, unless the input `open_ended` accepts others.
///
/// # Errors
/// A sentence.
pub(super) fn check_ends(inputs: &Values, response: &Response) -> Result<(), String> {
    if inputs.flag("open_ended")? {
        return Ok(());
    }
    crate::http::check_ends(response).map_err(|why| format!("{why}; `open_ended: true` accepts it"))
}

/// Returns the name of the file at a URL, for people.
pub(super) fn name(url: &Url) -> String {
    let last = url.path_segments().and_then(|mut it| it.rfind(|part| !part.is_empty()));
    last.map_or_else(|| url.host_str().unwrap_or("response").to_owned(), str::to_owned)
}

/// A body on its way to a file.
pub(super) struct Body {
    pub(super) file: Arc<File>,
    /// The number of bytes received so far.
    pub(super) bytes: u64,
    /// The most that are taken.
    pub(super) limit: u64,
    /// Whether secrets in it are masked, because only an error shows it. Otherwise a body with a secret is refused,
    /// since it would be stored.
    pub(super) masks: bool,
}

impl Body {
    /// Creates an empty file at this path. Blocks.
    pub(super) fn create(path: &Path, limit: u64) -> Result<Self, FileError> {
        let file = File::options().read(true).write(true).create(true).truncate(true).open(path);
        let file = file.map_err(|error| FileError::of("the body can't be stored", &error))?;
        Ok(Self { file: Arc::new(file), bytes: 0, limit, masks: false })
    }

    /// Takes what comes, with progress. What was taken stays when the connection breaks.
    pub(super) async fn take(
        &mut self,
        services: &DaemonServices,
        mut response: Response,
        safe: bool,
    ) -> Result<(), Failure> {
        let all = response.content_length().map(|rest| self.bytes + rest);
        if all.is_some_and(|all| all > self.limit) {
            return Err(self.too_long().into());
        }
        let mut buffer = Vec::new();
        // What it holds back is not written, so a download that continues asks for it again.
        let mut mask = services.secrets().stream();
        let ended = loop {
            match (response.chunk().await, &mut mask) {
                (Ok(Some(chunk)), None) => buffer.extend_from_slice(&chunk),
                (Ok(Some(chunk)), Some(mask)) => {
                    mask.push(&chunk, &mut buffer);
                    self.check(services, mask)?;
                }
                (Ok(None), mask) => {
                    if let Some(mask) = mask {
                        mask.finish(&mut buffer);
                        self.check(services, mask)?;
                    }
                    break Ok(());
                }
                (Err(error), _) => break Err(Failure::of(&error, safe)),
            }
            if self.bytes + buffer.len() as u64 > self.limit {
                return Err(self.too_long().into());
            }
            if buffer.len() >= BUFFER {
                self.write(services, std::mem::take(&mut buffer)).await?;
                let fraction = all.map(|all| self.bytes as f64 / all.max(1) as f64);
                services.progress(fraction, Some(&format!("{} KB", self.bytes / 1000)));
            }
        };
        self.write(services, buffer).await?;
        ended
    }

    fn check(&self, services: &DaemonServices, mask: &MaskStream) -> Result<(), FileError> {
        match services.secrets().name(mask) {
            Some(name) if !self.masks => Err(format!("the response {}", contains(name)).into()),
            _ => Ok(()),
        }
    }

    fn too_long(&self) -> FileError {
        format!("the body has more than {} bytes, the limit set by `max_bytes`", self.limit).into()
    }

    /// Writes at the end; waits while the disk is full.
    async fn write(&mut self, services: &DaemonServices, buffer: Vec<u8>) -> Result<(), FileError> {
        let (file, at, length) = (Arc::clone(&self.file), self.bytes, buffer.len() as u64);
        let write = move || {
            file.write_all_at(&buffer, at).map_err(|error| FileError::of("the body can't be stored", &error))
        };
        services.blocking(write).await?;
        self.bytes += length;
        Ok(())
    }
}

/// Does the work unless the attempt is cancelled, which closes its connection at once, or it takes too long.
pub(super) async fn within<T>(
    services: &DaemonServices,
    seconds: f64,
    work: impl Future<Output = Result<T, FileError>>,
) -> Result<T, FileError> {
    tokio::select! {
        biased;
        () = services.cancel().cancelled() => Err("cancelled".into()),
        done = tokio::time::timeout(Duration::from_secs_f64(seconds), work) => {
            done.unwrap_or_else(|_| {
                let trouble = services.trouble().map(|why| format!("; the last trouble: {why}"));
                let trouble = trouble.unwrap_or_default();
                Err(format!("it took longer than {seconds} s, the limit set by `timeout`{trouble}").into())
            })
        }
    }
}

#[cfg(test)]
mod tests;
