//! The answer of a model as it grows, and how it ends.

use fanlight_shared::spent::is_cost;
use fanlight_shared::value::json::check_whole_numbers;
use serde_json::Value as Json;

use super::tool::Call;

/// The longest answer, reasoning and calls included, in bytes.
pub(crate) const MAX_REPLY_BYTES: usize = 8 << 20;

/// An answer so far.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) reasoning: String,
    /// The reasoning in the provider's own words, as a further request has it: see [`Turn::thoughts`].
    ///
    /// [`Turn::thoughts`]: super::chat::Turn::thoughts
    pub(crate) thoughts: Vec<Json>,
    /// The bytes of what is only in `thoughts`.
    pub(crate) hidden: usize,
    /// The tools that the model calls.
    pub(crate) calls: Vec<Call>,
    /// Whether what follows are the arguments of the last call.
    pub(crate) calling: bool,
    /// How the model ended, once it has.
    pub(crate) finish: Option<Finish>,
    /// The provider said that nothing more comes.
    pub(crate) done: bool,
    pub(crate) usage: Usage,
}

/// Embeddings by the index of their text.
pub(crate) type Embeddings = Vec<(usize, Vec<f64>)>;

/// How a model ended its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Finish {
    /// It said all.
    Stop,
    /// It calls tools.
    Calls,
    /// The limit of tokens cut it.
    Length,
    /// The provider or the model withheld it, for this reason.
    Withheld(String),
    /// Something that no node asks for.
    Other(String),
}

/// The tokens of a request.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(crate) struct Usage {
    /// Of input, cached ones included.
    pub(crate) input: u64,
    /// Of output, reasoning included.
    pub(crate) output: u64,
    /// Input that the provider had cached.
    pub(crate) cached: u64,
    /// Input that was written to the provider's cache, which has a price of its own.
    pub(crate) cache_written: u64,
    /// The cost in US dollars, if the provider says it.
    pub(crate) cost_usd: Option<f64>,
}

/// Returns the cost that a provider says, if it is an amount of money.
pub(super) fn cost(usage: &Json) -> Option<f64> {
    usage["cost"].as_f64().filter(|usd| is_cost(*usd))
}

impl Usage {
    /// Returns whether the provider said nothing of it.
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An error that a provider sends in a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum StreamError {
    /// The provider has trouble that may pass; `busy`: it wants fewer requests.
    Passing { why: String, busy: bool },
    /// Anything else.
    Final(String),
}

/// Checks the numbers of an event whose calls have arguments as JSON, not as text.
///
/// # Errors
/// A sentence: one would be rounded.
pub(super) fn check_numbers(event: &str) -> Result<(), StreamError> {
    check_whole_numbers(event)
        .map_err(|error| StreamError::Final(format!("the arguments of a call can't be read: {error}")))
}

impl Reply {
    /// Checks that the answer is complete.
    ///
    /// # Errors
    /// A sentence: it was cut, withheld, or broke off.
    pub(crate) fn check(&self, max_tokens: Option<u32>) -> Result<(), String> {
        let other = |reason: &str| {
            format!("the model stopped for another reason than the end of its answer ({reason})")
        };
        match &self.finish {
            Some(Finish::Stop) => Ok(()),
            Some(Finish::Calls) if !self.calls.is_empty() => Ok(()),
            Some(Finish::Calls) => Err(other("tool_calls")),
            Some(Finish::Length) => Err(match max_tokens {
                Some(limit) => {
                    format!("the answer was cut after `max_tokens` ({limit}); raise it, or ask for less")
                }
                None => {
                    "the answer was cut at the model's limit of tokens; set `max_tokens`, or ask for less"
                        .to_owned()
                }
            }),
            Some(Finish::Withheld(reason)) => Err(format!("the provider withheld the answer ({reason})")),
            Some(Finish::Other(reason)) => Err(other(reason)),
            // Some servers end a text without a reason.
            None if self.done && self.calls.is_empty() && !self.text.trim().is_empty() => Ok(()),
            None => Err("the connection was cut before the answer was complete".to_owned()),
        }
    }

    /// Adds a piece to a text in the last of the thoughts.
    pub(super) fn think(&mut self, name: &str, piece: &str) {
        let Some(Json::Object(thought)) = self.thoughts.last_mut() else { return };
        match thought.entry(name).or_insert_with(|| Json::from("")) {
            Json::String(text) => text.push_str(piece),
            other => *other = piece.into(),
        }
    }

    /// Returns whether anything of the answer has come.
    pub(crate) fn has_begun(&self) -> bool {
        !self.text.is_empty() || !self.reasoning.is_empty() || !self.calls.is_empty()
    }

    /// Checks that it is not too long.
    ///
    /// # Errors
    /// A sentence with the limit.
    pub(crate) fn check_length(&self) -> Result<(), String> {
        let calls: usize = self.calls.iter().map(|call| call.name.len() + call.arguments.len()).sum();
        if self.text.len() + self.reasoning.len() + self.hidden + calls > MAX_REPLY_BYTES {
            return Err(format!("the answer has more than {} MiB", MAX_REPLY_BYTES >> 20));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_arguments_that_would_be_rounded_are_refused() {
        assert_eq!(check_numbers("{\"args\": {\"id\": 9007199254740993}}"), Ok(()));
        assert!(check_numbers("{\"args\": {\"id\": 123456789012345678901}}").is_err());
    }
}
