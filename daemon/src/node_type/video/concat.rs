//! `video.concat`

use std::fmt::Write as _;
use std::path::Path;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::film::{Film, MAX_SECONDS};
use super::made::{H264, MP4, Making, making, run as run_ffmpeg};
use super::resize::MAX_SIDE;
use crate::ffmpeg::Ffmpeg;
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

const WHAT: &str = "video.concat";
/// The share of the work that encodes the parts; the rest joins them.
const ENCODING: f64 = 0.95;
/// By how many pictures a part may be longer than what its file says.
const SPARE: u32 = 3;

pub(super) fn node_type() -> NodeType {
    let build = Build::new(WHAT, "Plays videos one after the other.")
        .input(
            "videos",
            ty::video().list(),
            "The videos. The first one determines the size; others are scaled to fit inside, on black.",
        )
        .input(
            "fps",
            Type::Float,
            "How many pictures a second has; by default as many as in the first video.",
        )
        .optional()
        .range(0.01, 120.0);
    making(build, "All of them, as MP4.").run(Runner::worker(run))
}

/// What all parts have in common.
struct Common {
    size: (u32, u32),
    fps: f64,
    sounds: bool,
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let videos: Vec<&Value> = inputs.list("videos")?.iter().filter(|it| **it != Value::None).collect();
    let films = videos.iter().map(|it| Film::open(workspace, it, WHAT)).collect::<Result<Vec<_>, _>>()?;
    let first = films.first().ok_or("`videos` is empty; there are no videos")?;
    let (width, height) = first.upright(WHAT)?;
    let size = (width.max(2) / 2 * 2, height.max(2) / 2 * 2);
    if f64::from(size.0.max(size.1)) > MAX_SIDE {
        return Err(first.error(&format!("it has more than {MAX_SIDE} pixels a side; make it smaller first")));
    }
    let fps =
        if inputs.maybe("fps").is_some() { inputs.float("fps")? } else { first.rate().clamp(0.01, 120.0) };
    let common = Common { size, fps, sounds: films.iter().any(|it| it.sound().is_some()) };
    let total: f64 = films.iter().map(Film::end).sum();
    if total > MAX_SECONDS {
        return Err("all videos together are longer than 4 hours, which is too long".into());
    }
    let failed = |error| FileError::of("there is no folder for videos", &error);
    let folder = workspace.services().scratch().map_err(failed)?.join("parts");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder).map_err(failed)?;
    let making = Making::new(workspace, &first.renamed("mp4"), WHAT);
    let services = workspace.services().clone();
    let (mut list, mut seconds) = ("ffconcat version 1.0\n".to_owned(), 0.0);
    for (at, film) in films.iter().enumerate() {
        let name = format!("{at}.mov");
        let share = (ENCODING * seconds / total, ENCODING * (seconds + film.end()) / total);
        let part = Part::of(film, &common);
        run_ffmpeg(part.ffmpeg(&folder.join(&name)), &services, WHAT, share, part.seconds)?;
        part.check(film, &folder.join(&name))?;
        let _ = write!(list, "file {name}\nduration {:.6}\n", part.seconds);
        seconds += part.seconds;
    }
    std::fs::write(folder.join("parts.txt"), list)
        .map_err(|error| FileError::of("a list can't be written", &error))?;
    let mut ffmpeg = Ffmpeg::new();
    ffmpeg.folder(&folder).args(["-f", "concat"]).input_of("concat,mov", "parts.txt".as_ref());
    ffmpeg.args(["-map", "0:v:0", "-map", "0:a:0?", "-c:v", "copy", "-c:a", "aac", "-b:a", "192k"]).args(MP4);
    ffmpeg.args([&making.path]);
    run_ffmpeg(ffmpeg, &services, WHAT, (ENCODING, 1.0), seconds)?;
    making.checked(seconds)
}

/// A part, encoded like all others.
struct Part<'a> {
    film: &'a Film,
    common: &'a Common,
    frames: u32,
    seconds: f64,
}

impl<'a> Part<'a> {
    fn of(film: &'a Film, common: &'a Common) -> Self {
        let frames = (film.end() * common.fps).round().max(1.0);
        Self { film, common, frames: frames as u32, seconds: frames / common.fps }
    }

    /// Encodes it from 0 on: its pictures or its sound may begin later.
    fn ffmpeg(&self, path: &Path) -> Ffmpeg {
        let Self { frames, seconds, common: Common { size: (width, height), fps, sounds }, .. } = self;
        let mut graph = format!(
            "[0:V:0]scale=iw*sar:ih,setsar=1,scale={width}:{height}:force_original_aspect_ratio=decrease,\
             pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1,format=yuv420p,fps={fps}:start_time=0,\
             tpad=stop_mode=clone:stop={SPARE},trim=end_frame={frames}[v]"
        );
        if *sounds {
            let sound = match self.film.sound() {
                Some(_) => {
                    "[0:a:0]aresample=48000:first_pts=0,aformat=sample_fmts=s16:channel_layouts=stereo,apad"
                }
                None => "anullsrc=r=48000:cl=stereo",
            };
            let _ = write!(graph, ";{sound},atrim=end={seconds:.6}[a]");
        }
        let mut ffmpeg = Ffmpeg::new();
        ffmpeg.input(&self.film.path).args(["-filter_complex", &graph, "-map", "[v]"]).args(H264);
        if *sounds {
            ffmpeg.args(["-map", "[a]", "-c:a", "pcm_s16le"]);
        }
        ffmpeg.args(["-f", "mov"]).args([path]);
        ffmpeg
    }

    fn check(&self, film: &Film, path: &Path) -> Result<(), FileError> {
        let made = Film::read(path.to_owned(), film.name.clone(), WHAT)?;
        if made.frames() != u64::from(self.frames) {
            let (made, expected) = (made.frames(), self.frames);
            return Err(film.error(&format!("{made} pictures were read of {expected}; it may be damaged")));
        }
        Ok(())
    }
}
