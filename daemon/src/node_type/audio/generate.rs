//! `audio.generate`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::made::{making, put};
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};
use crate::sound::synth::{Computed, Melody, Syllable, Voice, wave};
use crate::sound::{Shape, from_db};
use fanlight_shared::rng::Rng;

pub(super) fn node_type() -> NodeType {
    let build = Build::new("audio.generate", "Computes a sound; the same inputs give the same sound.")
        .input(
            "kind",
            Type::Choice,
            "The kind: `melody` plays notes and `voice` says syllables without meaning, both from a seed.",
        )
        .default("melody")
        .choices(&["tone", "noise", "melody", "voice"])
        .input("seconds", Type::Float, "How long it lasts.")
        .default(4.0)
        .range(0.01, 3600.0)
        .input("frequency", Type::Float, "The frequency of a tone, in hertz; at most half of the rate.")
        .default(440.0)
        .range(1.0, 96_000.0)
        .input("wave", Type::Choice, "The form of a tone.")
        .default("sine")
        .choices(&["sine", "square", "triangle", "saw"])
        .input("seed", Type::Int, "The seed of noise, a melody or a voice; each one gives another sound.")
        .default(1_i64)
        .input("level", Type::Float, "The level, in decibels below full scale.")
        .default(-12.0)
        .range(-120.0, 0.0)
        .input("rate", Type::Int, "The frames per second.")
        .default(44_100_i64)
        .range(8000.0, 192_000.0)
        .input("channels", Type::Int, "The number of channels, which are all the same.")
        .default(1_i64)
        .range(1.0, 8.0);
    making(build, "The sound.").run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let kind = inputs.text("kind")?;
    let rate = inputs.count("rate")?;
    let shape = Shape { rate, channels: inputs.count("channels")? as usize, bits: 16 };
    let (seconds, seed) = (inputs.float("seconds")?, inputs.int("seed")?);
    let sample = sample(kind, &inputs, rate, seconds, seed)?;
    let level = from_db(inputs.float("level")?);
    let frames = shape.frames(seconds);
    let mut sound = Computed::new(shape, frames, scaled(sample, level));
    put(workspace, &inputs, kind, frames, &mut sound)
}

type Sample = Box<dyn FnMut(u64) -> f32>;

fn scaled(mut sample: Sample, level: f32) -> impl FnMut(u64) -> f32 {
    move |frame| sample(frame) * level
}

fn sample(kind: &str, inputs: &Values, rate: u32, seconds: f64, seed: i64) -> Result<Sample, String> {
    Ok(match kind {
        "tone" => {
            let frequency = inputs.float("frequency")?;
            if frequency > f64::from(rate) / 2.0 {
                return Err(format!(
                    "input `frequency`: {rate} frames a second hold at most {} Hz; raise `rate`",
                    rate / 2
                ));
            }
            let (form, rate) = (inputs.text("wave")?.to_owned(), f64::from(rate));
            Box::new(move |frame| wave(&form, frame as f64 / rate * frequency))
        }
        "noise" => {
            let mut rng = Rng::new(seed);
            Box::new(move |_| rng.within(-1.0, 1.0))
        }
        "voice" => {
            let mut voice = Voice::new(Syllable::babble(seed, seconds), seed, rate);
            Box::new(move |frame| voice.sample(frame))
        }
        _ => {
            let mut melody = Melody::new(seed, seconds, rate);
            Box::new(move |frame| melody.sample(frame))
        }
    })
}
