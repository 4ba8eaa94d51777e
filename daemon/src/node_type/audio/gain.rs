//! `audio.gain`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::made::{making, put};
use super::sound::Sound;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};
use crate::sound::{Shaped, from_db, peak, to_db};

pub(super) fn node_type() -> NodeType {
    let build = Build::new("audio.gain", "Makes a sound louder or softer.")
        .input("audio", ty::audio(), "The sound.")
        .input("gain", Type::Float, "By how much, in decibels; a sound that would exceed full scale fails.")
        .range(-120.0, 120.0);
    making(build, "The louder or softer sound.").run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let sound = Sound::open(workspace, inputs.value("audio")?)?;
    let gain = inputs.float("gain")?;
    let factor = from_db(gain);
    let peak = peak(&mut *sound.source()?)?;
    if peak * factor > 1.0 {
        return Err(format!(
            "with a gain of {gain} dB the sound exceeds full scale by {:.2} dB; lower `gain`, or use audio.loudness",
            to_db(peak * factor)
        )
        .into());
    }
    put(workspace, &inputs, &sound.name, sound.frames, &mut Shaped::new(sound.source()?, move |_| factor))
}
