//! Providers as nodes use them: with a key, a rate and an HTTP client.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::problem::near;
use fanlight_shared::sanitise;
use fanlight_shared::value::cut;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value as Json;

use super::loads::Loads;
use super::multipart::Form;
use super::price;
use super::reply::Usage;
use crate::config::{Config, KeySource, POOL_PREFIX, ProviderKind, ProviderSettings};
use crate::http::{Http, Reach, Redirects};
use crate::rate::{Rate, Rates};
use crate::secret::{SecretSettings, Secrets};

/// How many characters of a provider's words are shown.
const MAX_SHOWN: usize = 300;

/// The providers of a daemon: cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Providers {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    settings: BTreeMap<String, ProviderSettings>,
    /// The file, for messages.
    config: PathBuf,
    http: Http,
    rates: Rates,
    secrets: SecretSettings,
    loads: Loads,
}

/// A provider that can be asked.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) settings: ProviderSettings,
    pub(crate) rate: Option<Arc<Rate>>,
    /// How busy the servers of all providers are.
    pub(crate) loads: Loads,
    key: Option<Key>,
    client: Client,
}

/// A key, which no message shows.
#[derive(Clone)]
struct Key(String);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(…)")
    }
}

impl Providers {
    /// Creates the providers of a config.
    #[must_use]
    pub fn new(config: &Config, http: Http, rates: Rates) -> Self {
        let (settings, secrets) = (config.providers.clone(), config.secrets.clone());
        let (config, loads) = (config.path.clone(), Loads::default());
        Self { inner: Arc::new(Inner { settings, config, http, rates, secrets, loads }) }
    }

    /// Returns all of them, by name.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &ProviderSettings)> {
        self.inner.settings.iter().map(|(name, settings)| (name.as_str(), settings))
    }

    /// Returns the settings of a provider.
    ///
    /// # Errors
    /// There is none of this name; the sentence says how to add one.
    pub(crate) fn settings(&self, name: &str) -> Result<&ProviderSettings, String> {
        self.inner.settings.get(name).ok_or_else(|| {
            let shown = cut(&sanitise::line(name), 60);
            let hint = match near(name, self.inner.settings.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "describe it in {}: `[provider.{shown}]` and below it `url = \"http://localhost:8000/v1\"`",
                    self.inner.config.display()
                ),
            };
            format!("there is no provider `{shown}`; {hint}")
        })
    }

    /// Returns a provider with its key, which is looked up if it is a secret.
    ///
    /// # Errors
    /// There is none of this name, or its key is missing; the sentence says what to do.
    pub(crate) async fn open(&self, name: &str) -> Result<Provider, String> {
        let secret = match &self.settings(name)?.key {
            Some(KeySource::Secret(secret)) => BTreeSet::from([secret.clone()]),
            Some(KeySource::Variable(_)) | None => BTreeSet::new(),
        };
        self.get(name, &self.inner.secrets.resolve(&secret).await?)
    }

    /// Returns a provider with its key, for an attempt with these secrets.
    ///
    /// # Errors
    /// There is none of this name, or its key is missing; the sentence says what to do.
    pub(crate) fn get(&self, name: &str, secrets: &Secrets) -> Result<Provider, String> {
        let settings = self.settings(name)?.clone();
        let key = self.key(name, &settings, secrets)?;
        let client = self.inner.http.client(Reach::Any, Redirects::Nowhere)?;
        let rate = self.inner.rates.get(&format!("{POOL_PREFIX}{name}")).cloned();
        let loads = self.inner.loads.clone();
        Ok(Provider { name: name.to_owned(), settings, rate, loads, key, client })
    }

    fn key(&self, name: &str, settings: &ProviderSettings, secrets: &Secrets) -> Result<Option<Key>, String> {
        let variable = match &settings.key {
            None => return Ok(None),
            Some(KeySource::Secret(secret)) => {
                let value = secrets.get(secret).map(|value| Some(Key(value.trim().to_owned())));
                return value
                    .ok_or_else(|| format!("the provider `{name}` was not given its secret `{secret}`"));
            }
            Some(KeySource::Variable(variable)) => variable,
        };
        let value = std::env::var(variable).unwrap_or_default().trim().to_owned();
        if value.is_empty() {
            return Err(format!(
                "the provider `{name}` needs a key: set `{variable}` where the daemon is started (`fanlight daemon stop` \
                 ends the one that runs), or name another variable with `key_env`, or a secret with `key`, below \
                 `[provider.{name}]` in {}; `provider: offline` needs none",
                self.inner.config.display()
            ));
        }
        Ok(Some(Key(value)))
    }
}

impl Provider {
    /// Returns a request to a path below its URL.
    ///
    /// # Errors
    /// The key has characters that a request can't have.
    pub(crate) fn request(&self, method: Method, path: &str) -> Result<RequestBuilder, String> {
        self.request_to(&self.settings.url, method, path)
    }

    /// Returns a request to a path below the URL of one of its servers.
    ///
    /// # Errors
    /// The key has characters that a request can't have.
    pub(crate) fn request_to(&self, url: &str, method: Method, path: &str) -> Result<RequestBuilder, String> {
        let request = self.client.request(method, format!("{url}{path}"));
        let secret = |prefix: &str, key: &Key| {
            let value = HeaderValue::from_str(&format!("{prefix}{}", key.0));
            let mut value = value.map_err(|_| {
                format!("the key of the provider `{}` has characters that no key has", self.name)
            })?;
            value.set_sensitive(true);
            Ok::<_, String>(value)
        };
        let (name, prefix) = match self.settings.kind {
            ProviderKind::OpenAi | ProviderKind::Comfy | ProviderKind::Offline => {
                ("authorization", "Bearer ")
            }
            ProviderKind::Anthropic => ("x-api-key", ""),
            ProviderKind::Gemini => ("x-goog-api-key", ""),
        };
        let request = match &self.key {
            Some(key) => request.header(name, secret(prefix, key)?),
            None => request,
        };
        Ok(match self.settings.kind {
            ProviderKind::Anthropic => {
                request.header(super::anthropic::VERSION.0, super::anthropic::VERSION.1)
            }
            _ => request,
        })
    }

    /// Returns a request with a JSON body.
    ///
    /// # Errors
    /// The key has characters that a request can't have.
    pub(crate) fn post(&self, path: &str, body: &Json) -> Result<RequestBuilder, String> {
        let request = self.request(Method::POST, path)?;
        Ok(request.header(CONTENT_TYPE, "application/json").body(body.to_string()))
    }

    /// Returns a request with a form as its body.
    ///
    /// # Errors
    /// The key has characters that a request can't have.
    pub(crate) fn post_form(&self, path: &str, form: &Form) -> Result<RequestBuilder, String> {
        let (content_type, body) = form.finish();
        Ok(self.request(Method::POST, path)?.header(CONTENT_TYPE, content_type).body(body))
    }

    /// Checks that the provider has OpenAI's endpoints, which `what` needs.
    ///
    /// # Errors
    /// A sentence: it has another protocol.
    pub(crate) fn check_openai(&self, what: &str) -> Result<(), String> {
        match self.settings.kind {
            ProviderKind::OpenAi | ProviderKind::Offline => Ok(()),
            other => Err(format!(
                "{what} needs a provider with OpenAI's protocol, and `{}` has that of {}",
                self.name,
                other.word()
            )),
        }
    }

    /// Returns the beginning of what a provider says, safe to show, without its key.
    pub(crate) fn shown(&self, text: &str) -> String {
        self.shown_up_to(text, MAX_SHOWN)
    }

    /// Returns this many characters of what a provider says, safe to show, without its key.
    pub(crate) fn shown_up_to(&self, text: &str, characters: usize) -> String {
        let text = match &self.key {
            Some(key) => text.replace(&key.0, "…"),
            None => text.to_owned(),
        };
        cut(sanitise::line(&text).trim(), characters)
    }

    /// Returns the error that the body of a response describes.
    pub(crate) fn error_in(&self, body: &[u8]) -> String {
        let text = String::from_utf8_lossy(body);
        let message = excerpt(&text);
        let shown = self.shown(message.as_deref().unwrap_or(&text));
        if shown.is_empty() { "it gave no reason".to_owned() } else { shown }
    }

    /// Returns what a request cost in US dollars, if that is known.
    pub(crate) fn cost(&self, model: &str, usage: &Usage) -> Option<f64> {
        price::cost(&self.name, &self.settings, model, usage)
    }

    /// Returns whether a model reasons only if it has no tools to call, in this protocol. OpenAI refuses both at once since
    /// GPT-5.6.
    pub(crate) fn reasons_without_tools(&self, model: &str) -> bool {
        let of_openai = self.name == "openai" && self.settings.is_original;
        of_openai && (model.starts_with("gpt-5.6") || model.starts_with("gpt-6"))
    }

    /// Returns the name of the field that limits the tokens of an answer.
    pub(crate) fn limit_field(&self) -> &'static str {
        if self.name == "openai" && self.settings.is_original {
            "max_completion_tokens"
        } else {
            "max_tokens"
        }
    }
}

/// Returns the message in the JSON of an error, which providers wrap in several ways.
fn excerpt(body: &str) -> Option<String> {
    let json: Json = serde_json::from_str(body).ok()?;
    // Gemini's is a list of one.
    let json = json.get(0).unwrap_or(&json);
    let error = json.get("error").unwrap_or(json);
    let message = error.get("message").or_else(|| error.get("detail")).unwrap_or(error);
    message.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn providers() -> Providers {
        let mut config = Config { path: "/c/config.toml".into(), ..Config::default() };
        let openai = config.providers.get_mut("openai").unwrap();
        openai.key = Some(KeySource::Variable("FANLIGHT_TEST_KEY_THAT_IS_NOT_SET".into()));
        let mut house = ProviderSettings::new(ProviderKind::OpenAi, "http://127.0.0.1:1/v1");
        // Cargo sets it for tests.
        house.key = Some(KeySource::Variable("CARGO_PKG_NAME".into()));
        config.providers.insert("house".into(), house);
        Providers::new(&config, Http::default(), Rates::default())
    }

    #[test]
    fn a_provider_that_is_not_known_or_has_no_key_is_an_error_that_says_what_to_do() {
        let providers = providers();
        assert!(providers.get("opnai", &Secrets::default()).unwrap_err().ends_with("did you mean `openai`?"));
        let error = providers.get("zzz", &Secrets::default()).unwrap_err();
        assert!(error.contains("describe it in /c/config.toml: `[provider.zzz]`"), "{error}");
        let error = providers.get("openai", &Secrets::default()).unwrap_err();
        assert!(
            error.contains("set `FANLIGHT_TEST_KEY_THAT_IS_NOT_SET`") && error.contains("`key_env`"),
            "{error}"
        );
        assert!(providers.get("ollama", &Secrets::default()).is_ok(), "it needs no key");
    }

    #[test]
    fn what_a_provider_says_is_shown_without_the_key() {
        let house = providers().get("house", &Secrets::default()).unwrap();
        let body =
            r#"{"error":{"message":"Incorrect API key provided: fanlight-daemon. \u001b[2JTry again."}}"#;
        assert_eq!(house.error_in(body.as_bytes()), "Incorrect API key provided: …. Try again.");
        assert_eq!(house.error_in(br#"[{"error":{"code":400,"message":"no"}}]"#), "no");
        assert_eq!(house.error_in(br#"{"error":"model not found"}"#), "model not found");
        assert_eq!((house.error_in(b"<b>"), house.error_in(b"")), ("<b>".into(), "it gave no reason".into()));
        assert!(!format!("{house:?}").contains("fanlight-daemon"));
    }
}
