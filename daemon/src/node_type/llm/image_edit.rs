//! `image.edit`

use fanlight_shared::media::MediaKind;
use fanlight_shared::types::Type;
use fanlight_shared::value::Value;

use super::ask::{Asker, Sent};
use super::picture::{made, picturing, stand_in};
use super::stored::{sendable, store};
use super::transcribe::with_options;
use super::{build, with_whole_inputs};
use crate::config::Purpose;
use crate::llm::media::{self, EDIT};
use crate::llm::multipart::Form;
use crate::node_type::build::ty;
use crate::node_type::http::within;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall, NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    let build = build("image.edit", "Asks a model to change a picture, by OpenAI's images API.")
        .input("image", ty::image(), "The picture: PNG, JPEG or WebP.")
        .input("prompt", Type::Text, "What is changed.")
        .input("mask", ty::image(), "A picture of the same size, transparent where the first one may change.")
        .optional();
    picturing(build).run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let (services, timeout) = (call.services.clone(), call.inputs.float("timeout")?);
    within(&services, timeout, edit(call)).await
}

async fn edit(call: NodeCall) -> Made {
    let call = with_whole_inputs(call).await?;
    let mut asker = Asker::new(&call, Purpose::Pictures)?;
    asker.check_openai("image.edit")?;
    let (image, prompt) = (call.inputs.value("image")?, call.inputs.text("prompt")?);
    if asker.is_offline() {
        asker.took_offline(prompt);
        let of = image.as_media().map(|media| media.hash.to_string()).unwrap_or_default();
        return made(&asker, stand_in(&call, prompt, &of).await?);
    }
    let picture = sendable(&call, "image", image, "picture").await?;
    let mask = match call.inputs.maybe("mask") {
        Some(mask) => Some(sendable(&call, "mask", mask, "mask").await?),
        None => None,
    };
    let model = asker.model().to_owned();
    let size = call.inputs.maybe("size").and_then(Value::as_text);
    let options = asker.chat(&call.inputs)?.options;
    let mut form = Form::new(&picture.0).field("model", &model).field("prompt", prompt);
    if let Some(size) = size {
        form = form.field("size", size);
    }
    form = with_options(form, &options)?.file("image", &picture.2, &picture.1, &picture.0);
    if let Some((bytes, mime, name)) = &mask {
        form = form.file("mask", name, mime, bytes);
    }
    let bytes = asker.fetch(EDIT, Sent::Form(form), true, |body| media::picture(&body)).await?;
    made(&asker, store(&call, bytes, "picture", MediaKind::Image).await?)
}
