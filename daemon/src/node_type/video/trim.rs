//! `video.trim`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::film::{Film, MAX_SECONDS};
use super::made::{EVEN, H264, MP4, Making, making};
use crate::ffmpeg::Ffmpeg;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

const WHAT: &str = "video.trim";

pub(super) fn node_type() -> NodeType {
    let build = Build::new(
        WHAT,
        "Cuts out a part of a video. It is encoded again, so that it begins and ends exactly there.",
    )
    .input("video", ty::video(), "The video.")
    .input("start", Type::Float, "Where the part begins, in seconds.")
    .default(0.0)
    .range(0.0, MAX_SECONDS)
    .input("end", Type::Float, "Where it ends, in seconds; by default at the end of the video.")
    .optional()
    .range(0.0, MAX_SECONDS);
    making(build, "The part, as MP4.").run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let film = Film::open(workspace, inputs.value("video")?, WHAT)?;
    let start = inputs.float("start")?;
    let end = if inputs.maybe("end").is_some() { inputs.float("end")? } else { film.seconds() };
    if start >= film.seconds() {
        return Err(format!("`start` is not within the video, which lasts {:.3} s", film.seconds()).into());
    }
    // A length that is written down was rounded.
    if end > film.seconds() + 0.01 {
        return Err(
            format!("`end` is after the end of the video, which lasts {:.3} s", film.seconds()).into()
        );
    }
    if start >= end {
        return Err("`end` is not after `start`".into());
    }
    let making = Making::new(workspace, &film.renamed("mp4"), WHAT);
    let mut ffmpeg = Ffmpeg::new();
    ffmpeg.args(["-ss", &start.to_string(), "-t", &(end - start).to_string()]).input(&film.path);
    ffmpeg.args(["-map", "0:V:0", "-vf", EVEN]).args(H264);
    match film.sound() {
        // Its packets don't begin where pictures do.
        Some(_) => ffmpeg.args(["-map", "0:a:0", "-c:a", "aac", "-b:a", "192k"]),
        None => ffmpeg.args(["-an"]),
    };
    ffmpeg.args(MP4);
    making.run(ffmpeg, end - start)
}
