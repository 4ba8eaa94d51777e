//! Starting a daemon in the background.

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::process::Command;

use super::{Client, ClientError};
use crate::home::{ALREADY_RUNNING, Home};

/// How long a daemon may take to respond.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The wait between two attempts to reach a starting daemon.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The first wait for another daemon to end; each later wait is twice as long.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Starts `exe daemon --detached ARGS…` in the background and connects to it.
///
/// The child must leave its session by itself (`--detached`: `setsid`). Its output goes to the log file of the home. If
/// several clients start a daemon at the same moment, all connect to the one that won. If the old daemon is still
/// ending, this function tries again until it is gone.
///
/// # Errors
/// [`ClientError::Start`], with the last lines of the log, if the daemon ended immediately or did not respond within
/// ten seconds.
pub async fn start_daemon(home: &Home, exe: &Path, args: &[&str]) -> Result<Client, ClientError> {
    let failed = |what: String| ClientError::Start(format!("the daemon could not be started: {what}"));
    let log = home.open_log().map_err(|error| {
        let log = home.log_file();
        failed(format!("{} can't be written: {error}; set FANLIGHT_HOME to another folder", log.display()))
    })?;
    let begin = log.metadata().map_or(0, |meta| meta.len());
    let copy = log.try_clone().map_err(|error| failed(error.to_string()))?;
    let mut command = Command::new(exe);
    if let Some(root) = home.root() {
        command.env("FANLIGHT_HOME", root);
    }
    command
        .args(["daemon", "--detached"])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::from(copy))
        .stderr(Stdio::from(log))
        .current_dir("/");
    let mut spawn = || command.spawn().map_err(|error| failed(format!("{}: {error}", exe.display())));
    let mut child = spawn()?;
    let held = AtomicBool::new(false);
    let connect = async {
        let mut ended = None;
        let mut patience = FIRST_RETRY_DELAY;
        let mut beaten: Option<Instant> = None;
        loop {
            match Client::connect(home).await {
                Ok(client) => return Ok(client),
                Err(error) if !error.is_no_daemon() => return Err(error),
                Err(_) => {}
            }
            if let Some(status) = ended {
                // The socket was tried once more after the daemon's exit was noticed.
                return Err(failed(format!("it ended ({status}){}", last_lines(home, begin))));
            }
            match child.try_wait() {
                // Another daemon won the race and is about to listen, or the old one is about to end.
                Ok(Some(status)) if status.code() == Some(ALREADY_RUNNING) => {
                    held.store(true, Ordering::Relaxed);
                    if beaten.get_or_insert_with(Instant::now).elapsed() >= patience {
                        patience *= 2;
                        beaten = None;
                        child = spawn()?;
                    }
                }
                Ok(Some(status)) => {
                    ended = Some(status);
                    continue;
                }
                Ok(None) => {}
                Err(error) => return Err(failed(error.to_string())),
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    };
    tokio::time::timeout(TIMEOUT, connect)
        .await
        .unwrap_or_else(|_| Err(failed(no_response(home, held.load(Ordering::Relaxed), begin))))
}

/// Says why nothing responds; `held` says that another daemon holds the home.
fn no_response(home: &Home, held: bool, begin: u64) -> String {
    if held && !home.socket.exists() {
        return format!(
            "one runs already, but its socket {} is gone, as when a system removes the runtime folder of a user who logs \
             out: end it with `kill $(cat {})`, and keep the folder with `loginctl enable-linger`",
            home.socket.display(),
            home.lock_file().display()
        );
    }
    format!("it did not respond within {} seconds{}", TIMEOUT.as_secs(), last_lines(home, begin))
}

/// Returns the lines appended to the log since `begin`, at most the last ten.
fn last_lines(home: &Home, begin: u64) -> String {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = std::fs::File::open(home.log_file())?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(begin.max(length.saturating_sub(4096)).min(length)))?;
        let mut bytes = Vec::new();
        file.take(4096).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = read().unwrap_or_default();
    // The text goes to a terminal: drop control characters.
    let text: String =
        String::from_utf8_lossy(&bytes).chars().filter(|it| *it == '\n' || !it.is_control()).collect();
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(10)..];
    if last.is_empty() {
        return format!("; its log is {}", home.log_file().display());
    }
    format!("; its log {} ends with:\n{}", home.log_file().display(), last.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_whose_socket_is_gone_is_told_from_one_that_is_slow() {
        let dir = tempfile::tempdir().unwrap();
        let mut home = Home::below(std::path::Path::new("/h")).unwrap();
        home.socket = dir.path().join("s");
        home.state = dir.path().to_owned();
        let gone = no_response(&home, true, 0);
        assert!(gone.contains("its socket") && gone.contains("enable-linger"), "{gone}");
        assert!(no_response(&home, false, 0).contains("within 10 seconds"));
        std::fs::write(&home.socket, "").unwrap();
        assert!(no_response(&home, true, 0).contains("within 10 seconds"));
    }
}
