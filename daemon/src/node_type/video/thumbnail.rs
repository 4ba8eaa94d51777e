//! `video.thumbnail`

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::film::{Film, MAX_SECONDS, ROUNDING};
use super::made::TIME;
use crate::ffmpeg::Ffmpeg;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::{TypedInputs, one};
use crate::node_type::{NodeType, Runner, Workspace};

const WHAT: &str = "video.thumbnail";

pub(super) fn node_type() -> NodeType {
    Build::new(WHAT, "Takes one picture out of a video.")
        .input("video", ty::video(), "The video.")
        .input("at", Type::Float, "The moment, in seconds.")
        .default(0.0)
        .range(0.0, MAX_SECONDS)
        .time(TIME)
        .output("image", ty::image(), "The picture that is shown at that moment, as PNG.")
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let film = Film::open(workspace, inputs.value("video")?, WHAT)?;
    let at = inputs.float("at")?;
    if at >= film.end() {
        return Err(format!("`at` is not within the video, which lasts {:.3} s", film.end()).into());
    }
    // A seek finds the next picture, not the one that is shown.
    let seek = (film.picture_at(at, WHAT)? - ROUNDING).max(0.0);
    let (path, value) = workspace.reserve(&film.renamed("png"));
    let mut ffmpeg = Ffmpeg::new();
    ffmpeg.args(["-ss", &seek.to_string()]).input(&film.path);
    ffmpeg.args([
        "-map",
        "0:V:0",
        "-frames:v",
        "1",
        "-c:v",
        "png",
        "-pix_fmt",
        "rgb24",
        "-f",
        "image2",
        "-update",
        "1",
    ]);
    ffmpeg.args([&path]);
    ffmpeg.run(WHAT)?;
    if !path.exists() {
        return Err(film.error(&format!("there is no picture at {at} s")));
    }
    Ok(one("image", value))
}
