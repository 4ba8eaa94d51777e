//! `video.create`

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::run::AttemptEnd;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use serde_json::json;

use super::ask::{Asker, Sent, Withdrawal, path_of};
use super::picture::{label, mixed, size};
use super::runs::Runs;
use super::stored::{extension, received, sendable, word};
use super::transcribe::with_options;
use super::{build, options, requests_within, usage, with_whole_inputs};
use crate::child::Source;
use crate::config::Purpose;
use crate::file_error::FileError;
use crate::llm::media::{VIDEOS, VideoState, video};
use crate::llm::multipart::Form;
use crate::node_type::build::ty;
use crate::node_type::http::within;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall, NodeType, Runner};
use crate::services::Level;
use crate::store::blob::Published;

const WHAT: &str = "video.create";
/// The first time between two looks at an order, and the longest.
const FIRST_POLL_DELAY: Duration = Duration::from_millis(500);
const MAX_POLL_DELAY: Duration = Duration::from_secs(10);
/// How long an order may take to be withdrawn.
const WITHDRAW_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest video, in bytes.
const MAX_VIDEO_BYTES: u64 = 2 << 30;
/// The stand-in: its size, its length in seconds, and how many pictures it has in a second.
const STAND_IN: (u32, u32) = (640, 360);
const SECONDS: i64 = 4;
const FPS: i64 = 8;
/// How far its picture moves between two of them, in pixels.
const STEP: i64 = 6;

pub(super) fn node_type() -> NodeType {
    let build = build(WHAT, "Asks a model for a video, by OpenAI's videos API. The stand-in moves over a painted picture, for which it needs the program ffmpeg.")
        .input("prompt", Type::Text, "What the video shows.")
        .input("image", ty::image(), "A picture that guides it, often its first one: PNG, JPEG or WebP.")
        .optional()
        .input("seconds", Type::Int, "How long it lasts; by default what the model makes, and 4 of the stand-in.")
        .optional()
        .range(1.0, 120.0)
        .input("size", Type::Text, "The size in pixels, such as `1280x720`; by default what the model makes.")
        .optional()
        .input("seed", Type::Int, "The seed of the stand-in; each one gives another video.")
        .default(1_i64);
    requests_within(options(build), 1800.0)
        .output("video", ty::video(), "The video.")
        .output("usage", Type::Json, "Provider, model, tokens, and the cost if the provider says it.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let (services, timeout) = (call.services.clone(), call.inputs.float("timeout")?);
    let (open, runs) = (Mutex::new(None), Runs::new(services.cancel()));
    let made = within(&services, timeout, create(call, &open, &runs)).await;
    runs.close().await;
    let open: Option<Withdrawal> = open.lock().unwrap_or_else(PoisonError::into_inner).take();
    // Nobody will fetch it, and it would be paid for.
    if let Some(open) = open {
        match tokio::time::timeout(WITHDRAW_TIMEOUT, open.send()).await {
            Ok(Ok(())) => services.log(Level::Info, "the order was withdrawn"),
            Ok(Err(why)) => services.log(Level::Warn, &format!("the order can't be withdrawn: {why}")),
            Err(_) => services.log(Level::Warn, "the order can't be withdrawn: the provider does not answer"),
        }
    }
    made
}

async fn create(call: NodeCall, open: &Mutex<Option<Withdrawal>>, runs: &Runs) -> Made {
    let call = with_whole_inputs(call).await?;
    let mut asker = Asker::new(&call, Purpose::Videos)?;
    asker.check_openai(WHAT)?;
    let inputs = &call.inputs;
    if asker.is_offline() {
        asker.took_offline(inputs.text("prompt")?);
        let (video, published) = stand_in(&call, runs).await?;
        return made(&asker, video, published);
    }
    let sent = request(&call, &asker).await?;
    let set = |order: Option<Withdrawal>| *open.lock().unwrap_or_else(PoisonError::into_inner) = order;
    let mut order = asker.order(VIDEOS, &sent, video).await?;
    let path = path_of(VIDEOS, &order.id)?;
    set(Some(asker.withdrawal(&path)));
    call.services.log(Level::Info, &format!("the provider makes it as `{}`", order.id));
    let mut delay = FIRST_POLL_DELAY;
    loop {
        let (share, state) = match &order.state {
            VideoState::Made => break,
            VideoState::Failed(why) => {
                set(None);
                return Err(format!(
                    "the provider `{}` did not make the video: {}",
                    asker.provider(),
                    asker.shown(why)
                )
                .into());
            }
            VideoState::Waits(share, state) => (*share, asker.shown(state)),
        };
        call.services.progress(share, Some(&state));
        tokio::time::sleep(delay).await;
        delay = (delay * 3 / 2).min(MAX_POLL_DELAY);
        order = asker.look(&path, video).await?;
    }
    asker.charge(std::mem::take(&mut order.usage));
    call.services.progress(Some(1.0), Some("fetches it"));
    let body = asker.receive(&format!("{path}/content"), MAX_VIDEO_BYTES).await?;
    // It was made and fetched, so there is nothing to withdraw.
    set(None);
    let (found, published) = received(&call, body, "video").await?;
    if found.kind != MediaKind::Video {
        let what = if found.bytes == 0 { "nothing" } else { &found.mime };
        return Err(format!("the provider sent {what} instead of {}", word(MediaKind::Video)).into());
    }
    let name = format!("video.{}", extension(&found.mime).unwrap_or("bin"));
    made(&asker, Value::from(Media { name, executable: false, ..found }), vec![published])
}

fn made(asker: &Asker, video: Value, published: Vec<Published>) -> Made {
    Ok((Values::from([("video".to_owned(), video), ("usage".to_owned(), usage(asker))]), published))
}

/// Returns what is ordered: as JSON, or as a form if there is a picture.
async fn request(call: &NodeCall, asker: &Asker) -> Result<Sent, FileError> {
    let inputs = &call.inputs;
    let (prompt, options) = (inputs.text("prompt")?, asker.chat(inputs)?.options);
    let mut fields = vec![("model", asker.model().to_owned()), ("prompt", prompt.to_owned())];
    fields.extend(inputs.maybe("seconds").and_then(Value::as_int).map(|it| ("seconds", it.to_string())));
    fields.extend(inputs.maybe("size").and_then(Value::as_text).map(|it| ("size", it.to_owned())));
    let Some(image) = inputs.maybe("image") else {
        let mut body = json!({});
        fields.into_iter().for_each(|(name, value)| body[name] = value.into());
        crate::llm::chat::merge(&mut body, &options);
        return Ok(Sent::Json(body));
    };
    let (bytes, mime, name) = sendable(call, "image", image, "picture").await?;
    let mut form = Form::new(&bytes);
    for (name, value) in &fields {
        form = form.field(name, value);
    }
    Ok(Sent::Form(with_options(form, &options)?.file("input_reference", &name, &mime, &bytes)))
}

/// Makes the video of the stand-in by a run, since only workers start ffmpeg.
async fn stand_in(call: &NodeCall, runs: &Runs) -> Result<(Value, Vec<Published>), FileError> {
    let inputs = &call.inputs;
    let prompt = inputs.text("prompt")?;
    let (width, height) = size(inputs.maybe("size").and_then(Value::as_text), STAND_IN)?;
    let pictures = inputs.maybe("seconds").and_then(Value::as_int).unwrap_or(SECONDS) * FPS;
    let of =
        inputs.maybe("image").and_then(Value::as_media).map(|it| it.hash.to_string()).unwrap_or_default();
    let seed = mixed(&format!("{of}{prompt}"), inputs.int("seed")?) & i64::from(u32::MAX);
    let int = |value: i64| Value::Int(value);
    let params = [
        ("label", label(prompt).into()),
        ("seed", int(seed)),
        ("width", int(width.into())),
        ("wide", int(i64::from(width) + pictures * STEP)),
        ("height", int(height.into())),
        ("pictures", int(pictures)),
    ];
    let document = json!({
        "name": "video stand-in",
        "params": {
            "label": {"type": "text"}, "seed": {"type": "int"}, "width": {"type": "int"}, "wide": {"type": "int"},
            "height": {"type": "int"}, "pictures": {"type": "int"},
        },
        "nodes": {
            "scene": {"uses": "image.generate", "keep": false, "with": {
                "style": "hills", "seed": "${{ params.seed }}", "width": "${{ params.wide }}", "height": "${{ params.height }}",
            }},
            "view": {"each": "${{ range(params.pictures) }}", "uses": "image.crop", "keep": false, "with": {
                "image": "${{ scene.image }}", "x": format!("${{{{ item * {STEP} }}}}"), "width": "${{ params.width }}",
            }},
            "labelled": {"each": "${{ view.image }}", "uses": "image.text", "keep": false, "with": {
                "image": "${{ item }}", "text": "${{ params.label }}", "position": "top", "size": 0.06, "shadow": 0.6,
            }},
            "film": {"uses": "video.from_frames", "with": {"images": "${{ labelled.image }}", "fps": FPS}},
        },
        "outputs": {"video": "${{ film.video }}"},
    });
    let source = Source::Document { text: document.to_string(), tool: "stand-in".to_owned() };
    let params = params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let outcome = runs.run(call, source, params).await?;
    let outputs = outcome.values.get("outputs");
    let video = match outputs {
        Some(Value::Object(outputs)) => outputs.get("video").cloned(),
        _ => None,
    };
    match (outcome.end, video) {
        (AttemptEnd::Completed, Some(video)) => Ok((video, outcome.blobs)),
        _ => {
            Err(outcome.error.map_or_else(|| "the stand-in made no video".to_owned(), |it| it.message).into())
        }
    }
}
