//! `video.subtitle`

use std::path::Path;

use fanlight_shared::types::Type;
use fanlight_shared::value::Values;

use super::cues::{self, Cue};
use super::film::{Film, ROUNDING, whole};
use super::made::{EVEN, H264, MP4, Making, making, run as run_ffmpeg};
use crate::ffmpeg::{Ffmpeg, Messages};
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::font::REGULAR_FILE;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

const WHAT: &str = "video.subtitle";
/// The height of the area in which subtitles without their own are laid out.
const AREA: f64 = 288.0;

pub(super) fn node_type() -> NodeType {
    let build = Build::new(WHAT, "Adds subtitles to a video.")
        .input("video", ty::video(), "The video.")
        .input(
            "subtitles",
            Type::Json,
            "The text of an SRT or WebVTT file, or a list of `{start, end, text}`, such as the `segments` of `audio.transcribe`.",
        )
        .input("mode", Type::Choice, "`burn` draws them on the pictures; `track` adds a track that players show on demand.")
        .default("burn")
        .choices(&["burn", "track"])
        .input("size", Type::Float, "The size of letters for `burn`, in percent of the height.")
        .default(5.5)
        .range(1.0, 30.0)
        .input("language", Type::Text, "The language of a track, as three letters: `eng`.")
        .default("und");
    making(build, "The video with subtitles, as MP4.").run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let language = inputs.text("language")?;
    if language.len() != 3 || !language.bytes().all(|it| it.is_ascii_lowercase()) {
        return Err("`language` is not a code of three lowercase letters, such as `eng`".into());
    }
    let mut cues = cues::read(inputs.value("subtitles")?)?;
    let film = Film::open(workspace, inputs.value("video")?, WHAT)?;
    let wrong = |at: usize, what: &str| Err(format!("text {} of `subtitles` {what}", at + 1).into());
    if let Some(at) = cues.iter().position(|cue| cue.start + ROUNDING > film.end()) {
        return wrong(at, &format!("begins after the end of the video, which lasts {:.3} s", film.end()));
    }
    for cue in &mut cues {
        cue.end = cue.end.min(film.end());
    }
    let is_track = inputs.text("mode")? == "track";
    if is_track {
        if let Some(at) = cues.iter().position(Cue::has_braces) {
            return wrong(at, "has a brace, which a track can't hold; set `mode: burn`");
        }
        if let Some(at) = cues::overlapping(&cues) {
            let what =
                "begins before the one before it has ended, which a track can't hold; set `mode: burn`";
            return wrong(at, what);
        }
    }
    let failed = |error| FileError::of("there is no folder for subtitles", &error);
    let folder = workspace.services().scratch().map_err(failed)?;
    put(&folder, "subtitles.srt", cues::srt(&cues).as_bytes())?;
    let making = Making::new(workspace, &film.renamed("mp4"), WHAT);
    let services = workspace.services().clone();
    let mut ffmpeg = Ffmpeg::new();
    ffmpeg.folder(&folder).input(&film.path);
    if is_track {
        ffmpeg.input_of("srt", "subtitles.srt".as_ref()).args(["-map", "0:V:0", "-map", "1:s:0"]);
        match film.is_h264() {
            true => ffmpeg.args(["-c:v", "copy"]),
            false => ffmpeg.args(H264),
        };
        ffmpeg.args(film.keep_sound()).args(MP4);
        ffmpeg
            .args(["-c:s", "mov_text", "-metadata:s:s:0", &format!("language={language}")])
            .args([&making.path]);
        run_ffmpeg(ffmpeg, &services, WHAT, (0.0, 1.0), film.seconds())?;
        if whole(&making.path, "video.mp4", WHAT)?.first("subtitle").is_none() {
            return Err(format!("{WHAT} made a video without subtitles").into());
        }
    } else {
        let fonts = folder.join("fonts");
        let _ = std::fs::create_dir(&fonts);
        put(&fonts, "Lato-Regular.ttf", REGULAR_FILE)?;
        let size = inputs.float("size")? * AREA / 100.0;
        // No text of the user is part of it: names of files are relative to the folder.
        let filter = format!(
            "{EVEN},subtitles=filename=subtitles.srt:fontsdir=fonts:force_style='FontName=Lato,FontSize={size:.2}'"
        );
        ffmpeg.args(["-loglevel", "level+warning", "-map", "0:V:0", "-vf", &filter]).args(H264);
        ffmpeg.args(film.keep_sound()).args(MP4).args([&making.path]);
        let messages = run_ffmpeg(ffmpeg, &services, WHAT, (0.0, 1.0), film.seconds())?;
        if let Some(letter) = undrawn(&messages) {
            return Err(format!("no font has the letter `{letter}` of `subtitles`; install one that has it, or set `mode: track`").into());
        }
    }
    making.checked(film.seconds())
}

fn put(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), FileError> {
    std::fs::write(folder.join(name), bytes)
        .map_err(|error| FileError::of("a file for subtitles can't be written", &error))
}

/// Returns a letter that was left out, from the messages of the library that draws them.
fn undrawn(messages: &Messages) -> Option<char> {
    let begin = "failed to find any fallback with glyph 0x";
    let (_, rest) = messages.of(&["error", "warning"]).find_map(|it| it.split_once(begin))?;
    let code = rest.split(' ').next()?;
    u32::from_str_radix(code, 16).ok().and_then(char::from_u32).or(Some(char::REPLACEMENT_CHARACTER))
}
