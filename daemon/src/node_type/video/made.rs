//! The video that a node makes.

use std::path::PathBuf;
use std::time::Duration;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};

use super::film::Film;
use crate::ffmpeg::{Ffmpeg, Messages};
use crate::file_error::FileError;
use crate::node_type::Workspace;
use crate::node_type::build::{Build, ty};
use crate::services::NodeServices;

/// How long a node may take; `timeout` in the workflow file may set less.
pub(super) const TIME: Duration = Duration::from_secs(2 * 3600);
/// Pictures as all players show them.
pub(super) const H264: [&str; 10] =
    ["-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-pix_fmt", "yuv420p", "-threads", "4"];
/// A file that depends on nothing but its content, and that can be played while it is loaded.
pub(super) const MP4: [&str; 12] = [
    "-map_metadata",
    "-1",
    "-fflags",
    "+bitexact",
    "-flags:v",
    "+bitexact",
    "-flags:a",
    "+bitexact",
    "-movflags",
    "+faststart",
    "-f",
    "mp4",
];
/// H.264 has no odd sizes.
pub(super) const EVEN: &str = "crop=trunc(iw/2)*2:trunc(ih/2)*2:0:0";

/// Adds what each type that makes a video has.
pub(super) fn making(build: Build, video: &str) -> Build {
    build
        .time(TIME)
        .output("video", ty::video(), video)
        .output("seconds", Type::Float, "How long its pictures last, in seconds.")
        .output("frames", Type::Int, "How many pictures it has.")
}

/// A video that is being made.
pub(super) struct Making<'a> {
    /// The node type, for messages.
    pub(super) what: &'a str,
    pub(super) path: PathBuf,
    pub(super) value: Value,
    services: NodeServices,
}

impl<'a> Making<'a> {
    pub(super) fn new(workspace: &mut Workspace, name: &str, what: &'a str) -> Self {
        let (path, value) = workspace.reserve(name);
        Self { what, path, value, services: workspace.services().clone() }
    }

    /// Runs ffmpeg, which writes this video of about this length, and checks what it wrote.
    ///
    /// # Errors
    /// It fails, or the video has another length.
    pub(super) fn run(self, mut ffmpeg: Ffmpeg, seconds: f64) -> Result<Values, FileError> {
        ffmpeg.args([&self.path]);
        run(ffmpeg, &self.services, self.what, (0.0, 1.0), seconds)?;
        self.checked(seconds)
    }

    /// Checks the written video, and returns the outputs of its node.
    ///
    /// # Errors
    /// It can't be read, or has another length.
    pub(super) fn checked(self, seconds: f64) -> Result<Values, FileError> {
        let name = self.value.as_media().map(|media| media.name.clone()).unwrap_or_default();
        let film = Film::read(self.path, name, self.what)?;
        check_length(self.what, film.seconds(), seconds, 2.0 / film.rate())?;
        let frames = Value::Int(i64::try_from(film.frames()).unwrap_or(i64::MAX));
        let outputs = [("video", self.value), ("seconds", Value::Float(film.seconds())), ("frames", frames)];
        Ok(outputs.map(|(name, value)| (name.to_owned(), value)).into())
    }
}

/// Checks that something that was made is as long as expected, in seconds.
///
/// # Errors
/// A sentence.
pub(super) fn check_length(what: &str, made: f64, expected: f64, frame: f64) -> Result<(), FileError> {
    if (made - expected).abs() > 0.1 + frame {
        return Err(
            format!("{what} made {made:.2} s instead of {expected:.2} s; the video may be damaged").into()
        );
    }
    Ok(())
}

/// Runs ffmpeg, and shows how far it is: it makes `seconds`, which are the part from one fraction to another of the work.
///
/// # Errors
/// It fails.
pub(super) fn run(
    mut ffmpeg: Ffmpeg,
    services: &NodeServices,
    what: &str,
    (from, to): (f64, f64),
    seconds: f64,
) -> Result<Messages, FileError> {
    // Options that are for all outputs may follow the last one.
    ffmpeg.args(["-progress", "pipe:1"]);
    ffmpeg.run_reading(what, |line| {
        let time = line.strip_prefix("out_time_us=").or_else(|| line.strip_prefix("out_time_ms="));
        // Both are in microseconds.
        if let Some(done) = time.and_then(|time| time.parse::<f64>().ok()) {
            let done = (done / 1e6 / seconds.max(0.001)).clamp(0.0, 1.0);
            services.progress(Some(from + (to - from) * done), None);
        }
        Ok(())
    })
}
