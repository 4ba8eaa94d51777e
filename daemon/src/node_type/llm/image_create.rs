//! `image.create`

use fanlight_shared::media::MediaKind;
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;
use serde_json::json;

use super::ask::{Asker, Sent};
use super::picture::{made, picturing, stand_in};
use super::stored::store;
use super::{build, with_whole_inputs};
use crate::config::Purpose;
use crate::llm::media::{self, CREATE};
use crate::node_type::http::within;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall, NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    let build = build("image.create", "Asks a model for a picture, by OpenAI's images API.").input(
        "prompt",
        Type::Text,
        "What the picture shows.",
    );
    picturing(build).run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let (services, timeout) = (call.services.clone(), call.inputs.float("timeout")?);
    within(&services, timeout, create(call)).await
}

async fn create(call: NodeCall) -> Made {
    let call = with_whole_inputs(call).await?;
    let mut asker = Asker::new(&call, Purpose::Pictures)?;
    asker.check_openai("image.create")?;
    let prompt = call.inputs.text("prompt")?;
    if asker.is_offline() {
        asker.took_offline(prompt);
        return made(&asker, stand_in(&call, prompt, "").await?);
    }
    let mut body = json!({"model": asker.model(), "prompt": prompt, "n": 1});
    if let Some(size) = call.inputs.maybe("size").and_then(Value::as_text) {
        body["size"] = size.into();
    }
    crate::llm::chat::merge(&mut body, &asker.chat(&call.inputs)?.options);
    let bytes = asker.fetch(CREATE, Sent::Json(body), false, |body| media::picture(&body)).await?;
    made(&asker, store(&call, bytes, "picture", MediaKind::Image).await?)
}
