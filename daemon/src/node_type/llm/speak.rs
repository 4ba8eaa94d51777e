//! `audio.speak`

use std::fs::File;

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::MediaKind;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use serde_json::json;

use super::ask::{Asker, Sent};
use super::stored::{store, store_made};
use super::{build, options, requests, usage, with_whole_inputs};
use crate::config::Purpose;
use crate::file_error::FileError;
use crate::llm::media::SPEAK;
use crate::llm::reply::Usage;
use crate::node_type::build::ty;
use crate::node_type::http::within;
use crate::node_type::typed_inputs::TypedInputs as _;
use crate::node_type::{Made, NodeCall, NodeType, Runner};
use crate::sound::synth::{Computed, Syllable, Voice};
use crate::sound::{Encoder, Format, Shape, from_db};
use crate::store::blob::Published;

/// The shape of the stand-in's voice.
const SHAPE: Shape = Shape { rate: 24_000, channels: 1, bits: 16 };
/// Its level, in decibels of full scale.
const LEVEL: f64 = -10.0;

pub(super) fn node_type() -> NodeType {
    let build = build("audio.speak", "Asks a model to speak a text, by OpenAI's speech API. The stand-in says the syllables of the text with a voice that can't be understood.")
        .input("text", Type::Text, "What is said.")
        .input("voice", Type::Text, "The voice, by the provider's name for it.")
        .default("alloy")
        .input("instructions", Type::Text, "How it is said, for models that follow instructions.")
        .optional()
        .input("speed", Type::Float, "How fast it is said; 1 is normal.")
        .default(1.0)
        .range(0.25, 4.0)
        .input("format", Type::Choice, "The format that the provider is asked for; the stand-in makes WAV or FLAC.")
        .default("wav")
        .choices(&["wav", "flac", "mp3"]);
    requests(options(build))
        .output("audio", ty::audio(), "The speech.")
        .output("usage", Type::Json, "Provider, model, tokens, and the cost if it is known.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let (services, timeout) = (call.services.clone(), call.inputs.float("timeout")?);
    within(&services, timeout, speak(call)).await
}

async fn speak(call: NodeCall) -> Made {
    let call = with_whole_inputs(call).await?;
    let mut asker = Asker::new(&call, Purpose::Speech)?;
    asker.check_openai("audio.speak")?;
    let inputs = &call.inputs;
    let text = inputs.text("text")?;
    if text.trim().is_empty() {
        return Err("input `text` is empty".into());
    }
    let (voice, speed, format) = (inputs.text("voice")?, inputs.float("speed")?, inputs.text("format")?);
    let (audio, published) = if asker.is_offline() {
        asker.took_offline(text);
        stand_in(&call, text, voice, speed, format).await?
    } else {
        let mut body = json!({
            "model": asker.model(),
            "input": text,
            "voice": voice,
            "speed": speed,
            "response_format": format,
        });
        if let Some(instructions) = inputs.maybe("instructions").and_then(Value::as_text) {
            body["instructions"] = instructions.into();
        }
        crate::llm::chat::merge(&mut body, &asker.chat(inputs)?.options);
        let take = |body: Vec<u8>| Ok((body, Usage::default()));
        let bytes = asker.fetch(SPEAK, Sent::Json(body), true, take).await?;
        store(&call, bytes, "speech", MediaKind::Audio).await?
    };
    let values = Values::from([("audio".to_owned(), audio), ("usage".to_owned(), usage(&asker))]);
    Ok((values, vec![published]))
}

/// Says the syllables of the text, with a pitch that follows from the name of the voice.
async fn stand_in(
    call: &NodeCall,
    text: &str,
    voice: &str,
    speed: f64,
    format: &str,
) -> Result<(Value, Published), FileError> {
    let format = match format {
        "wav" => Format::Wav,
        "flac" => Format::Flac,
        other => return Err(format!("the stand-in makes no `format: {other}`; use wav or flac").into()),
    };
    let syllables = Syllable::of_text(text, speed);
    if syllables.iter().all(Syllable::is_pause) {
        return Err("input `text` has nothing that can be said".into());
    }
    let seed = BlobHash::of(voice.as_bytes())
        .to_string()
        .bytes()
        .fold(7_i64, |sum, byte| sum.wrapping_mul(31).wrapping_add(i64::from(byte)));
    let level = from_db(LEVEL);
    store_made(call, "speech", MediaKind::Audio, move |path| {
        let mut voice = Voice::new(syllables.clone(), seed, SHAPE.rate);
        let frames = voice.frames();
        SHAPE.check_length(frames)?;
        let mut sound = Computed::new(SHAPE, frames, move |at| voice.sample(at) * level);
        let file = File::create(path).map_err(|error| FileError::of("the speech can't be stored", &error))?;
        Encoder::new(file, format, SHAPE)?.write(&mut sound, &mut |_| ())?;
        Ok(())
    })
    .await
}
