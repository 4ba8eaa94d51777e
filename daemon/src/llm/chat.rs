//! A request for an answer, in no provider's words.

use serde_json::{Map, Value as Json};

use super::tool::{Call, Returned, Tool};

/// A request for an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chat {
    pub(crate) model: String,
    pub(crate) system: Option<String>,
    /// The conversation so far; the last turn is the user's.
    pub(crate) turns: Vec<Turn>,
    /// What the answer must be, as a JSON Schema.
    pub(crate) schema: Option<Json>,
    /// The tools that the model may call.
    pub(crate) tools: Vec<Tool>,
    pub(crate) temperature: Option<f64>,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) seed: Option<i64>,
    /// Fields of the request body in the provider's own words.
    pub(crate) options: Map<String, Json>,
}

/// A turn of a conversation.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Turn {
    pub(crate) role: Role,
    pub(crate) text: String,
    /// Files of the user.
    pub(crate) files: Vec<Attached>,
    /// The calls of the assistant.
    pub(crate) calls: Vec<Call>,
    /// What the assistant thought before its calls, in the provider's own words, which it wants back with them.
    pub(crate) thoughts: Vec<Json>,
    /// The results of the calls before, in a turn of the user.
    pub(crate) results: Vec<Returned>,
}

/// The speaker of a turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    User,
    Assistant,
}

/// A file in a request.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Attached {
    pub(crate) kind: AttachedKind,
    pub(crate) mime: String,
    pub(crate) name: String,
    /// Its bytes in base64.
    pub(crate) data: String,
}

/// The kinds of files that models read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum AttachedKind {
    Image,
    Audio,
    /// A PDF.
    Document,
}

impl Role {
    /// Returns its word in a history, which is also OpenAI's and Anthropic's.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

impl Turn {
    pub(crate) fn new(role: Role, text: impl Into<String>) -> Self {
        let (files, calls, thoughts, results) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { role, text: text.into(), files, calls, thoughts, results }
    }

    /// Returns whether it has other parts but no text: an empty part is refused.
    pub(crate) fn is_silent(&self) -> bool {
        let others = !(self.files.is_empty() && self.calls.is_empty() && self.results.is_empty());
        self.text.is_empty() && others
    }
}

impl Attached {
    /// Returns its bytes as a URL.
    pub(crate) fn data_url(&self) -> String {
        format!("data:{};base64,{}", self.mime, self.data)
    }
}

impl Chat {
    /// Returns the system prompt with the instruction to answer in JSON, if there is a schema.
    pub(crate) fn instructions(&self) -> Option<String> {
        let Some(schema) = &self.schema else { return self.system.clone() };
        let json =
            format!("Answer with JSON only, without any other text, that fits this JSON Schema:\n{schema}");
        Some(match &self.system {
            Some(system) => format!("{system}\n\n{json}"),
            None => json,
        })
    }

    /// Returns whether it has sound, which providers charge by other prices.
    pub(crate) fn has_audio(&self) -> bool {
        let mut files = self.turns.iter().flat_map(|turn| &turn.files);
        files.any(|file| file.kind == AttachedKind::Audio)
    }
}

/// Adds fields in the provider's own words to a request body. Objects are merged, anything else is replaced.
pub(crate) fn merge(body: &mut Json, options: &Map<String, Json>) {
    let Some(fields) = body.as_object_mut() else { return };
    for (name, option) in options {
        match (fields.get_mut(name), option) {
            (Some(known @ Json::Object(_)), Json::Object(more)) => merge(known, more),
            _ => {
                fields.insert(name.clone(), option.clone());
            }
        }
    }
}
