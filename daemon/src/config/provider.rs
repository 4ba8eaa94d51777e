//! The providers of language models: those that are known by name, and what the config says about them.

use std::collections::BTreeMap;

/// How many requests to a provider run at once by default.
const CONCURRENT: u32 = 8;

/// The prefix of the pool that the attempts of a provider count in: `api.openai`.
pub(crate) const POOL_PREFIX: &str = "api.";

/// The protocol of a provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProviderKind {
    /// OpenAI's chat completions, which many servers speak.
    OpenAi,
    /// Anthropic's messages.
    Anthropic,
    /// Gemini's `generateContent`.
    Gemini,
    /// ComfyUI's, whose servers compute graphs.
    Comfy,
    /// A stand-in without a model: it answers what the workflow says.
    Offline,
}

impl ProviderKind {
    /// The words of the config.
    pub(crate) const WORDS: [(&str, Self); 5] = [
        ("openai", Self::OpenAi),
        ("anthropic", Self::Anthropic),
        ("gemini", Self::Gemini),
        ("comfy", Self::Comfy),
        ("offline", Self::Offline),
    ];

    /// Returns its word in the config.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, kind)| *kind == self).map_or("", |(word, _)| word)
    }
}

/// How an endpoint of kind `openai` is asked for JSON that fits a schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Structured {
    /// By the schema.
    #[default]
    Schema,
    /// By asking for any object; the prompt has the schema.
    Object,
    /// By the prompt alone.
    Prompt,
}

impl Structured {
    /// The words of the config.
    pub(crate) const WORDS: [(&str, Self); 3] =
        [("schema", Self::Schema), ("object", Self::Object), ("prompt", Self::Prompt)];
}

/// The place of a provider's key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum KeySource {
    /// A variable of the daemon's environment.
    Variable(String),
    /// The secret of this name.
    Secret(String),
}

/// The price of a model, in US dollars per million tokens.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Price {
    /// Of input.
    pub input: f64,
    /// Of output, reasoning included.
    pub output: f64,
    /// Of input that the provider had cached; that of other input if absent.
    pub cached_input: Option<f64>,
    /// The most input tokens of a request that has this price.
    pub up_to: Option<u64>,
}

/// What is known about a provider.
#[derive(Clone, PartialEq, Debug)]
pub struct ProviderSettings {
    /// Its protocol.
    pub kind: ProviderKind,
    /// The URL below which its endpoints are, without a slash at the end. It may be a private address.
    pub url: String,
    /// The URLs of further servers of the same kind, of which each request goes to one. Only ComfyUI's have them.
    pub more_urls: Vec<String>,
    /// The place of its key; `None` if it needs none.
    pub key: Option<KeySource>,
    /// Names of models. The first is used where a node names none, instead of a built-in one.
    pub models: Vec<String>,
    /// How many attempts send requests to it at once.
    pub concurrent: Option<u32>,
    /// How many requests are sent to it in any minute.
    pub requests_per_minute: Option<u32>,
    /// Prices by model; they take precedence over the built-in ones.
    pub prices: BTreeMap<String, Price>,
    /// How it is asked for JSON.
    pub structured: Structured,
    /// Whether the built-in prices and models of its name hold: its URL was not changed.
    pub is_original: bool,
}

impl ProviderSettings {
    /// Returns the settings of a provider that is known by its name alone.
    pub(crate) fn built_in(name: &str) -> Option<Self> {
        let (_, kind, url, key, structured) = BUILT_IN.into_iter().find(|(known, ..)| *known == name)?;
        Some(Self {
            key: key.map(|it| KeySource::Variable(it.to_owned())),
            structured,
            ..Self::new(kind, url)
        })
    }

    /// Returns the model that is asked for a purpose if a node of this provider names none: the first of the config, else the
    /// built-in one, unless its URL was changed.
    #[cfg(feature = "llm")]
    #[must_use]
    pub(crate) fn default_model(&self, name: &str, purpose: super::Purpose) -> Option<&str> {
        let built_in = || super::default_models::find(name, purpose).filter(|_| self.is_original);
        self.models.first().map(String::as_str).or_else(built_in)
    }

    /// Returns the URLs of all its servers.
    pub(crate) fn urls(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.url).chain(&self.more_urls).map(String::as_str)
    }

    /// Returns the settings of a provider at this URL.
    pub(crate) fn new(kind: ProviderKind, url: &str) -> Self {
        Self {
            kind,
            url: url.trim_end_matches('/').to_owned(),
            more_urls: Vec::new(),
            key: None,
            models: Vec::new(),
            concurrent: match kind {
                ProviderKind::Offline => None,
                // A server computes one graph after the other.
                ProviderKind::Comfy => Some(1),
                _ => Some(CONCURRENT),
            },
            requests_per_minute: None,
            prices: BTreeMap::new(),
            structured: Structured::default(),
            is_original: true,
        }
    }
}

/// Returns all providers that are known by their names.
pub(crate) fn built_in() -> BTreeMap<String, ProviderSettings> {
    BUILT_IN
        .into_iter()
        .filter_map(|(name, ..)| Some((name.to_owned(), ProviderSettings::built_in(name)?)))
        .collect()
}

type BuiltIn = (&'static str, ProviderKind, &'static str, Option<&'static str>, Structured);

const BUILT_IN: [BuiltIn; 15] = {
    use ProviderKind::{Anthropic, Comfy, Gemini, Offline, OpenAi};
    use Structured::{Object, Schema};
    [
        ("anthropic", Anthropic, "https://api.anthropic.com/v1", Some("ANTHROPIC_API_KEY"), Schema),
        ("comfy", Comfy, "http://127.0.0.1:8188", None, Schema),
        ("deepseek", OpenAi, "https://api.deepseek.com/v1", Some("DEEPSEEK_API_KEY"), Object),
        (
            "gemini",
            Gemini,
            "https://generativelanguage.googleapis.com/v1beta",
            Some("GEMINI_API_KEY"),
            Schema,
        ),
        ("groq", OpenAi, "https://api.groq.com/openai/v1", Some("GROQ_API_KEY"), Schema),
        ("llamacpp", OpenAi, "http://localhost:8080/v1", None, Schema),
        ("lmstudio", OpenAi, "http://localhost:1234/v1", None, Schema),
        ("mistral", OpenAi, "https://api.mistral.ai/v1", Some("MISTRAL_API_KEY"), Schema),
        ("offline", Offline, "", None, Schema),
        ("ollama", OpenAi, "http://localhost:11434/v1", None, Schema),
        ("openai", OpenAi, "https://api.openai.com/v1", Some("OPENAI_API_KEY"), Schema),
        ("openrouter", OpenAi, "https://openrouter.ai/api/v1", Some("OPENROUTER_API_KEY"), Schema),
        ("together", OpenAi, "https://api.together.xyz/v1", Some("TOGETHER_API_KEY"), Schema),
        ("vllm", OpenAi, "http://localhost:8000/v1", None, Schema),
        ("xai", OpenAi, "https://api.x.ai/v1", Some("XAI_API_KEY"), Schema),
    ]
};
