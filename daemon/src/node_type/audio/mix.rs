//! `audio.mix`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::made::{making, put};
use super::sound::{Sound, as_shape, widest};
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::{TypedInputs, check_lengths};
use crate::node_type::{NodeType, Runner, Workspace};
use crate::sound::{MAX_SECONDS, MAX_TRACKS, Mix, Shape, Shaped, Track, from_db, peak, to_db};

/// The gains that are accepted, in decibels.
const LEVELS: std::ops::RangeInclusive<f64> = -120.0..=120.0;

pub(super) fn node_type() -> NodeType {
    let build = Build::new("audio.mix", "Plays sounds at the same time, until the last one ends.")
        .input(
            "audios",
            ty::audio().list(),
            "The sounds. Those with other rates or channels are converted to the highest rate and the most channels among them.",
        )
        .input("levels", Type::Float.list(), "The gain of each sound, in decibels; 0 by default.")
        .optional()
        .input("starts", Type::Float.list(), "Where each sound begins, in seconds; 0 by default.")
        .optional()
        .input(
            "fit",
            Type::Bool,
            "Whether to lower the whole if it would exceed full scale; otherwise such a mix fails.",
        )
        .default(true);
    making(build, "The mix.")
        .output(
            "gain",
            Type::Float,
            "By how much the whole was lowered to fit, in decibels; 0 if it was not.",
        )
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let values = inputs.list("audios")?;
    if values.len() > MAX_TRACKS {
        return Err(format!(
            "`audios` has {} sounds; at most {MAX_TRACKS} are mixed at once, so mix some of them first",
            values.len()
        )
        .into());
    }
    let sounds = Sound::open_all(workspace, values)?;
    let numbers = |name: &str| -> Result<Vec<f64>, String> {
        let Some(given) = inputs.maybe(name) else { return Ok(vec![0.0; sounds.len()]) };
        let given = given.as_list().unwrap_or_default();
        check_lengths(("audios", values), (name, given))?;
        Ok(given.iter().filter_map(Value::as_float).collect())
    };
    let (levels, starts) = (numbers("levels")?, numbers("starts")?);
    if starts.iter().any(|start| !(0.0..=MAX_SECONDS as f64).contains(start)) {
        return Err(format!("`starts` has a number that is not within 0 and {MAX_SECONDS} seconds").into());
    }
    if levels.iter().any(|level| !LEVELS.contains(level)) {
        let (low, high) = (LEVELS.start(), LEVELS.end());
        return Err(format!("`levels` has a number that is not within {low} and {high} decibels").into());
    }
    let shape = widest(&sounds);
    let placed: Vec<Placed> = (sounds.iter().zip(&levels).zip(&starts))
        .map(|((sound, level), start)| Placed { sound, level: from_db(*level), start: shape.frames(*start) })
        .collect();
    let length = |it: &Placed| it.start + it.sound.frames_as(shape);
    let frames = placed.iter().map(length).max().unwrap_or(0);
    shape.check_length(frames)?;
    let peak = peak(&mut mix(&placed, shape)?)?;
    let factor = if peak > 1.0 { 1.0 / peak } else { 1.0 };
    if factor < 1.0 && !inputs.flag("fit")? {
        return Err(format!(
            "the mix exceeds full scale by {:.2} dB; lower `levels`, or set `fit: true`",
            to_db(peak)
        )
        .into());
    }
    let mut whole = Shaped::new(mix(&placed, shape)?, move |_| factor);
    let mut made = put(workspace, &inputs, "mix", frames, &mut whole)?;
    made.insert("gain".to_owned(), Value::Float(to_db(factor)));
    Ok(made)
}

/// A sound and its place in the mix.
struct Placed<'a> {
    sound: &'a Sound,
    level: f32,
    /// A frame of the mix.
    start: u64,
}

fn mix(placed: &[Placed], shape: Shape) -> Result<Mix, String> {
    let track = |it: &Placed| Ok(Track::new(as_shape(it.sound, shape)?, it.level, it.start));
    Ok(Mix::new(shape, placed.iter().map(track).collect::<Result<_, String>>()?))
}
