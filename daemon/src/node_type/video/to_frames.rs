//! `video.to_frames`

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::film::{Film, renamed};
use super::made::{TIME, run as run_ffmpeg};
use crate::ffmpeg::Ffmpeg;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

const WHAT: &str = "video.to_frames";
/// What a picture lasts while it is written, in seconds: more than in any video.
const DISTANCE: u32 = 1000;
const MAX_FRAMES: f64 = 2_000.0;

pub(super) fn node_type() -> NodeType {
    Build::new(WHAT, "Extracts pictures from a video at regular intervals.")
        .input("video", ty::video(), "The video.")
        .input("every", Type::Int, "Take the first of this many pictures: 1 takes all of them.")
        .default(1_i64)
        .range(1.0, 1_000_000.0)
        .input("fps", Type::Float, "How many pictures of each second to take, instead of `every`.")
        .optional()
        .range(0.001, 120.0)
        .input("most", Type::Int, "The most pictures; a video with more of them fails.")
        .default(100_i64)
        .range(1.0, MAX_FRAMES)
        .time(TIME)
        .output("images", ty::image().list(), "The pictures, as PNG.")
        .output("count", Type::Int, "How many there are.")
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let film = Film::open(workspace, inputs.value("video")?, WHAT)?;
    let most = inputs.count("most")? as usize;
    let (filter, expected, slack) = match inputs.maybe("fps") {
        Some(_) => {
            let fps = inputs.float("fps")?;
            let expected = film.end() * fps;
            (format!("fps={fps}:start_time=0"), expected, 1.0 + expected * 0.01)
        }
        None => {
            let every = inputs.count("every")?;
            let expected = film.frames().div_ceil(u64::from(every)) as f64;
            (format!("select=not(mod(n\\,{every}))"), expected, 0.0)
        }
    };
    let folder = workspace.services().scratch();
    let folder =
        folder.map_err(|error| FileError::of("there is no folder for pictures", &error))?.join("frames");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).map_err(|error| FileError::of("there is no folder for pictures", &error))?;
    let mut ffmpeg = Ffmpeg::new();
    // Far apart and evenly spaced, so that none is repeated to fill its time.
    let filter = format!("{filter},setpts=N*{DISTANCE}/TB");
    ffmpeg.input(&film.path).args(["-map", "0:V:0", "-vf", &filter, "-r", "0.001"]);
    // One more than allowed tells that there are too many.
    ffmpeg.args(["-frames:v", &(most + 1).to_string(), "-c:v", "png", "-pix_fmt", "rgb24", "-f", "image2"]);
    // A `%` in the path of the folder would be expanded.
    ffmpeg.folder(&folder).args(["%d.png"]);
    run_ffmpeg(ffmpeg, workspace.services(), WHAT, (0.0, 1.0), expected * f64::from(DISTANCE))?;
    let mut images = Vec::new();
    while folder.join(format!("{}.png", images.len() + 1)).exists() {
        let nth = images.len() + 1;
        if nth > most {
            return Err(format!(
                "the video has more than {most} such pictures; take fewer of them, or set `most`"
            )
            .into());
        }
        let stem = film.renamed("");
        let (path, value) =
            workspace.reserve(&renamed(&format!("{}-{nth:04}.", stem.trim_end_matches('.')), "png"));
        std::fs::rename(folder.join(format!("{nth}.png")), path)
            .map_err(|error| FileError::of("a picture can't be moved", &error))?;
        images.push(value);
    }
    if images.is_empty() || (images.len() as f64 - expected).abs() > slack {
        return Err(
            film.error(&format!("{} pictures were found of {expected:.0}; it may be damaged", images.len()))
        );
    }
    let count = Value::Int(i64::try_from(images.len()).unwrap_or(i64::MAX));
    Ok([("images".to_owned(), Value::List(images)), ("count".to_owned(), count)].into())
}
