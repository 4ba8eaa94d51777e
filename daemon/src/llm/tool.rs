//! Tools that a model may call, in no provider's words.

use fanlight_shared::value::json::check_whole_numbers;
use serde_json::{Value as Json, json};

/// A tool that a model is offered.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Tool {
    pub(crate) name: String,
    pub(crate) description: String,
    /// What its arguments must be: an object.
    pub(crate) schema: Json,
}

/// A call of a tool by a model.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) name: String,
    /// The arguments, as the model wrote them.
    pub(crate) arguments: String,
    /// What Gemini wants back with the call, also from those who speak OpenAI's protocol for it.
    pub(crate) signature: Option<String>,
}

/// The result of a call, for the model.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Returned {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) failed: bool,
}

impl Call {
    /// Returns the arguments as JSON; what is not JSON, or has numbers that would be rounded, was refused, and the model
    /// sees it as text.
    pub(crate) fn json(&self) -> Json {
        if self.arguments.trim().is_empty() {
            return json!({});
        }
        match serde_json::from_str(&self.arguments) {
            Ok(json @ Json::Object(_)) if check_whole_numbers(&self.arguments).is_ok() => json,
            _ => json!({"text": self.arguments}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_in_arguments_is_never_rounded() {
        let sent = |arguments: &str| Call { arguments: arguments.into(), ..Call::default() }.json();
        assert_eq!(sent("{\"id\": 9007199254740993}"), json!({"id": 9_007_199_254_740_993_i64}));
        let large = "{\"id\": 123456789012345678901}";
        assert_eq!(sent(large), json!({"text": large}));
    }
}
