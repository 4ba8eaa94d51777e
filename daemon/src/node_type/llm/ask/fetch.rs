//! Requests whose response is a whole body: pictures, speech, transcripts.

use serde_json::Value as Json;

use super::send::read;
use super::{AskError, Asker};
use crate::file_error::FileError;
use crate::http::check_ends;
use crate::llm::multipart::Form;
use crate::llm::reply::Usage;

/// The longest response, in bytes.
const MAX_BODY_BYTES: usize = 64 << 20;

/// The body of a request, which may be sent more than once.
pub(in crate::node_type::llm) enum Sent {
    Json(Json),
    Form(Form),
}

impl Asker {
    /// Sends a request and reads its response. `priced_apart`: whether its tokens have prices that no table has.
    ///
    /// # Errors
    /// The provider refuses, has trouble for too long, or sends something else.
    pub(in crate::node_type::llm) async fn fetch<T>(
        &mut self,
        path: &str,
        sent: Sent,
        priced_apart: bool,
        take: impl Fn(Vec<u8>) -> Result<(T, Usage), String>,
    ) -> Result<T, FileError> {
        let mut tries = self.begin().await;
        loop {
            match self.fetched(path, &sent, priced_apart, &take, tries.number).await {
                Ok(taken) => return Ok(taken),
                Err(trouble) => self.again(&mut tries, trouble).await?,
            }
        }
    }

    /// Asks once.
    async fn fetched<T>(
        &self,
        path: &str,
        sent: &Sent,
        priced_apart: bool,
        take: &impl Fn(Vec<u8>) -> Result<(T, Usage), String>,
        number: usize,
    ) -> Result<T, AskError> {
        let mut meter = self.meter(priced_apart);
        let request = match sent {
            Sent::Json(body) => self.provider.post(path, body)?,
            Sent::Form(form) => self.provider.post_form(path, form)?,
        };
        let response = self.send(request, number).await?;
        // Bytes of a sound that end with the connection may be cut.
        check_ends(&response)?;
        // From here on it is charged, so it is not asked for again.
        meter.charged = true;
        let body = read(response, MAX_BODY_BYTES).await?;
        if body.len() >= MAX_BODY_BYTES {
            return Err(format!("the response has more than {} MiB", MAX_BODY_BYTES >> 20).into());
        }
        let (taken, usage) = take(body)?;
        meter.usage = usage;
        Ok(taken)
    }

    /// Reports what the stand-in took instead of a model.
    pub(in crate::node_type::llm) fn took_offline(&self, words: &str) {
        self.meter(true).usage.input = words.split_whitespace().count() as u64;
    }

    /// Checks that the provider has OpenAI's endpoints, which `what` needs.
    ///
    /// # Errors
    /// A sentence: it has another protocol.
    pub(in crate::node_type::llm) fn check_openai(&self, what: &str) -> Result<(), String> {
        self.provider.check_openai(what)
    }
}
