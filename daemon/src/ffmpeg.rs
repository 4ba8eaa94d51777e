//! The program ffmpeg, for formats that Fanlight doesn't write or decode itself. Only workers start it, so that it is ended
//! with them.

#[cfg(feature = "audio")]
use std::io::{self, ErrorKind, Read as _};
use std::process::{Command, Stdio};

#[cfg(feature = "audio")]
use fanlight_shared::value::cut;

/// How much of its messages is read.
#[cfg(feature = "audio")]
const MAX_MESSAGE_BYTES: u64 = 16 << 10;

/// Returns a command that reads local files only and asks nothing. Arguments with its files follow.
pub(crate) fn command() -> Command {
    let mut command = Command::new("ffmpeg");
    command
        .args(["-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file,pipe"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Runs a command of [`command`] to its end. `what` needs it, for the message.
///
/// # Errors
/// A sentence: it is not installed, or its last message.
#[cfg(feature = "audio")]
pub(crate) fn run(mut command: Command, what: &str) -> Result<(), String> {
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(|error| unstarted(what, &error))?;
    let mut message = Vec::new();
    if let Some(mut stderr) = child.stderr.take() {
        let _ = stderr.by_ref().take(MAX_MESSAGE_BYTES).read_to_end(&mut message);
        let _ = io::copy(&mut stderr, &mut io::sink());
    }
    let status = child.wait().map_err(|error| format!("ffmpeg can't be waited for: {error}"))?;
    if status.success() {
        return Ok(());
    }
    let message = String::from_utf8_lossy(&message);
    let last = message.trim().lines().next_back().unwrap_or("it gives no reason");
    Err(format!("{what} failed in ffmpeg ({status}): {}", cut(last, 200)))
}

/// Returns the sentence for a program that could not be started.
#[cfg(feature = "audio")]
fn unstarted(what: &str, error: &io::Error) -> String {
    if error.kind() == ErrorKind::NotFound {
        return format!(
            "{what} needs the program ffmpeg, which is not in the daemon's PATH; install it, such as by `apt install \
             ffmpeg` or `brew install ffmpeg`, and restart the daemon"
        );
    }
    format!("ffmpeg can't be started: {error}")
}
