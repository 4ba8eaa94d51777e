//! `audio.silence`

use std::ops::Range;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::made::{making, put};
use super::sound::Sound;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};
use crate::sound::{Parts, each_block, from_db};

/// The steps in which silence is looked for, in seconds.
const STEP: f64 = 0.01;

pub(super) fn node_type() -> NodeType {
    let build = Build::new("audio.silence", "Removes silence from a sound.")
        .input("audio", ty::audio(), "The sound.")
        .input(
            "threshold",
            Type::Float,
            "The level below which a sound is silence, in decibels below full scale.",
        )
        .default(-50.0)
        .range(-120.0, 0.0)
        .input("longest", Type::Float, "The longest silence that stays as it is, in seconds.")
        .default(0.5)
        .range(0.02, 3600.0)
        .input("keep", Type::Float, "How much stays of a longer silence, in seconds; less than `longest`.")
        .default(0.2)
        .range(0.0, 3600.0)
        .input("where", Type::Choice, "Where: everywhere, or only at the beginning and the end.")
        .default("everywhere")
        .choices(&["everywhere", "ends"]);
    making(build, "The sound without its silence.")
        .output("removed", Type::Float, "How much was removed, in seconds.")
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let (longest, keep) = (inputs.float("longest")?, inputs.float("keep")?);
    if keep > longest {
        return Err("`keep` is more than `longest`".into());
    }
    let sound = Sound::open(workspace, inputs.value("audio")?)?;
    let threshold = from_db(inputs.float("threshold")?);
    let silences = silences(&sound, threshold, sound.shape.frames(longest))?;
    if silences.first().is_some_and(|it| *it == (0..sound.frames)) {
        let name = fanlight_shared::value::cut(&sound.name, 60);
        return Err(format!("`{name}` is silent as a whole, so nothing would be left").into());
    }
    let ends = inputs.text("where")? == "ends";
    let parts = retained(&silences, sound.frames, sound.shape.frames(keep), ends);
    let frames = parts.iter().map(|it| it.end - it.start).sum();
    let removed = sound.shape.seconds(sound.frames - frames);
    let mut made = put(workspace, &inputs, &sound.name, frames, &mut Parts::new(sound.source()?, parts))?;
    made.insert("removed".to_owned(), Value::Float(removed));
    Ok(made)
}

/// Returns the silences that are longer than `longest`, in frames.
fn silences(sound: &Sound, threshold: f32, longest: u64) -> Result<Vec<Range<u64>>, String> {
    let (channels, step) = (sound.shape.channels, sound.shape.frames(STEP).max(1));
    let mut found = Vec::new();
    let (mut at, mut start, mut loud) = (0_u64, None, false);
    let mut end_of_step = |at: u64, loud: bool, step: u64| match (loud, start) {
        (false, None) => start = Some(at - step),
        (true, Some(from)) => {
            start = None;
            if at - step - from > longest {
                found.push(from..at - step);
            }
        }
        _ => {}
    };
    each_block(&mut *sound.source()?, |block| {
        for frame in block.chunks_exact(channels) {
            loud |= frame.iter().any(|sample| sample.abs() >= threshold);
            at += 1;
            if at % step == 0 {
                end_of_step(at, loud, step);
                loud = false;
            }
        }
    })?;
    if at % step > 0 {
        end_of_step(at, loud, at % step);
    }
    if let Some(from) = start.filter(|from| at - from > longest || *from == 0) {
        found.push(from..at);
    }
    Ok(found)
}

/// Returns the parts that stay: all but the middles of the silences.
fn retained(silences: &[Range<u64>], frames: u64, keep: u64, ends: bool) -> Vec<Range<u64>> {
    let (mut parts, mut from) = (Vec::new(), 0);
    for silence in silences {
        let (first, last) = (silence.start == 0, silence.end == frames);
        if ends && !first && !last {
            continue;
        }
        // The retained silence is next to the sound.
        let before = if first {
            0
        } else if last {
            keep
        } else {
            keep / 2
        };
        parts.push(from..silence.start + before);
        from = silence.end - (keep - before);
    }
    parts.push(from..frames);
    parts.retain(|part| part.start < part.end);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stays_of_a_silence_is_beside_the_sound() {
        let silences = [0..100, 300..500, 900..1000];
        assert_eq!(retained(&silences, 1000, 20, false), [80..310, 490..920]);
        assert_eq!(retained(&silences, 1000, 0, false), [100..300, 500..900]);
        assert_eq!(retained(&silences, 1000, 20, true), vec![80..920]);
        assert_eq!(retained(&[], 1000, 20, false), vec![0..1000]);
    }
}
