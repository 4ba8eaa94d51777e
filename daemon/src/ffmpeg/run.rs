//! Runs ffmpeg to its end.

use std::io::{self, ErrorKind, Read};
#[cfg(feature = "video")]
use std::io::{BufRead as _, BufReader, Write};
use std::process::{Child, Stdio};

use fanlight_shared::value::cut;

use super::{Ffmpeg, Messages};
use crate::file_error::FileError;

/// How much of its messages is kept, from the first on.
const MAX_MESSAGE_BYTES: u64 = 64 << 10;

impl Ffmpeg {
    /// Runs it to its end. `what` needs it, for messages.
    ///
    /// # Errors
    /// It is not installed, the disk is full, or it fails; then the sentence has its first error.
    pub(crate) fn run(self, what: &str) -> Result<(), FileError> {
        self.finish(what, |_| Ok(())).map(|_| ())
    }

    /// Runs it to its end, and calls `line` for each line on its standard output. Returns its messages.
    ///
    /// # Errors
    /// As [`Self::run`], or that of `line`.
    #[cfg(feature = "video")]
    pub(crate) fn run_reading(
        mut self,
        what: &str,
        mut line: impl FnMut(&str) -> Result<(), FileError>,
    ) -> Result<Messages, FileError> {
        self.command.stdout(Stdio::piped());
        self.finish(what, |child| {
            let Some(stdout) = child.stdout.take() else { return Ok(()) };
            let mut reader = BufReader::new(stdout);
            let mut text = String::new();
            // A line is a few dozen bytes; the rest of a longer one is read as another.
            while let Ok(1..) = reader.by_ref().take(4096).read_line(&mut text) {
                line(text.trim_end())?;
                text.clear();
            }
            Ok(())
        })
    }

    /// Runs it to its end while `write` writes its standard input.
    ///
    /// # Errors
    /// As [`Self::run`], or that of `write`.
    #[cfg(feature = "video")]
    pub(crate) fn run_writing(
        mut self,
        what: &str,
        write: impl FnOnce(&mut dyn Write) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        self.command.stdin(Stdio::piped());
        self.finish(what, |child| {
            let Some(mut stdin) = child.stdin.take() else { return Ok(()) };
            write(&mut stdin)
        })
        .map(|_| ())
    }

    /// Runs it. If it fails and says why, that is the reason, whatever `talk` says.
    fn finish(
        mut self,
        what: &str,
        talk: impl FnOnce(&mut Child) -> Result<(), FileError>,
    ) -> Result<Messages, FileError> {
        let spawned = self.command.stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| FileError::Other(unstarted(what, &error)))?;
        let stderr = child.stderr.take();
        let reader = std::thread::spawn(move || stderr.map(read_messages).unwrap_or_default());
        let talked = talk(&mut child);
        if talked.is_err() {
            // It may wait for more, or have ended already.
            let _ = child.kill();
        }
        let status = child.wait().map_err(|error| format!("ffmpeg can't be waited for: {error}"))?;
        let messages = reader.join().unwrap_or_default();
        let reason = messages.reason();
        if status.success() || reason.is_none() {
            talked?;
        }
        if status.success() {
            return Ok(messages);
        }
        let reason = reason.unwrap_or("it gives no reason");
        let sentence = format!("{what} failed in ffmpeg ({status}): {}", cut(reason, 200));
        if messages.has_error(&["No space left on device", "Disk quota exceeded"]) {
            return Err(FileError::Full(sentence));
        }
        if let Some(missing) = messages.missing() {
            return Err(format!(
                "{what} needs {missing}, which the installed ffmpeg lacks; install a complete one"
            )
            .into());
        }
        if messages.has_error(&["malloc of size", "Cannot allocate memory"]) {
            return Err(format!("{what} needs more memory than a worker may use").into());
        }
        Err(sentence.into())
    }
}

fn read_messages(mut stderr: impl Read) -> Messages {
    let mut bytes = Vec::new();
    let _ = stderr.by_ref().take(MAX_MESSAGE_BYTES).read_to_end(&mut bytes);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&bytes).into_owned().into()
}

/// Returns the sentence for a program that could not be started.
fn unstarted(what: &str, error: &io::Error) -> String {
    if error.kind() == ErrorKind::NotFound {
        return format!(
            "{what} needs the program ffmpeg, which is not in the daemon's PATH; install it, such as by `apt install \
             ffmpeg` or `brew install ffmpeg`, and restart the daemon"
        );
    }
    format!("ffmpeg can't be started: {error}")
}
