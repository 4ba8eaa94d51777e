//! `video.add_audio`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::film::{Film, MAX_SECONDS, whole};
use super::made::{EVEN, H264, MP4, Making, making};
use crate::ffmpeg::Ffmpeg;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

const WHAT: &str = "video.add_audio";

pub(super) fn node_type() -> NodeType {
    let build = Build::new(WHAT, "Adds a sound to a video, or replaces the one that it has.")
        .input("video", ty::video(), "The video.")
        .input("audio", ty::audio(), "The sound.")
        .input(
            "length",
            Type::Choice,
            "The length of the result. `video`: a longer sound is cut off, a shorter one is followed by silence; `audio`: a longer \
             video is cut off, and the last picture of a shorter one stays.",
        )
        .default("video")
        .choices(&["video", "audio"]);
    making(build, "The video with the sound, as MP4.").run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let film = Film::open(workspace, inputs.value("video")?, WHAT)?;
    let audio = inputs.value("audio")?;
    let (path, name) = (workspace.path(audio)?, Workspace::name_of(audio).to_owned());
    let sound = whole(&path, &name, WHAT)?;
    let sound = sound.first("audio").map(super::probe::Stream::seconds).unwrap_or_default();
    if sound <= 0.0 || sound > MAX_SECONDS {
        return Err(format!("`{name}` is not a sound of up to 4 hours").into());
    }
    let making = Making::new(workspace, &film.renamed("mp4"), WHAT);
    let seconds = if inputs.text("length")? == "audio" { sound } else { film.seconds() };
    let length = format!("{seconds:.6}");
    let mut ffmpeg = Ffmpeg::new();
    // The pictures may begin later than at 0, so that a length of the result would leave out the last of them.
    ffmpeg.input(&film.path).args(["-t", &length]).input(&path);
    ffmpeg.args(["-map", "0:V:0", "-map", "1:a:0", "-c:a", "aac", "-b:a", "192k"]);
    if (seconds - film.seconds()).abs() < 1e-6 && film.is_h264() {
        ffmpeg.args(["-c:v", "copy"]);
    } else {
        let rest = (seconds - film.seconds()).max(0.0);
        let filter = format!("setpts=PTS-STARTPTS,{EVEN},tpad=stop_mode=clone:stop_duration={rest:.6}");
        ffmpeg.args(["-vf", &filter]).args(H264).args(["-t", &length]);
    }
    ffmpeg.args(MP4);
    making.run(ffmpeg, seconds)
}
