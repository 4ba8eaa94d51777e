//! `audio.load`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::made::{making, put};
use super::sound::Sound;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

pub(super) fn node_type() -> NodeType {
    let build = Build::new(
        "audio.load",
        "Decodes a sound file; one that is damaged, empty or longer than 4 hours is refused.",
    )
    .input(
        "file",
        ty::file(),
        "The file: WAV, FLAC, MP3, Ogg Vorbis, or AAC in an MP4 file; of a video, its sound.",
    );
    making(build, "The sound, with the rate and channels of the file.")
        .output("rate", Type::Int, "Its frames per second.")
        .output("channels", Type::Int, "The number of its channels.")
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let sound = Sound::open(workspace, inputs.value("file")?)?;
    let mut made = put(workspace, &inputs, &sound.name, sound.frames, &mut *sound.source()?)?;
    made.insert("rate".to_owned(), Value::Int(i64::from(sound.shape.rate)));
    made.insert("channels".to_owned(), Value::Int(sound.shape.channels as i64));
    Ok(made)
}
