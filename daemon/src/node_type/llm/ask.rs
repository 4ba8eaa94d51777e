//! Requests of a node to its provider: with the pool's rate, retries, streaming, and what they take from the model.

mod embeddings;
mod fetch;
mod meter;
#[cfg(feature = "video")]
mod order;
mod send;
mod stream;

pub(super) use fetch::Sent;
#[cfg(feature = "video")]
pub(super) use order::{Withdrawal, path_of};

use std::sync::{Arc, Mutex, PoisonError};

use fanlight_shared::value::{Value, Values};
use serde_json::{Map, Value as Json};

use crate::config::{ProviderKind, Purpose};
use crate::file_error::FileError;
use crate::llm::Provider;
use crate::llm::chat::Chat;
use crate::llm::reply::{Reply, Usage};
use crate::node_type::NodeCall;
use crate::node_type::retry::{Failure, MAX_RETRY_AFTER, Retries};
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::services::{DaemonServices, Level};
use meter::Spent;

/// Sends the requests of one attempt.
pub(super) struct Asker {
    pub(super) services: DaemonServices,
    provider: Provider,
    model: String,
    retries: u32,
    /// The key of the attempt, for requests that may be repeated.
    key: Option<String>,
    /// What the stand-in answers, request by request.
    script: Vec<String>,
    /// How many requests were begun, without tries.
    requests: usize,
    /// Whether the engine has counted the next request in the rate of the pool.
    counted: bool,
    spent: Arc<Mutex<Spent>>,
}

/// The tries of a request.
struct Tries {
    /// The number of the request.
    number: usize,
    retries: Retries,
}

/// A failure, and whether the provider asked for fewer requests.
struct AskError {
    failure: Failure,
    busy: bool,
}

impl<E: Into<FileError>> From<E> for AskError {
    fn from(error: E) -> Self {
        Self { failure: Failure::Final(error.into()), busy: false }
    }
}

impl From<Failure> for AskError {
    fn from(failure: Failure) -> Self {
        Self { failure, busy: false }
    }
}

impl Asker {
    /// Reads the inputs that say who is asked and how.
    ///
    /// # Errors
    /// A sentence: the provider is not known, its key is missing, or no model is named.
    pub(super) fn new(call: &NodeCall, purpose: Purpose) -> Result<Self, String> {
        let inputs = &call.inputs;
        let provider = call.services.providers().get(inputs.text("provider")?, call.services.secrets())?;
        if provider.settings.kind == ProviderKind::Comfy {
            return Err(format!("the provider `{}` is ComfyUI, which only `comfy.run` asks", provider.name));
        }
        let named = inputs.maybe("model").and_then(Value::as_text).filter(|model| !model.trim().is_empty());
        let by_default = provider.settings.default_model(&provider.name, purpose);
        let model = match (named, by_default, provider.settings.kind) {
            (Some(model), ..) => model.to_owned(),
            (None, Some(model), _) => {
                let (name, purpose) = (&provider.name, purpose.word());
                call.services
                    .log(Level::Info, &format!("`{model}` answers, the default of `{name}` for {purpose}"));
                model.to_owned()
            }
            (None, None, ProviderKind::Offline) => "offline".to_owned(),
            (None, None, _) => {
                let (name, purpose) = (&provider.name, purpose.word());
                return Err(format!(
                    "which model of `{name}` for {purpose}? Set `model` (`fanlight models {name}` lists them), or `models` below \
                     `[provider.{name}]` in the config"
                ));
            }
        };
        let key = inputs.flag("idempotent")?.then(|| call.attempt.request_key());
        let script = script(inputs)?;
        if provider.settings.kind == ProviderKind::Offline {
            call.services.log(Level::Info, "the stand-in `offline` answers, no model");
        }
        let (services, retries) = (call.services.clone(), inputs.count("retries")?);
        let spent = Arc::default();
        Ok(Self { services, provider, model, retries, key, script, requests: 0, counted: true, spent })
    }

    pub(super) fn provider(&self) -> &str {
        &self.provider.name
    }

    pub(super) fn model(&self) -> &str {
        &self.model
    }

    /// Returns whether a stand-in answers.
    pub(super) fn is_offline(&self) -> bool {
        self.provider.settings.kind == ProviderKind::Offline
    }

    /// Says what the stand-in answers unless the node says it.
    pub(super) fn script_unless_given(&mut self, script: impl FnOnce() -> String) {
        if self.is_offline() && self.script.is_empty() {
            self.script.push(script());
        }
    }

    /// Returns the tokens of all requests so far, and their cost if all of it is known.
    pub(super) fn spent(&self) -> Usage {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner).in_all()
    }

    /// Returns whether anything was asked.
    pub(super) fn has_asked(&self) -> bool {
        self.requests > 0
    }

    /// Returns a request for an answer, with what the inputs say about the answer.
    ///
    /// # Errors
    /// The options are not an object.
    pub(super) fn chat(&self, inputs: &Values) -> Result<Chat, String> {
        let options = match inputs.maybe("options").map(Value::to_json) {
            None => Map::new(),
            Some(Json::Object(options)) => options,
            Some(_) => return Err("input `options` is not an object".to_owned()),
        };
        let max_tokens = inputs.maybe("max_tokens").map(|_| inputs.count("max_tokens")).transpose()?;
        Ok(Chat {
            model: self.model.clone(),
            temperature: inputs.maybe("temperature").and_then(Value::as_float),
            max_tokens,
            seed: inputs.maybe("seed").and_then(Value::as_int),
            options,
            ..Chat::default()
        })
    }

    /// Asks for an answer, which is streamed to the log of the attempt.
    ///
    /// # Errors
    /// The provider refuses, has trouble for too long, or its answer is not complete.
    pub(super) async fn ask(&mut self, chat: &Chat) -> Result<Reply, FileError> {
        let mut tries = self.begin().await;
        loop {
            match self.answer(chat, tries.number).await {
                Ok(reply) => return Ok(reply),
                Err(trouble) => self.again(&mut tries, trouble).await?,
            }
        }
    }

    /// Asks for the embeddings of texts, in their order.
    ///
    /// # Errors
    /// The provider refuses, has trouble for too long, or sends something else.
    pub(super) async fn embed(&mut self, texts: &[String]) -> Result<Vec<Vec<f64>>, FileError> {
        let mut tries = self.begin().await;
        loop {
            match self.embeddings(texts, tries.number).await {
                Ok(vectors) => return Ok(vectors),
                Err(trouble) => self.again(&mut tries, trouble).await?,
            }
        }
    }

    /// Begins a request, once the rate of the pool allows it.
    async fn begin(&mut self) -> Tries {
        let number = self.requests;
        self.requests += 1;
        self.until_allowed().await;
        Tries { number, retries: Retries::new(self.retries) }
    }

    /// Waits until a request may be tried again.
    ///
    /// # Errors
    /// The trouble, if another try makes no difference or none is left.
    async fn again(&mut self, tries: &mut Tries, trouble: AskError) -> Result<(), FileError> {
        self.wait(&mut tries.retries, trouble).await?;
        self.until_allowed().await;
        Ok(())
    }

    /// Waits until the rate of the pool allows a request.
    async fn until_allowed(&mut self) {
        let Some(rate) = self.provider.rate.clone() else { return };
        if rate.is_paused() {
            self.services.progress(None, Some("waits: the provider asked for a pause"));
            self.services.note_trouble(&format!(
                "the provider `{}` asked for a pause, which holds for all",
                self.provider()
            ));
        }
        // The engine has counted the first one when it started the attempt.
        if std::mem::take(&mut self.counted) {
            rate.until_resumed().await;
        } else {
            rate.wait().await;
        }
    }

    /// Waits before the next try. A provider that asks for fewer requests gets none from anybody meanwhile.
    async fn wait(&self, retries: &mut Retries, trouble: AskError) -> Result<(), FileError> {
        let rate = self.provider.rate.as_ref().filter(|_| trouble.busy);
        // It holds for all, also if this request is given up.
        if let (Some(rate), Failure::Again(_, Some(asked))) = (rate, &trouble.failure) {
            rate.pause((*asked).min(MAX_RETRY_AFTER));
        }
        let wait = retries.next(&self.services, trouble.failure)?;
        if let Some(rate) = rate {
            rate.pause(wait);
        }
        self.services.progress(None, Some(&format!("retrying in {:.1} s", wait.as_secs_f64())));
        tokio::time::sleep(wait).await;
        Ok(())
    }
}

/// Reads the answers of the stand-in.
fn script(inputs: &Values) -> Result<Vec<String>, String> {
    let text = |value: &Value| match value {
        Value::Text(text) => text.clone(),
        other => other.to_json().to_string(),
    };
    Ok(match inputs.maybe("offline") {
        None => Vec::new(),
        Some(value) if value.has_media() => {
            return Err("input `offline` is a file, and an answer is text or JSON".to_owned());
        }
        Some(Value::List(answers)) => answers.iter().map(text).collect(),
        Some(answer) => vec![text(answer)],
    })
}
