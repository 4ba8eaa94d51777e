//! `comfy.run`: a graph on a ComfyUI server.

mod files;
mod follow;
mod given;
mod prompt;
mod stand_in;

use std::sync::Arc;

use fanlight_shared::node_type::Effects;
use fanlight_shared::types::Type;
use serde_json::Value as Json;

use super::with_whole_inputs;
use crate::comfy::Graph;
use crate::config::{POOL_PREFIX, ProviderKind};
use crate::file_error::FileError;
use crate::llm::Provider;
use crate::node_type::build::{Build, ty};
use crate::node_type::http::within;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall, NodeType, Runner};
use prompt::Prompt;

pub(super) fn node_type() -> NodeType {
    Build::new("comfy.run", "Computes a graph on a ComfyUI server, and fetches the files that it makes.")
        .effects(Effects::External)
        .safe("provider", &["offline"], Effects::None)
        .pool(POOL_PREFIX, "provider")
        .input(
            "provider",
            Type::Text,
            "Whose servers are asked: a provider of the config with `kind = \"comfy\"`; `offline` is a stand-in that paints.",
        )
        .default("comfy")
        .input(
            "graph",
            Type::Any,
            "The graph in ComfyUI's API format (`Export (API)`): an object, its text, or a file.",
        )
        .input(
            "set",
            Type::Any,
            "Inputs of the graph by node and name, such as `{3.seed: 7, 10.image: FILE}`; files are uploaded.",
        )
        .optional()
        .input(
            "take",
            Type::Json,
            "A list of the nodes whose files are fetched, such as `[9]`; by default all that save files, or else all that \
             show some.",
        )
        .optional()
        .input("timeout", Type::Float, "How long all of it may take, in seconds; time in the server's queue included.")
        .default(3600.0)
        .range(0.001, 604_800.0)
        .input("max_bytes", Type::Int, "The maximum size of each file, in bytes.")
        .default(4_000_000_000_i64)
        .range(1.0, 1e12)
        .input("retries", Type::Int, "How many times a request that can be repeated is sent again when the connection fails.")
        .default(5_i64)
        .range(0.0, 100.0)
        .output("images", ty::image().list(), "The pictures, in the order of their nodes in the graph.")
        .output("audio", Type::Media(fanlight_shared::media::MediaKind::Audio).list(), "The sounds.")
        .output("videos", Type::Media(fanlight_shared::media::MediaKind::Video).list(), "The videos.")
        .output("files", ty::file().list(), "All other files.")
        .output("shown", Type::Json, "What each node shows, by its id, in ComfyUI's words: texts, names of files.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let (services, timeout) = (call.services.clone(), call.inputs.float("timeout")?);
    let mut prompt = Prompt::default();
    let made = within(&services, timeout, perform(call, &mut prompt)).await;
    // However it ended: nothing of it is computed any longer.
    prompt.withdraw(&services).await;
    made
}

async fn perform(call: NodeCall, prompt: &mut Prompt) -> Made {
    let call = with_whole_inputs(call).await?;
    let services = &call.services;
    let provider = services.providers().get(call.inputs.text("provider")?, services.secrets())?;
    let mut graph = given::graph(&call).await?;
    let fields = given::fields(&call.inputs)?;
    let take = given::take(&call.inputs, &graph)?;
    // All names are checked before anything is uploaded.
    for (field, _) in &fields {
        graph.set(field, Json::Null).map_err(|why| format!("input `set`: {why}"))?;
    }
    match provider.settings.kind {
        ProviderKind::Offline => {
            given::set(&mut graph, fields, |media| Ok(Json::from(media.hash.to_string())))?;
            stand_in::run(&call, &graph, take.as_deref()).await
        }
        ProviderKind::Comfy => on_server(&call, &provider, graph, fields, take, prompt).await,
        other => {
            let (name, word) = (&provider.name, other.word());
            Err(format!(
                "`comfy.run` needs a provider of `kind = \"comfy\"`, and `{name}` has the protocol of {word}"
            )
            .into())
        }
    }
}

async fn on_server(
    call: &NodeCall,
    provider: &Provider,
    graph: Graph,
    fields: Vec<given::Field>,
    take: Option<Vec<String>>,
    prompt: &mut Prompt,
) -> Made {
    let graph = Arc::new(prompt.submit(call, provider, graph, fields).await?);
    let entry = prompt.follow(call, &graph).await?;
    if let Some(failed) = &entry.failed {
        failed.traceback.iter().for_each(|line| call.services.log(crate::services::Level::Error, line));
        return Err(failed.sentence.clone().into());
    }
    let Some(server) = prompt.server() else {
        return Err(FileError::from("no server has the graph".to_owned()));
    };
    files::fetch(call, server, &graph, &entry, take.as_deref()).await
}
