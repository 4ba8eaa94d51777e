//! The requests to the head of a Ray cluster.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value as Json;

use crate::config::{RaySettings, TokenSource};
use crate::http::{self, Http, Reach, Redirects};
use crate::secret::SecretSettings;

/// The longest answer that is read, in bytes: the list of all jobs that a head remembers.
const MAX_BYTES: usize = 64 << 20;
/// The longest file with a token, in bytes.
const MAX_TOKEN_BYTES: u64 = 16 << 10;

/// The head of a Ray cluster: cheap to clone.
#[derive(Clone)]
pub(in crate::command::remote) struct Head {
    inner: Arc<Inner>,
}

struct Inner {
    /// The name of the engine.
    engine: String,
    settings: RaySettings,
    secrets: SecretSettings,
    http: Http,
    /// Its token, until it refuses that.
    token: Mutex<Option<String>>,
}

/// What it answered.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Returns whether its text has these words and says that the request failed.
    pub(super) fn says(&self, words: &str) -> bool {
        !self.status.is_success() && String::from_utf8_lossy(&self.body).contains(words)
    }
}

/// Why there is no answer.
pub(super) enum Failure {
    /// The head refuses the token, or there is none: nothing was done.
    Refused(String),
    /// It can't be reached: nothing was sent.
    Unsent(String),
    /// Its answer got lost.
    Unreachable(String),
}

impl Failure {
    pub(super) fn sentence(self) -> String {
        match self {
            Self::Refused(why) | Self::Unsent(why) | Self::Unreachable(why) => why,
        }
    }
}

impl fmt::Debug for Head {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Head").field("address", &self.inner.settings.address).finish_non_exhaustive()
    }
}

impl Head {
    pub(in crate::command::remote) fn new(
        engine: &str,
        settings: RaySettings,
        secrets: SecretSettings,
        http: Http,
    ) -> Self {
        let inner = Inner { engine: engine.to_owned(), settings, secrets, http, token: Mutex::default() };
        Self { inner: Arc::new(inner) }
    }

    /// Returns its address.
    pub(in crate::command::remote) fn address(&self) -> &str {
        &self.inner.settings.address
    }

    /// Returns whether the config says where its token is.
    pub(in crate::command::remote) fn has_token(&self) -> bool {
        self.inner.settings.token.is_some()
    }

    /// Asks it for something below its address.
    pub(super) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Json>,
        limit: Duration,
    ) -> Result<Answer, Failure> {
        let mut request = self.request(method, path, limit)?;
        if let Some(token) = self.plain_token().await.map_err(Failure::Refused)? {
            request = request.header(AUTHORIZATION, self.header(&token).map_err(Failure::Refused)?);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        let answer = self.send(request).await?;
        let engine = &self.inner.engine;
        match answer.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                // The next call asks for it anew.
                self.cached().take();
                let what = if self.has_token() {
                    "refuses the token that"
                } else {
                    "wants a token: set `token`, `token_env` or `token_file`, which"
                };
                Err(Failure::Refused(format!(
                    "{} {what} `[engine.{engine}]` of the config names",
                    self.address()
                )))
            }
            status if status.is_redirection() => Err(Failure::Unreachable(format!(
                "{} redirects elsewhere; set `address` below `[engine.{engine}]` of the config to where the dashboard of the \
                 head is",
                self.address()
            ))),
            _ => Ok(answer),
        }
    }

    /// Asks it without a token. Returns the status of its answer.
    pub(super) async fn call_openly(&self, path: &str, limit: Duration) -> Result<StatusCode, Failure> {
        Ok(self.send(self.request(Method::GET, path, limit)?).await?.status)
    }

    fn request(&self, method: Method, path: &str, limit: Duration) -> Result<RequestBuilder, Failure> {
        // The config names the address, so it may be private. A redirect would carry the token elsewhere.
        let client = self.inner.http.client(Reach::Any, Redirects::Nowhere).map_err(Failure::Refused)?;
        Ok(client.request(method, format!("{}{path}", self.address())).timeout(limit))
    }

    async fn send(&self, request: RequestBuilder) -> Result<Answer, Failure> {
        let unreachable = |error: &reqwest::Error| {
            let why = format!("{} can't be reached: {}", self.address(), http::sentence(error));
            if error.is_connect() { Failure::Unsent(why) } else { Failure::Unreachable(why) }
        };
        let mut response = request.send().await.map_err(|error| unreachable(&error))?;
        let status = response.status();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
            if body.len() + chunk.len() > MAX_BYTES {
                let why = format!(
                    "the answer of {} has more than {} MiB; remove old jobs there by `ray job delete`",
                    self.address(),
                    MAX_BYTES >> 20
                );
                return Err(Failure::Unreachable(why));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, body })
    }

    /// Locks it. Every change leaves it whole, so a poisoned lock is harmless.
    fn cached(&self) -> MutexGuard<'_, Option<String>> {
        self.inner.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the header with its token.
    fn header(&self, token: &str) -> Result<HeaderValue, String> {
        let mut header = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| {
            format!("the token of the engine `{}` has characters that no token has", self.inner.engine)
        })?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// Returns its token, if the config names one.
    ///
    /// # Errors
    /// It can't be read; the sentence does not contain it.
    pub(in crate::command::remote) async fn plain_token(&self) -> Result<Option<String>, String> {
        let Some(source) = &self.inner.settings.token else { return Ok(None) };
        if let Some(known) = &*self.cached() {
            return Ok(Some(known.clone()));
        }
        let engine = &self.inner.engine;
        let token = match source {
            TokenSource::Secret(name) => {
                let secrets = self.inner.secrets.resolve(&BTreeSet::from([name.clone()])).await?;
                secrets.get(name).map(str::to_owned).unwrap_or_default()
            }
            TokenSource::Variable(name) => std::env::var(name).map_err(|_| {
                format!("the token of the engine `{engine}` is in the variable {name}, which the daemon does not have")
            })?,
            TokenSource::File(path) => {
                let path = path.clone();
                tokio::task::spawn_blocking(move || read(&path))
                    .await
                    .map_err(|_| "the token can't be read; see the daemon's log".to_owned())?
                    .map_err(|why| format!("the token of the engine `{engine}`: {why}"))?
            }
        };
        let token = token.trim();
        if token.is_empty() {
            return Err(format!("the token of the engine `{engine}` is empty"));
        }
        crate::secret::check_value(token)
            .map_err(|why| format!("the token of the engine `{engine}` {why}"))?;
        *self.cached() = Some(token.to_owned());
        Ok(Some(token.to_owned()))
    }
}

/// Reads a file with a token. Blocks.
fn read(path: &Path) -> Result<String, String> {
    let failed = |error: std::io::Error| format!("can't read {}: {error}", path.display());
    if std::fs::metadata(path).map_err(failed)?.len() > MAX_TOKEN_BYTES {
        return Err(format!("{} is too large for a token", path.display()));
    }
    std::fs::read_to_string(path).map_err(failed)
}
