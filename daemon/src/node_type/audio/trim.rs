//! `audio.trim`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::made::{making, put};
use super::sound::Sound;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};
use crate::sound::Parts;

pub(super) fn node_type() -> NodeType {
    let build = Build::new("audio.trim", "Keeps a part of a sound.")
        .input("audio", ty::audio(), "The sound.")
        .input("start", Type::Float, "Where the part begins, in seconds.")
        .default(0.0)
        .range(0.0, 14_400.0)
        .input("end", Type::Float, "Where it ends, in seconds; by default at the end of the sound.")
        .optional()
        .range(0.0, 14_400.0);
    making(build, "The part.").run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let sound = Sound::open(workspace, inputs.value("audio")?)?;
    let start = sound.shape.frames(inputs.float("start")?);
    let end = match inputs.maybe("end") {
        Some(_) => sound.shape.frames(inputs.float("end")?),
        None => sound.frames,
    };
    let length = sound.seconds();
    if end > sound.frames {
        return Err(format!("`end` is after the end of the sound, which lasts {length:.3} s").into());
    }
    if start >= end {
        return Err(match inputs.maybe("end") {
            Some(_) => "`end` is not after `start`".into(),
            None => format!("`start` is not within the sound, which lasts {length:.3} s").into(),
        });
    }
    let mut part = Parts::new(sound.source()?, std::iter::once(start..end));
    put(workspace, &inputs, &sound.name, end - start, &mut part)
}
