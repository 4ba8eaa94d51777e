//! Calls of programs, here or at the login node: what they wrote, and why they have no answer.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::process::Command;

use super::login::{RSYNC, SSH};
use crate::command::text;

/// The exit status of a shell that finds no program.
pub(super) const NOT_FOUND: i32 = 127;
/// The variables with which a user changes the defaults of these commands.
const OWN_VARIABLES: [&str; 4] = ["SBATCH_", "SQUEUE_", "SCANCEL_", "SACCT_"];
/// How much of what a program says is read, in bytes.
const MAX_MESSAGE_BYTES: usize = 16 << 10;

/// A program with its arguments.
pub(super) struct Line {
    pub(super) program: &'static str,
    pub(super) words: Vec<OsString>,
}

impl Line {
    pub(super) fn new(program: &'static str) -> Self {
        Self { program, words: Vec::new() }
    }

    pub(super) fn arg(&mut self, word: impl Into<OsString>) -> &mut Self {
        self.words.push(word.into());
        self
    }

    pub(super) fn args<W: AsRef<OsStr>>(&mut self, words: impl IntoIterator<Item = W>) -> &mut Self {
        self.words.extend(words.into_iter().map(|word| word.as_ref().to_owned()));
        self
    }
}

/// Returns the command that calls a program on this machine.
pub(super) fn here(line: &Line) -> Command {
    let mut command = Command::new(line.program);
    // The commands' own variables would change what they do here.
    for (name, _) in std::env::vars_os() {
        let is_own = name.to_str().is_some_and(|name| OWN_VARIABLES.iter().any(|own| name.starts_with(own)));
        if is_own {
            command.env_remove(name);
        }
    }
    command.env("LC_ALL", "C").args(&line.words);
    command
}

/// Why a command has no answer.
#[derive(Debug)]
pub(super) enum Failure {
    /// It is not installed.
    Missing(String),
    /// It failed with these words.
    Failed(String),
    /// The machine that it is on can't be reached, or the answer was lost.
    Unreachable(String),
    /// The machine that it is on answered, and did not run it.
    NotRun(String),
    /// It took too long.
    TimedOut(String),
}

impl Failure {
    pub(super) fn sentence(self) -> String {
        match self {
            Self::Missing(why)
            | Self::Failed(why)
            | Self::Unreachable(why)
            | Self::NotRun(why)
            | Self::TimedOut(why) => why,
        }
    }
}

/// What a program wrote, and how it ended.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) status: ExitStatus,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Output {
    /// Returns what it wrote, if it succeeded.
    pub(super) fn text(self, program: &str) -> Result<String, Failure> {
        if self.status.success() {
            return Ok(self.stdout);
        }
        let said = words(program, &self.stderr).unwrap_or_else(|| format!("it ended with {}", self.status));
        Err(Failure::Failed(format!("`{program}`: {said}")))
    }
}

/// Runs a program to its end.
///
/// # Errors
/// It can't be started, or takes too long.
pub(super) async fn run(mut command: Command, program: &str, limit: Duration) -> Result<Output, Failure> {
    let unstarted = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => Failure::Missing(missing(program)),
        _ => Failure::Failed(format!("`{program}` can't be started: {error}")),
    };
    // Not a pipe: the `ssh` in the background that holds the connection would keep it open.
    let said = tempfile::tempfile().map_err(unstarted)?;
    command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    command.stderr(said.try_clone().map_err(unstarted)?);
    let child = command.spawn().map_err(unstarted)?;
    let ended = tokio::time::timeout(limit, child.wait_with_output()).await;
    let stderr = beginning(&said);
    match ended {
        Ok(Ok(output)) => {
            let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok(Output { status: output.status, stdout, stderr })
        }
        Ok(Err(error)) => Err(Failure::TimedOut(format!("`{program}` has no answer: {error}"))),
        Err(_) => {
            let said = words(program, &stderr).map_or_else(String::new, |said| format!(": {said}"));
            Err(Failure::TimedOut(format!("`{program}` took longer than {} s{said}", limit.as_secs())))
        }
    }
}

/// Reads the beginning of what was written to a file that may still be written to.
fn beginning(file: &File) -> String {
    let mut bytes = vec![0; MAX_MESSAGE_BYTES];
    let count = file.read_at(&mut bytes, 0).unwrap_or_default();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}

/// Returns in one line what a program wrote to standard error, if it did.
pub(super) fn words(program: &str, stderr: &str) -> Option<String> {
    let lines: Vec<String> = stderr.lines().map(text::line).filter(|line| !line.is_empty()).collect();
    let prefix = format!("{program}: error: ");
    let lines: Vec<&str> = lines.iter().map(|line| line.strip_prefix(&prefix).unwrap_or(line)).collect();
    (!lines.is_empty()).then(|| fanlight_shared::value::cut(&lines.join("; "), 400))
}

/// Returns the sentence for a program that is not installed here.
pub(super) fn missing(program: &str) -> String {
    if program == RSYNC {
        return format!(
            "there is no program `{RSYNC}` in the daemon's PATH; install it on this machine, or share a folder"
        );
    }
    if program == SSH {
        return format!(
            "there is no program `{SSH}` in the daemon's PATH; install an SSH client on this machine"
        );
    }
    format!(
        "there is no program `{program}` in the daemon's PATH; install Slurm's client on this machine (on Debian and Ubuntu \
         the package slurm-client), or name the login node: `via = \"ssh://…\"` in the config"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_program_said_before_its_time_was_over_is_known() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo full >&2; exec sleep 60"]);
        let failed = run(command, "sh", Duration::from_secs(2)).await.unwrap_err();
        assert!(
            matches!(&failed, Failure::TimedOut(why) if why.ends_with(": full")),
            "{}",
            failed.sentence()
        );
    }
}
