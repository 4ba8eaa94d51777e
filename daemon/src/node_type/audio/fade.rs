//! `audio.fade`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::made::{making, put};
use super::sound::Sound;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};
use crate::sound::Shaped;

pub(super) fn node_type() -> NodeType {
    let build = Build::new("audio.fade", "Lets a sound begin and end softly.")
        .input("audio", ty::audio(), "The sound.")
        .input("fade_in", Type::Float, "How long it rises at the beginning, in seconds.")
        .default(0.0)
        .range(0.0, 14_400.0)
        .input("fade_out", Type::Float, "How long it falls at the end, in seconds.")
        .default(0.0)
        .range(0.0, 14_400.0)
        .input("curve", Type::Choice, "How: `linear`, or `smooth` without an edge at either end.")
        .default("smooth")
        .choices(&["smooth", "linear"]);
    making(build, "The sound with its fades.").run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let sound = Sound::open(workspace, inputs.value("audio")?)?;
    let frames = sound.frames;
    let fade = |name: &str| Ok::<_, String>(sound.shape.frames(inputs.float(name)?));
    let (rise, fall) = (fade("fade_in")?, fade("fade_out")?);
    if rise + fall > frames {
        return Err(
            format!("the fades are longer than the sound, which lasts {:.3} s", sound.seconds()).into()
        );
    }
    let smooth = inputs.text("curve")? == "smooth";
    let factor = move |at: u64| {
        let share = |part: u64, of: u64| if part >= of { 1.0 } else { part as f32 / of as f32 };
        let linear = share(at, rise).min(share(frames.saturating_sub(at + 1), fall));
        if smooth { linear * linear * (3.0 - 2.0 * linear) } else { linear }
    };
    put(workspace, &inputs, &sound.name, frames, &mut Shaped::new(sound.source()?, factor))
}
