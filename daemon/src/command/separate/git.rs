//! Runs git, without hooks and monitors of the repository. Blocks.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{ChildStderr, ChildStdout, Command, Output, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio_util::sync::CancellationToken;

use super::super::text;
use crate::file_error::FileError;

/// The interval between two looks at whether the attempt was cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);

/// The time that git and its filters have to end when the attempt is cancelled.
const CANCEL_TIMEOUT: Duration = Duration::from_secs(1);

const SETTINGS: [&str; 11] = [
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.untrackedCache=false",
    "core.safecrlf=false",
    "core.splitIndex=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "submodule.recurse=false",
    "advice.detachedHead=false",
    "status.showUntrackedFiles=normal",
    "worktree.useRelativePaths=false",
];

/// Variables that would lead git to another repository.
const LOCATIONS: [&str; 8] = [
    "GIT_DIR",
    "GIT_COMMON_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// Why git did not do what it was asked.
pub(super) enum Failure {
    /// It is not installed.
    Absent,
    /// It says no; with its last line.
    Refused(String),
    /// Anything else.
    Other(FileError),
}

impl From<Failure> for FileError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Absent => {
                "git is not installed, and `worktree` of `dir` needs it; install git, or write `copy: .`"
                    .into()
            }
            Failure::Refused(line) if line.contains("No space left on device") => {
                Self::Full(format!("git: {line}"))
            }
            Failure::Refused(line) => format!("git: {line}").into(),
            Failure::Other(error) => error,
        }
    }
}

/// Git in one folder.
#[derive(Clone, Copy)]
pub(super) struct Git<'a> {
    pub(super) folder: &'a Path,
    pub(super) cancel: &'a CancellationToken,
}

impl Git<'_> {
    /// Runs git with these arguments, and returns its output without the last line break.
    pub(super) fn run<A: AsRef<OsStr>>(&self, arguments: &[A]) -> Result<Vec<u8>, Failure> {
        self.run_as(arguments, &[])
    }

    /// Does the same as [`Self::run`], with more variables.
    pub(super) fn run_as<A: AsRef<OsStr>>(
        &self,
        arguments: &[A],
        variables: &[(&'static str, String)],
    ) -> Result<Vec<u8>, Failure> {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.folder);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        command
            .args(arguments)
            .env("LC_ALL", "C")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_OPTIONAL_LOCKS", "0");
        for name in LOCATIONS {
            command.env_remove(name);
        }
        command.envs(variables.iter().map(|(name, value)| (name, value)));
        let Output { status, mut stdout, stderr } = match self.output(command) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Failure::Absent),
            output => output.map_err(|error| Failure::Other(FileError::of("can't run git", &error)))?,
        };
        if self.cancel.is_cancelled() {
            return Err(Failure::Other("cancelled".into()));
        }
        if !status.success() {
            let line = text::last_line_of_git(&stderr).unwrap_or_else(|| format!("it ended with {status}"));
            return Err(Failure::Refused(line.trim_start_matches("fatal: ").to_owned()));
        }
        if stdout.last() == Some(&b'\n') {
            stdout.pop();
        }
        Ok(stdout)
    }

    /// Runs a command to its end, and ends it, with the filters that it started, when the attempt is cancelled.
    fn output(&self, mut command: Command) -> io::Result<Output> {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.process_group(0).spawn()?;
        // It names this group until the end of `wait`.
        let group = Pid::from_child(&child);
        let streams = child.stdout.take().zip(child.stderr.take());
        let (ended, end) = mpsc::channel();
        std::thread::spawn(move || ended.send(streams.map(|(stdout, stderr)| read(stdout, stderr))));
        let mut cancelled_at = None;
        let streams = loop {
            match end.recv_timeout(CANCEL_INTERVAL) {
                Ok(streams) => break streams,
                Err(RecvTimeoutError::Disconnected) => break None,
                Err(RecvTimeoutError::Timeout) if !self.cancel.is_cancelled() => {}
                Err(RecvTimeoutError::Timeout) => match cancelled_at {
                    None => {
                        cancelled_at = Some(Instant::now());
                        // It removes its locks.
                        let _ = kill_process_group(group, Signal::TERM);
                    }
                    Some(at) if at.elapsed() >= CANCEL_TIMEOUT => {
                        let _ = kill_process_group(group, Signal::KILL);
                        child.wait()?;
                        return Err(io::ErrorKind::Interrupted.into());
                    }
                    Some(_) => {}
                },
            }
        };
        let (stdout, stderr) = streams.ok_or_else(|| io::Error::other("its output was not read"))??;
        Ok(Output { status: child.wait()?, stdout, stderr })
    }
}

/// Reads both streams to their end.
fn read(mut stdout: ChildStdout, mut stderr: ChildStderr) -> io::Result<(Vec<u8>, Vec<u8>)> {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| stderr.read_to_end(&mut err));
        stdout.read_to_end(&mut out)?;
        reading.join().map_err(|_| io::Error::other("stderr was not read"))?
    })?;
    Ok((out, err))
}
