//! `llm.*`: node types that ask language models; and those that ask models for pictures, speech and transcripts, and
//! ComfyUI for what a graph makes.

mod agent;
mod ask;
mod attach;
mod chat;
mod classify;
mod comfy;
mod embed;
mod extract;
mod image_create;
mod image_edit;
mod list;
mod picture;
mod rank;
mod runs;
#[cfg(feature = "audio")]
mod speak;
mod stored;
mod structured;
#[cfg(test)]
mod tests;
mod transcribe;
#[cfg(feature = "video")]
mod video_create;

use fanlight_shared::event::Prediction;
use fanlight_shared::node_type::Effects;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::build::Build;
use super::{NodeCall, NodeType};
use crate::config::POOL_PREFIX;
use crate::content;
use crate::file_error::FileError;
use ask::Asker;

/// The largest values of a node.
const MAX_BYTES: u64 = 32 << 20;

/// Returns the types of this family, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![
        chat::node_type(),
        extract::node_type(),
        classify::node_type(),
        list::node_type(),
        embed::node_type(),
        rank::node_type(),
        agent::node_type(),
        image_create::node_type(),
        image_edit::node_type(),
        #[cfg(feature = "audio")]
        speak::node_type(),
        transcribe::node_type(),
        #[cfg(feature = "video")]
        video_create::node_type(),
        comfy::node_type(),
    ]
}

/// Starts a node type with the inputs that say who is asked.
fn build(name: &str, summary: &str) -> Build {
    Build::new(name, summary)
        .effects(Effects::External)
        .safe("provider", &["offline"], Effects::None)
        .safe("idempotent", &[true], Effects::Idempotent)
        .pool(POOL_PREFIX, "provider")
        .max_bytes(MAX_BYTES)
        .input(
            "provider",
            Type::Text,
            "Who is asked: a provider of the config, such as `openai`; `offline` is a stand-in without a model.",
        )
        .input("model", Type::Text, "The model; by default the first of the provider's `models` in the config, or a small one that `fanlight models` names.")
        .optional()
}

/// Adds the inputs that say how a model is asked.
fn tuning(build: Build) -> Build {
    let build = build
        .input("temperature", Type::Float, "How much answers vary.")
        .optional()
        .range(0.0, 2.0)
        .input("max_tokens", Type::Int, "The longest answer in tokens; one that it cuts fails the node.")
        .optional()
        .range(1.0, 10_000_000.0)
        .input("seed", Type::Int, "Makes answers repeatable, with providers that can do that.")
        .optional()
        .input(
            "options",
            Type::Json,
            "Fields of the request in the provider's own words, such as `{reasoning_effort: low}`.",
        )
        .optional();
    requests(build)
}

/// Adds the input with fields in the provider's own words.
fn options(build: Build) -> Build {
    build.input("options", Type::Json, "Fields of the request in the provider's own words.").optional()
}

/// Adds the inputs that say how requests are sent.
fn requests(build: Build) -> Build {
    requests_within(build, 600.0)
}

/// Adds these inputs, with this default of the time that all requests may take, in seconds.
fn requests_within(build: Build, seconds: f64) -> Build {
    build
        .input("timeout", Type::Float, "How long all of it may take, in seconds.")
        .default(seconds)
        .range(0.001, 86_400.0)
        .input(
            "retries",
            Type::Int,
            "How often a request is tried again after 429, 5xx or a failed connection.",
        )
        .default(5_i64)
        .range(0.0, 20.0)
        .input(
            "idempotent",
            Type::Bool,
            "Whether the provider honours `Idempotency-Key`; an interrupted node then runs again.",
        )
        .default(false)
}

/// Adds the input with the answers of the stand-in.
fn stand_in(build: Build) -> Build {
    build
        .input(
            "offline",
            Type::Any,
            "What the provider `offline` answers: one answer, or a list with one for each request.",
        )
        .optional()
}

/// Reads large inputs.
async fn with_whole_inputs(mut call: NodeCall) -> Result<NodeCall, FileError> {
    let (inputs, blobs) = (std::mem::take(&mut call.inputs), call.blobs.clone());
    let read = move || {
        content::whole(inputs.clone(), &blobs).map_err(|error| FileError::from(format!("input {error}")))
    };
    call.inputs = call.services.blocking(read).await?;
    Ok(call)
}

/// Returns the tokens of all requests as a value.
fn usage(asker: &Asker) -> Value {
    let spent = asker.spent();
    crate::services::usage(&Prediction {
        provider: asker.provider().to_owned(),
        model: asker.model().to_owned(),
        input_tokens: spent.input,
        output_tokens: spent.output,
        cost_usd: spent.cost_usd,
    })
}

/// Returns the items of an input that is a list of texts.
fn texts(inputs: &Values, name: &str) -> Result<Vec<String>, String> {
    use super::typed_inputs::TypedInputs as _;
    texts_of(inputs.value(name)?, name)
}

/// Returns the items of a list of texts, which is the input of this name.
fn texts_of(list: &Value, name: &str) -> Result<Vec<String>, String> {
    let list = list.as_list().ok_or_else(|| format!("input `{name}` is not a list"))?;
    list.iter()
        .map(Value::to_text)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("input `{name}`: {error}"))
}
