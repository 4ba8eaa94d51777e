//! `audio.transcribe`

use fanlight_shared::media::MediaKind;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::ask::{Asker, Sent};
use super::stored::sendable;
use super::{build, options, requests, stand_in, usage, with_whole_inputs};
use crate::config::Purpose;
use crate::llm::media::{self, Segment, TRANSCRIBE, Transcript};
use crate::llm::multipart::Form;
use crate::node_type::http::within;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall, NodeType, Runner};

/// How long the stand-in takes for a word, in seconds.
const WORD_SECONDS: f64 = 0.4;

pub(super) fn node_type() -> NodeType {
    let build =
        build("audio.transcribe", "Asks a model what is said in a sound, by OpenAI's transcriptions API.")
            .input("audio", Type::Media(MediaKind::Audio), "The sound, of at most 25 MiB.")
            .input("language", Type::Text, "The language, such as `en`; by default the model finds out.")
            .optional()
            .input("prompt", Type::Text, "Names and words that appear in it.")
            .optional()
            .input("segments", Type::Bool, "Whether times are asked for, which not every model can say.")
            .default(true);
    stand_in(requests(options(build)))
        .output("text", Type::Text, "What is said.")
        .output(
            "segments",
            Type::Json,
            "A list of `{start, end, text}`, with times in seconds; empty without them.",
        )
        .output("language", Type::Text, "The language, if the provider says it.")
        .output("seconds", Type::Float, "How long the sound lasts, if the provider says it.")
        .output("usage", Type::Json, "Provider, model, tokens, and the cost if it is known.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let (services, timeout) = (call.services.clone(), call.inputs.float("timeout")?);
    within(&services, timeout, transcribe(call)).await
}

async fn transcribe(call: NodeCall) -> Made {
    let call = with_whole_inputs(call).await?;
    let mut asker = Asker::new(&call, Purpose::Transcripts)?;
    asker.check_openai("audio.transcribe")?;
    let (audio, segments) = (call.inputs.value("audio")?, call.inputs.flag("segments")?);
    let transcript = if asker.is_offline() {
        let transcript = scripted(&call.inputs, audio)?;
        asker.took_offline(&transcript.text);
        transcript
    } else {
        let (bytes, mime, name) = sendable(&call, "audio", audio, "audio").await?;
        let (model, options) = (asker.model().to_owned(), asker.chat(&call.inputs)?.options);
        let given = |name: &str| call.inputs.maybe(name).and_then(Value::as_text);
        let format = if segments { "verbose_json" } else { "json" };
        let mut form = Form::new(&bytes).field("model", &model).field("response_format", format);
        for name in ["language", "prompt"] {
            if let Some(text) = given(name) {
                form = form.field(name, text);
            }
        }
        let form = with_options(form, &options)?.file("file", &name, &mime, &bytes);
        let take = |body: Vec<u8>| media::transcript(&body, segments);
        asker.fetch(TRANSCRIBE, Sent::Form(form), true, take).await?
    };
    let list = transcript.segments.iter().map(|segment| {
        Value::Object(IndexMap::from([
            ("start".to_owned(), Value::Float(segment.start)),
            ("end".to_owned(), Value::Float(segment.end)),
            ("text".to_owned(), segment.text.as_str().into()),
        ]))
    });
    let mut values = Values::from([
        ("segments".to_owned(), Value::List(list.collect())),
        ("text".to_owned(), transcript.text.into()),
        ("usage".to_owned(), usage(&asker)),
    ]);
    values.extend(transcript.language.map(|it| ("language".to_owned(), it.into())));
    values.extend(transcript.seconds.map(|it| ("seconds".to_owned(), Value::Float(it))));
    Ok((values, Vec::new()))
}

/// Returns the transcript of the stand-in: what the node says, line by line, or segments with their times.
fn scripted(inputs: &Values, audio: &Value) -> Result<Transcript, String> {
    let name = audio.as_media().map(|media| media.name.as_str()).unwrap_or_default();
    let text = match inputs.maybe("offline") {
        None => format!("This is the stand-in `offline`, which is not a model. It was given {name}."),
        Some(Value::Text(text)) => text.clone(),
        Some(Value::List(items)) if items.iter().all(|item| item.as_text().is_some()) => {
            items.iter().filter_map(Value::as_text).collect::<Vec<_>>().join("\n")
        }
        Some(Value::List(items)) => {
            let items: Vec<Json> = items.iter().map(Value::to_json).collect();
            let segments =
                media::read_segments(&items).map_err(|error| format!("input `offline`: {error}"))?;
            return Ok(of_segments(segments));
        }
        Some(_) => {
            return Err("input `offline` is not text, a list of texts or a list of segments".to_owned());
        }
    };
    let mut at = 0.0;
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let segments = lines.map(|line| {
        let start = at;
        at += line.split_whitespace().count() as f64 * WORD_SECONDS;
        Segment { start, end: at, text: line.trim().to_owned() }
    });
    Ok(of_segments(segments.collect()))
}

fn of_segments(segments: Vec<Segment>) -> Transcript {
    let text = segments.iter().map(|it| it.text.as_str()).collect::<Vec<_>>().join("\n");
    let seconds = segments.last().map(|it| it.end);
    Transcript { text, seconds, segments, language: None }
}

/// Adds the options to a form: texts, numbers and flags, and lists of them as repeated fields.
///
/// # Errors
/// An option that a form can't have.
pub(super) fn with_options(mut form: Form, options: &Map<String, Json>) -> Result<Form, String> {
    for (name, value) in options {
        if !name.chars().all(|it| it.is_ascii_alphanumeric() || "_-[]".contains(it)) {
            return Err("input `options`: a name has characters that a form can't have".to_owned());
        }
        for value in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            form = match value {
                Json::String(text) => form.field(name, text),
                Json::Number(_) | Json::Bool(_) => form.field(name, &value.to_string()),
                _ => {
                    return Err(format!(
                        "input `options`: `{name}` is neither text, a number nor true or false"
                    ));
                }
            };
        }
    }
    Ok(form)
}
