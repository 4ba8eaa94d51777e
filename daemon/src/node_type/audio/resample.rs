//! `audio.resample`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::made::{making, put};
use super::sound::{Sound, as_shape};
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};
use crate::sound::Shape;

pub(super) fn node_type() -> NodeType {
    let build = Build::new("audio.resample", "Changes the rate of a sound, or its channels.")
        .input("audio", ty::audio(), "The sound.")
        .input("rate", Type::Int, "The frames per second; by default as they are.")
        .optional()
        .range(4000.0, 384_000.0)
        .input(
            "channels",
            Type::Int,
            "The number of channels; by default as it is. One becomes several that are the same, and two become one, their mean.",
        )
        .optional()
        .range(1.0, 8.0);
    making(build, "The converted sound.").run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let sound = Sound::open(workspace, inputs.value("audio")?)?;
    let given = |name: &str| inputs.maybe(name).map(|_| inputs.count(name)).transpose();
    let (rate, channels) = (given("rate")?, given("channels")?);
    if rate.is_none() && channels.is_none() {
        return Err("neither `rate` nor `channels` is given; set one of them".into());
    }
    let shape = Shape {
        rate: rate.unwrap_or(sound.shape.rate),
        channels: channels.map_or(sound.shape.channels, |it| it as usize),
        ..sound.shape
    };
    put(workspace, &inputs, &sound.name, sound.frames_as(shape), &mut *as_shape(&sound, shape)?)
}
