//! Tools that a model may call, in no provider's words.

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
    /// What Gemini wants back with the call.
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
    /// Returns the arguments as JSON; what is not JSON was refused, and the model sees it as text.
    pub(crate) fn json(&self) -> Json {
        if self.arguments.trim().is_empty() {
            return json!({});
        }
        match serde_json::from_str(&self.arguments) {
            Ok(json @ Json::Object(_)) => json,
            _ => json!({"text": self.arguments}),
        }
    }
}
