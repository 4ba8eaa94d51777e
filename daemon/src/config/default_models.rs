//! The models of the providers that are known by name, for nodes and configs that name none: small ones that cost little, and
//! that `assets/model-prices.toml` has prices of if they answer with text.

/// The purpose of a model.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Purpose {
    Text,
    Embeddings,
    Pictures,
    Speech,
    Transcripts,
    Videos,
}

impl Purpose {
    pub(crate) const ALL: [Self; 6] =
        [Self::Text, Self::Embeddings, Self::Pictures, Self::Speech, Self::Transcripts, Self::Videos];

    /// Returns its word on the wire and on screen.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Embeddings => "embeddings",
            Self::Pictures => "pictures",
            Self::Speech => "speech",
            Self::Transcripts => "transcripts",
            Self::Videos => "videos",
        }
    }
}

/// Returns the model of a provider for a purpose, if one of its models is a sensible default.
pub(super) fn find(provider: &str, purpose: Purpose) -> Option<&'static str> {
    DEFAULTS.into_iter().find(|(name, of, _)| (*name, *of) == (provider, purpose)).map(|(.., model)| model)
}

/// Models that are not about to be retired (November 2026), except the two of OpenAI that have no successor with the same
/// protocol: `gpt-4o-mini-tts` ends in January 2027, and `whisper-1`, which alone says times, in February 2027. What a local
/// server or a broker of many models has is declared in the config.
const DEFAULTS: [(&str, Purpose, &str); 14] = {
    use Purpose::{Embeddings, Pictures, Speech, Text, Transcripts};
    [
        ("anthropic", Text, "claude-haiku-5-5"),
        ("deepseek", Text, "deepseek-v4-flash"),
        ("gemini", Text, "gemini-3.5-flash-lite"),
        ("gemini", Embeddings, "gemini-embedding-001"),
        ("groq", Text, "openai/gpt-oss-20b"),
        ("groq", Transcripts, "whisper-large-v3-turbo"),
        ("mistral", Text, "mistral-small-latest"),
        ("mistral", Embeddings, "mistral-embed"),
        ("openai", Text, "gpt-6-luna"),
        ("openai", Embeddings, "text-embedding-3-small"),
        ("openai", Pictures, "gpt-image-2.6-flare"),
        ("openai", Speech, "gpt-4o-mini-tts"),
        ("openai", Transcripts, "whisper-1"),
        ("xai", Text, "grok-4.3"),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ProviderSettings;

    #[test]
    fn defaults_are_of_known_providers_and_those_for_text_have_prices() {
        let prices: toml::Table = include_str!("../../assets/model-prices.toml").parse().unwrap();
        for (provider, purpose, model) in DEFAULTS {
            assert!(ProviderSettings::built_in(provider).is_some(), "{provider}");
            assert!(purpose != Purpose::Text || prices[provider].get(model).is_some(), "{provider} {model}");
        }
    }

    #[test]
    fn the_models_of_the_config_come_first_and_another_server_has_no_default() {
        let mut openai = ProviderSettings::built_in("openai").unwrap();
        let of = |openai: &ProviderSettings| openai.default_model("openai", Purpose::Text).map(str::to_owned);
        assert_eq!(of(&openai).as_deref(), Some("gpt-6-luna"));
        openai.models = vec!["mine".to_owned(), "other".to_owned()];
        assert_eq!(of(&openai).as_deref(), Some("mine"));
        openai.models.clear();
        openai.is_original = false;
        assert_eq!(of(&openai), None);
        let ollama = ProviderSettings::built_in("ollama").unwrap();
        assert_eq!(ollama.default_model("ollama", Purpose::Text), None, "what it has is not known");
    }
}
