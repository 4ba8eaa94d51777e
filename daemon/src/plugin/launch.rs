//! Starts the program of a plugin under its guard.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use tokio::net::UnixStream;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};

use super::channel::{Channel, DESCRIPTORS};
use crate::supervisor::{before_exec, renumber};

/// The least number of a descriptor that doesn't collide with those of a plugin.
const LEAST: i32 = 10;

/// How a plugin is started.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    /// The executable with the command `plugin-guard`.
    pub(super) helper: PathBuf,
    /// The plugin's folder.
    pub(super) folder: PathBuf,
    /// The program and its arguments.
    pub(super) command: Vec<String>,
    /// The whole environment.
    pub(super) environment: Arc<Vec<(OsString, OsString)>>,
    pub(super) channel: Channel,
}

/// A program that was started, with the daemon's ends of its descriptors.
pub(super) struct Started {
    pub(super) guard: Child,
    /// The guard ends the program when this is closed, and says on it how the program ended.
    pub(super) control: UnixStream,
    pub(super) requests: pipe::Sender,
    pub(super) responses: pipe::Receiver,
    /// Its standard output and standard error.
    pub(super) output: [pipe::Receiver; 2],
}

impl Launch {
    /// Starts it. Whether the program exists is said by its guard.
    pub(super) fn start(&self) -> io::Result<Started> {
        let (control, theirs) = UnixStream::pair()?;
        let theirs = theirs.into_std()?;
        theirs.set_nonblocking(false)?;
        let (their_requests, requests) = pair()?;
        let (responses, their_responses) = pair()?;
        let (stdout, their_stdout) = pair()?;
        let (stderr, their_stderr) = pair()?;
        // Nothing of this process may have the numbers that the child gives to the plugin's descriptors.
        let mut held = Vec::new();
        while held.last().is_none_or(|it: &File| it.as_raw_fd() < LEAST) {
            held.push(File::open("/dev/null")?);
        }
        let given = [their_requests, their_responses];
        let mut command = std::process::Command::new(&self.helper);
        command
            .args(["plugin-guard", self.channel.word()])
            .args(&self.command)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.folder)
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::from(their_stdout))
            .stderr(Stdio::from(their_stderr));
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        before_exec(&mut command, move || {
            given
                .iter()
                .zip(DESCRIPTORS)
                .try_for_each(|(descriptor, number)| renumber(descriptor.as_fd(), number))
        });
        let guard = Command::from(command).kill_on_drop(true).spawn()?;
        Ok(Started {
            guard,
            control,
            requests: pipe::Sender::from_owned_fd(requests)?,
            responses: pipe::Receiver::from_owned_fd(responses)?,
            output: [pipe::Receiver::from_owned_fd(stdout)?, pipe::Receiver::from_owned_fd(stderr)?],
        })
    }
}

/// Returns the ends of a pipe, for reading and for writing, whose numbers don't collide with those of a plugin.
fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let (read, write) = crate::supervisor::output_pipe()?;
    let above = |end: &OwnedFd| rustix::io::fcntl_dupfd_cloexec(end, LEAST);
    let (read, write) = (above(&read)?, above(&write)?);
    // The program gets ends that wait, whatever the daemon does with its own.
    rustix::io::ioctl_fionbio(&read, false)?;
    Ok((read, write))
}
