//! Language models: providers, their protocols, and what they cost. Nothing here knows nodes.
//!
//! - `provider`: a provider of the config, with its key, its rate and its HTTP client
//! - `chat`: a request for an answer, in no provider's words; `reply`: the answer as it grows
//! - `openai`, `anthropic`, `gemini`: the words of the protocols; `offline`: the stand-in without a model
//! - `loads`: how busy the servers of a provider are
//! - `tool`: tools that a model may call, and its calls
//! - `media`: pictures, speech and transcripts in OpenAI's words; `multipart`: forms with files
//! - `sse`: events of a streamed response
//! - `models`: the names of models; `price`: what they cost

pub(crate) mod anthropic;
pub(crate) mod chat;
#[cfg(test)]
mod fixture;
pub(crate) mod gemini;
pub(crate) mod loads;
pub(crate) mod media;
pub(crate) mod models;
pub(crate) mod multipart;
pub(crate) mod offline;
pub(crate) mod openai;
mod price;
mod provider;
pub(crate) mod reply;
pub(crate) mod sse;
pub(crate) mod tool;

pub(crate) use provider::Provider;
pub use provider::Providers;
