//! Runs ffmpeg to its end.

use std::io::{self, ErrorKind, Read};
#[cfg(feature = "video")]
use std::io::{BufRead as _, BufReader, Write};
use std::process::{Child, Stdio};

use fanlight_shared::value::cut;

use super::Ffmpeg;
use crate::file_error::FileError;

/// How much of its messages is kept, from the first on.
const MAX_MESSAGE_BYTES: u64 = 64 << 10;

impl Ffmpeg {
    /// Runs it to its end. `what` needs it, for messages.
    ///
    /// # Errors
    /// It is not installed, the disk is full, or it fails; then the sentence has its first message.
    pub(crate) fn run(self, what: &str) -> Result<(), FileError> {
        self.finish(what, |_| Ok(())).map(|_| ())
    }

    /// Runs it to its end, and calls `line` for each line on its standard output. Returns its messages.
    ///
    /// # Errors
    /// As [`Self::run`].
    #[cfg(feature = "video")]
    pub(crate) fn run_reading(
        mut self,
        what: &str,
        mut line: impl FnMut(&str) -> Result<(), FileError>,
    ) -> Result<String, FileError> {
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

    /// Runs it. If it fails, its message is the reason, whatever `talk` says.
    fn finish(
        mut self,
        what: &str,
        talk: impl FnOnce(&mut Child) -> Result<(), FileError>,
    ) -> Result<String, FileError> {
        let spawned = self.command.stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(|error| FileError::Other(unstarted(what, &error)))?;
        let stderr = child.stderr.take();
        let reader = std::thread::spawn(move || stderr.map(read_messages).unwrap_or_default());
        let talked = talk(&mut child);
        if matches!(talked, Err(FileError::Other(_))) {
            // It may wait for more, or have ended already.
            let _ = child.kill();
        }
        let status = child.wait().map_err(|error| format!("ffmpeg can't be waited for: {error}"))?;
        let messages = reader.join().unwrap_or_default();
        talked.or_else(|error| match reason(&messages) {
            Some(_) => Ok(()),
            None => Err(error),
        })?;
        if status.success() {
            return Ok(messages);
        }
        let reason = reason(&messages).unwrap_or("it gives no reason");
        let sentence = format!("{what} failed in ffmpeg ({status}): {}", cut(reason, 200));
        if messages.contains("No space left on device") || messages.contains("Disk quota exceeded") {
            return Err(FileError::Full(sentence));
        }
        if let Some(missing) = missing(&messages) {
            return Err(format!(
                "{what} needs {missing}, which the installed ffmpeg lacks; install a complete one"
            )
            .into());
        }
        if messages.contains("malloc of size") || messages.contains("Cannot allocate memory") {
            return Err(format!("{what} needs more memory than a worker may use").into());
        }
        Err(sentence.into())
    }
}

fn read_messages(mut stderr: impl Read) -> String {
    let mut bytes = Vec::new();
    let _ = stderr.by_ref().take(MAX_MESSAGE_BYTES).read_to_end(&mut bytes);
    let _ = io::copy(&mut stderr, &mut io::sink());
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the first message, which says more than those that follow from it, without the part that speaks.
fn reason(messages: &str) -> Option<&str> {
    let first = messages.lines().map(str::trim).find(|line| !line.is_empty())?;
    let after = first.strip_prefix('[').and_then(|rest| rest.split_once("] "));
    Some(after.map_or(first, |(_, after)| after))
}

/// Returns the part of ffmpeg that its build left out.
fn missing(messages: &str) -> Option<String> {
    let named = |begin: &str, what: &str| {
        let (_, rest) = messages.split_once(begin)?;
        Some(format!("the {what} `{}`", cut(rest.split('\'').next()?, 60)))
    };
    named("Unknown encoder '", "encoder").or_else(|| named("No such filter: '", "filter"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_message_is_the_reason() {
        let messages =
            "\n[in#0 @ 0x55d6] moov atom not found\nError opening input files: Invalid data found\n";
        assert_eq!(reason(messages), Some("moov atom not found"));
        assert_eq!(reason("Conversion failed!\n"), Some("Conversion failed!"));
        assert_eq!(reason(" \n"), None);
    }

    #[test]
    fn a_part_that_a_build_leaves_out_is_named() {
        let unknown = "[vost#0:0 @ 0x1] Unknown encoder 'libx264'\nError\n";
        assert_eq!(missing(unknown).as_deref(), Some("the encoder `libx264`"));
        assert_eq!(
            missing("[AVFilterGraph @ 0x2] No such filter: 'subtitles'\n").as_deref(),
            Some("the filter `subtitles`")
        );
        assert_eq!(missing("moov atom not found"), None);
    }
}
