//! The program ffmpeg, for formats that Fanlight doesn't write or decode itself. Only workers start it, so that it is ended
//! with them.

#[cfg(any(feature = "audio", feature = "video"))]
mod messages;
#[cfg(any(feature = "audio", feature = "video"))]
mod run;

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};

#[cfg(any(feature = "audio", feature = "video"))]
pub(crate) use messages::Messages;

/// The formats that are read. None of them names other files, as playlists do.
const FORMATS: &str = "mov,matroska,avi,asf,flv,mpeg,mpegts,mpegvideo,ogg,wav,flac,mp3,aac";

/// The formats in which sounds are written.
#[cfg(any(feature = "audio", feature = "video"))]
pub(crate) const SOUND_FORMATS: [&str; 5] = ["wav", "flac", "mp3", "ogg", "m4a"];

/// Returns the arguments that write a sound in one of [`SOUND_FORMATS`].
#[cfg(any(feature = "audio", feature = "video"))]
pub(crate) fn sound_format(format: &str) -> &'static [&'static str] {
    match format {
        "wav" => &["-c:a", "pcm_s16le", "-f", "wav"],
        "flac" => &["-c:a", "flac", "-sample_fmt", "s16", "-f", "flac"],
        "mp3" => &["-c:a", "libmp3lame", "-q:a", "2", "-f", "mp3"],
        "ogg" => &["-c:a", "libvorbis", "-q:a", "5", "-f", "ogg"],
        _ => &["-c:a", "aac", "-b:a", "192k", "-f", "ipod"],
    }
}

/// One run of ffmpeg, which asks nothing, and reads local files only.
pub(crate) struct Ffmpeg {
    command: Command,
}

impl Ffmpeg {
    /// Starts a command line.
    pub(crate) fn new() -> Self {
        let mut command = Command::new("ffmpeg");
        command
            .args(["-nostdin", "-hide_banner", "-nostats", "-y", "-xerror", "-loglevel", "level+error"])
            // Each arena takes address space, which is limited.
            .env("MALLOC_ARENA_MAX", "2")
            // Its messages are read.
            .env("AV_LOG_FORCE_NOCOLOR", "1")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self { command }
    }

    /// Adds a file from outside. Its own options come before.
    pub(crate) fn input(&mut self, path: &Path) -> &mut Self {
        self.input_of(FORMATS, path.as_os_str())
    }

    /// Adds an input of one of these formats only.
    pub(crate) fn input_of(&mut self, formats: &str, input: &OsStr) -> &mut Self {
        // These apply to the next input only.
        self.args(["-protocol_whitelist", "file,pipe", "-format_whitelist", formats, "-threads", "4", "-i"]);
        self.args([input])
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(&mut self, args: impl IntoIterator<Item = S>) -> &mut Self {
        self.command.args(args);
        self
    }

    /// Sets the folder that relative paths are in.
    #[cfg(feature = "video")]
    pub(crate) fn folder(&mut self, folder: &Path) -> &mut Self {
        self.command.current_dir(folder);
        self
    }

    /// Starts it; nothing is read from it.
    pub(crate) fn spawn(mut self) -> io::Result<Child> {
        self.command.spawn()
    }
}
