//! `audio.concat`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::made::{making, put};
use super::sound::{Sound, as_shape, widest};
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};
use crate::sound::Chain;

pub(super) fn node_type() -> NodeType {
    let build = Build::new("audio.concat", "Plays sounds one after the other.")
        .input(
            "audios",
            ty::audio().list(),
            "The sounds. Those with other rates or channels are converted to the highest rate and the most channels among them.",
        )
        .input("gap", Type::Float, "The silence between two of them, in seconds.")
        .default(0.0)
        .range(0.0, 3600.0);
    making(build, "All of them.").run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let sounds = Sound::open_all(workspace, inputs.list("audios")?)?;
    let shape = widest(&sounds);
    let gap = shape.frames(inputs.float("gap")?);
    let frames = sounds.iter().map(|it| it.frames_as(shape)).sum::<u64>() + gap * (sounds.len() as u64 - 1);
    shape.check_length(frames)?;
    let sources = sounds.iter().map(|it| as_shape(it, shape));
    put(workspace, &inputs, "concat", frames, &mut Chain::new(shape, sources, gap)?)
}
