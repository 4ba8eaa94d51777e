//! `video.extract_audio`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::film::{Film, whole};
use super::made::{TIME, check_length, run as run_ffmpeg};
use crate::ffmpeg::{Ffmpeg, SOUND_FORMATS, sound_format};
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

const WHAT: &str = "video.extract_audio";
/// What MP3 and AAC of a low rate add to a sound, in seconds.
const PADDING: f64 = 0.2;

pub(super) fn node_type() -> NodeType {
    Build::new(WHAT, "Takes the sound of a video; of several, the first.")
        .input("video", ty::video(), "The video.")
        .input("format", Type::Choice, "The format of the sound.")
        .default("wav")
        .choices(&SOUND_FORMATS)
        .time(TIME)
        .output("audio", ty::audio(), "The sound.")
        .output("seconds", Type::Float, "How long it lasts, in seconds.")
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let film = Film::open(workspace, inputs.value("video")?, WHAT)?;
    let Some(sound) = film.sound() else { return Err(film.error("the video has no sound")) };
    let format = inputs.text("format")?;
    let (name, seconds) = (film.renamed(format), sound.seconds());
    let (path, value) = workspace.reserve(&name);
    let mut ffmpeg = Ffmpeg::new();
    ffmpeg.input(&film.path).args(["-map", "0:a:0", "-vn", "-map_metadata", "-1", "-fflags", "+bitexact"]);
    ffmpeg.args(sound_format(format)).args([&path]);
    run_ffmpeg(ffmpeg, workspace.services(), WHAT, (0.0, 1.0), seconds)?;
    let bytes = std::fs::metadata(&path).map_or(0, |meta| meta.len());
    if format == "wav" && bytes > u64::from(u32::MAX) {
        return Err(film.error("its sound is too large for WAV, which holds 4 GiB; set `format: flac`"));
    }
    let made = whole(&path, &name, WHAT)?;
    let made = made.first("audio").map_or(0.0, super::probe::Stream::seconds);
    check_length(WHAT, made, seconds, PADDING)?;
    Ok([("audio".to_owned(), value), ("seconds".to_owned(), Value::Float(made))].into())
}
