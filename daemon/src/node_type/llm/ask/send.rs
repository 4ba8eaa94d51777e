//! Requests and refusals.

use reqwest::header::{LOCATION, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};

use super::{AskError, Asker};
use crate::http;
use crate::node_type::retry::{Failure, retry_after};

/// How much of the body of an error is read, in bytes.
const MAX_ERROR_BYTES: usize = 64 << 10;

impl Asker {
    /// Sends a request and returns its response, if that is a success.
    pub(super) async fn send(&self, request: RequestBuilder, number: usize) -> Result<Response, AskError> {
        let request = match &self.key {
            Some(key) => request.header("idempotency-key", format!("{key}.{number}")),
            None => request,
        };
        // Nothing of a result has come, so that it may be tried again.
        let response = request.send().await.map_err(|error| Failure::of(&error, true))?;
        if response.status().is_success() { Ok(response) } else { Err(self.refusal(response).await) }
    }

    /// Returns the trouble that a response other than success means.
    async fn refusal(&self, response: Response) -> AskError {
        let (status, name) = (response.status(), &self.provider.name);
        let wait = response.headers().get(RETRY_AFTER).and_then(retry_after);
        let location =
            response.headers().get(LOCATION).map(|it| String::from_utf8_lossy(it.as_bytes()).into_owned());
        if let Some(location) = location.filter(|_| status.is_redirection()) {
            let location = self.provider.shown(&location);
            return format!("the provider `{name}` redirects to {location}; a key is not sent there: set `url` in the config").into();
        }
        let body = read(response, MAX_ERROR_BYTES).await.unwrap_or_default();
        let why = self.provider.error_in(&body);
        let sentence = format!("the provider `{name}` answered {status}: {why}");
        // Money is missing, which takes longer to pass than any wait.
        let empty = String::from_utf8_lossy(&body).contains("insufficient_quota");
        match status {
            StatusCode::TOO_MANY_REQUESTS if empty => sentence.into(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                format!("{sentence}; is the key the right one for {}?", self.provider.settings.url).into()
            }
            StatusCode::NOT_FOUND => format!("{sentence}; `fanlight models {name}` lists its models").into(),
            StatusCode::REQUEST_TIMEOUT => Failure::Again(sentence, wait).into(),
            status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
                let busy =
                    status == StatusCode::TOO_MANY_REQUESTS || wait.is_some() || status.as_u16() == 529;
                AskError { failure: Failure::Again(sentence, wait), busy }
            }
            _ => sentence.into(),
        }
    }
}

/// Reads a body up to a limit.
pub(super) async fn read(mut response: Response, limit: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| http::sentence(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() >= limit {
            body.truncate(limit);
            break;
        }
    }
    Ok(body)
}
