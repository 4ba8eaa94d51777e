//! A video of an input.

use std::path::{Path, PathBuf};

use fanlight_shared::value::{Value, cut};

use super::probe::{Probe, Stream};
use crate::ffmpeg::Ffmpeg;
use crate::file_error::FileError;
use crate::node_type::Workspace;

/// The longest video, in seconds.
pub(super) const MAX_SECONDS: f64 = 4.0 * 3600.0;
/// The most packets of a file.
const MAX_PACKETS: u64 = 20_000_000;
/// By how much a file may end before it claims to, in seconds: its claim is rounded, and counts padding.
const TOLERANCE: f64 = 0.25;
/// How exact times in files are, in seconds.
pub(super) const ROUNDING: f64 = 0.001;

/// A video, or a sound, that a node was given or has made. Its file was read to the end, without decoding it.
#[derive(Debug)]
pub(super) struct Film {
    pub(super) path: PathBuf,
    /// The name that users see.
    pub(super) name: String,
    probe: Probe,
    video: Stream,
}

impl Film {
    /// Reads a video. `what` needs it, for messages.
    ///
    /// # Errors
    /// ffmpeg is not installed; it is not a video, is damaged, cut, too long or of unknown length; the sentence names it.
    pub(super) fn open(workspace: &Workspace, value: &Value, what: &str) -> Result<Self, FileError> {
        let path = workspace.path(value)?;
        let name = value.as_media().map(|media| media.name.clone()).unwrap_or_default();
        Self::read(path, name, what)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub(super) fn read(path: PathBuf, name: String, what: &str) -> Result<Self, FileError> {
        let probe = whole(&path, &name, what)?;
        let video = probe.first("video").filter(|it| it.size.0 > 0 && it.size.1 > 0 && it.seconds() > 0.0);
        let video = video.cloned().ok_or_else(|| of(&name, "it has no moving pictures"))?;
        if video.seconds() > MAX_SECONDS {
            return Err(of(&name, "the video is longer than 4 hours, which is too long"));
        }
        Ok(Self { path, name, probe, video })
    }

    /// Returns how long its pictures last.
    pub(super) fn seconds(&self) -> f64 {
        self.video.seconds()
    }

    /// Returns when its last picture ends, in seconds from its begin. Its sound may begin before its pictures.
    pub(super) fn end(&self) -> f64 {
        self.video.end_seconds()
    }

    /// Returns how many pictures it has.
    pub(super) fn frames(&self) -> u64 {
        self.video.packets
    }

    /// Returns how many pictures it has in a second, on average.
    pub(super) fn rate(&self) -> f64 {
        self.video.rate()
    }

    /// Returns its first sound.
    pub(super) fn sound(&self) -> Option<&Stream> {
        self.probe.first("audio")
    }

    /// Returns the arguments that keep its sound, as it is if MP4 holds it so.
    pub(super) fn keep_sound(&self) -> &'static [&'static str] {
        match self.sound() {
            None => &["-an"],
            Some(sound) if sound.codec == "aac" => &["-map", "0:a:0", "-c:a", "copy"],
            Some(_) => &["-map", "0:a:0", "-c:a", "aac", "-b:a", "192k"],
        }
    }

    /// Returns whether MP4 holds its pictures as they are, for all players.
    pub(super) fn is_h264(&self) -> bool {
        self.video.codec == "h264"
    }

    /// Returns its size upright and with square pixels.
    ///
    /// # Errors
    /// Its first picture can't be decoded.
    pub(super) fn upright(&self, what: &str) -> Result<(u32, u32), FileError> {
        let mut ffmpeg = Ffmpeg::new();
        ffmpeg.input(&self.path).args(["-map", "0:V:0", "-frames:v", "1", "-f", "framecrc", "pipe:1"]);
        let mut probe = Probe::default();
        ffmpeg.run_reading(what, |line| {
            probe.add(line);
            Ok(())
        })?;
        let first =
            probe.first("video").ok_or_else(|| of(&self.name, "its first picture can't be decoded"))?;
        let width = (f64::from(first.size.0) * first.pixel).round().clamp(2.0, 16_384.0) as u32;
        Ok((width, first.size.1))
    }

    /// Returns when the picture begins that is shown at a moment, in seconds; before the first one, that is the first.
    ///
    /// # Errors
    /// Its file can't be read any more.
    pub(super) fn picture_at(&self, at: f64, what: &str) -> Result<f64, FileError> {
        let mut ffmpeg = Ffmpeg::new();
        ffmpeg.input(&self.path).args(["-map", "0:V:0", "-c", "copy", "-f", "framecrc", "pipe:1"]);
        let (mut probe, mut first, mut shown) = (Probe::default(), f64::INFINITY, f64::NEG_INFINITY);
        ffmpeg.run_reading(what, |line| {
            if let Some(begin) = probe.add(line) {
                first = first.min(begin);
                if begin <= at + ROUNDING {
                    shown = shown.max(begin);
                }
            }
            Ok(())
        })?;
        [shown, first]
            .into_iter()
            .find(|it| it.is_finite())
            .ok_or_else(|| self.error("it has no moving pictures"))
    }

    /// Returns an error about it.
    pub(super) fn error(&self, error: &str) -> FileError {
        of(&self.name, error)
    }

    /// Returns a name for what is made from it.
    pub(super) fn renamed(&self, extension: &str) -> String {
        renamed(&self.name, extension)
    }
}

/// Returns a file name with another extension.
pub(super) fn renamed(name: &str, extension: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    format!("{}.{extension}", if stem.is_empty() { "video" } else { stem })
}

/// Reads a video or a sound to its end.
///
/// # Errors
/// As [`Film::open`].
pub(super) fn whole(path: &Path, name: &str, what: &str) -> Result<Probe, FileError> {
    let mut ffmpeg = Ffmpeg::new();
    ffmpeg.args(["-loglevel", "level+info"]).input(path);
    // Covers are no moving pictures. The streams that are not used tell whether the file is whole.
    ffmpeg.args(["-map", "0:V?", "-map", "0:a?", "-map", "0:s?", "-c", "copy", "-f", "framecrc", "pipe:1"]);
    let (mut probe, mut lines) = (Probe::default(), 0);
    let messages = ffmpeg.run_reading(what, |line| {
        lines += 1;
        if lines > MAX_PACKETS {
            return Err("it has too many packets".into());
        }
        probe.add(line);
        Ok(())
    });
    let messages = match messages {
        Ok(messages) => messages,
        // What ffmpeg says of a file is about that file.
        Err(FileError::Other(error)) if error.contains(" failed in ffmpeg ") => {
            let reason = error.split_once("): ").map_or("", |(_, reason)| reason);
            return Err(of(
                name,
                &format!("this is not a video that can be read, or a damaged one: {reason}"),
            ));
        }
        Err(error) => return Err(error),
    };
    probe.claims(&messages);
    let Some(claimed) = probe.claimed else {
        return Err(of(
            name,
            "it does not say how long it is, so that it may have been cut; convert it with a command",
        ));
    };
    let longest_frame = probe.first("video").map_or(0.0, |video| 2.0 / video.rate());
    let is_cut = messages.of(&["error", "warning"]).any(|it| it.contains("File ended prematurely"));
    let is_guess = messages.of(&["warning"]).any(|it| it.contains("Estimating duration from bitrate"));
    if is_cut || !is_guess && probe.end() + TOLERANCE + longest_frame < claimed {
        return Err(of(
            name,
            &format!("it is damaged: it ends after {:.1} s of {claimed:.1} s", probe.end()),
        ));
    }
    Ok(probe)
}

fn of(name: &str, error: &str) -> FileError {
    format!("`{}`: {error}", cut(name, 60)).into()
}
