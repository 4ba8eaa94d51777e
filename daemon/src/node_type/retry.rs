//! Failures of requests, and when to try again.

use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderValue, RETRY_AFTER};
use reqwest::{Response, StatusCode};

use crate::file_error::FileError;
use crate::http::{self, Refused};
use crate::services::{DaemonServices, Level};

/// The wait before the second try; doubled up to [`MAX_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(500);
const MAX_WAIT: Duration = Duration::from_secs(30);
/// The longest wait that a server may ask for.
pub(super) const MAX_RETRY_AFTER: Duration = Duration::from_secs(300);

/// Why a try came to nothing.
pub(super) enum Failure {
    /// Another one makes no difference.
    Final(FileError),
    /// Another one may work; a server may say when.
    Again(String, Option<Duration>),
}

impl<E: Into<FileError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Final(error.into())
    }
}

impl Failure {
    /// Returns the failure of a request without a response, or with an incomplete one. A request that did not reach the
    /// server is repeated; any other only if that is `safe`.
    pub(super) fn of(error: &reqwest::Error, safe: bool) -> Self {
        let sentence = http::sentence(error);
        let refused = Refused::is_cause_of(error);
        if refused || error.is_redirect() || error.is_builder() || !(safe || error.is_connect()) {
            return Self::Final(sentence.into());
        }
        Self::Again(sentence, None)
    }

    /// Returns the failure of a status after which a later request may succeed; `None` for other statuses.
    pub(super) fn of_status(response: &Response, safe: bool) -> Option<Self> {
        let status = response.status();
        let wait = response.headers().get(RETRY_AFTER).and_then(retry_after);
        let again = match status {
            // The server did nothing.
            StatusCode::TOO_MANY_REQUESTS => true,
            // A proxy sends it too if the server took the request and its response was lost. Only a server that says when
            // to send the request again has done nothing.
            StatusCode::SERVICE_UNAVAILABLE => safe || wait.is_some(),
            StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => safe,
            _ => false,
        };
        again.then(|| Self::Again(format!("the server answered {status}"), wait))
    }
}

/// Returns how long a server asks to wait before the next request.
pub(super) fn retry_after(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(SystemTime::now()).unwrap_or_default())
}

/// The retries of a request.
pub(super) struct Retries {
    left: u32,
    wait: Duration,
}

impl Retries {
    pub(super) fn new(times: u32) -> Self {
        Self { left: times, wait: FIRST_WAIT }
    }

    /// Waits before the next try.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn wait(
        &mut self,
        services: &DaemonServices,
        failure: Failure,
    ) -> Result<(), FileError> {
        let wait = self.next(services, failure)?;
        tokio::time::sleep(wait).await;
        Ok(())
    }

    /// Returns how long to wait before the next try, and logs why.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn next(
        &mut self,
        services: &DaemonServices,
        failure: Failure,
    ) -> Result<Duration, FileError> {
        let (why, asked) = match failure {
            Failure::Final(error) => return Err(error),
            Failure::Again(why, asked) => (why, asked),
        };
        if let Some(asked) = asked.filter(|it| *it > MAX_RETRY_AFTER) {
            return Err(
                format!("{why} and asks to wait {} s before the next request", asked.as_secs()).into()
            );
        }
        if self.left == 0 {
            return Err(why.into());
        }
        self.left -= 1;
        let wait = asked.unwrap_or(self.wait);
        self.wait = (self.wait * 2).min(MAX_WAIT);
        services.note_trouble(&why);
        services.log(Level::Warn, &format!("{why}; retrying in {:.1} s", wait.as_secs_f64()));
        Ok(wait)
    }
}
