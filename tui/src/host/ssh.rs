//! One invocation of the system's `ssh`, and what its end means.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use fanlight_shared::ssh;
use tokio::process::Command;

/// How long it may take if it asks nothing.
const TIMEOUT: Duration = Duration::from_secs(60);
/// The exit status of a shell that finds no program.
const NOT_FOUND: i32 = 127;
/// The most bytes of messages that are read.
const MAX_MESSAGE_BYTES: u64 = 64 * 1024;

/// What `ssh` is called with for one destination.
#[derive(Debug)]
pub(super) struct Ssh {
    /// The destination.
    pub(super) destination: String,
    /// The name of the host in messages.
    pub(super) name: String,
}

/// The output of an invocation.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) status: ExitStatus,
    pub(super) out: String,
    pub(super) err: String,
}

impl Ssh {
    /// Returns `ssh` with the options that all invocations have. With `quiet`, it asks for no password.
    pub(super) fn command(&self, control: &Path, quiet: bool) -> Command {
        let mut command = Command::new("ssh");
        command.args(ssh::options(control, quiet));
        command
    }

    /// Runs a command line in the login shell there.
    pub(super) async fn run(&self, control: &Path, quiet: bool, line: &str) -> Result<Output, String> {
        let mut command = self.command(control, quiet);
        command.args(["-T", "--", &self.destination, line]);
        self.collect(command, quiet).await
    }

    /// Asks the `ssh` that holds the connection to forward a socket (`forward`), or to end that (`cancel`).
    pub(super) async fn forward(
        &self,
        control: &Path,
        what: &str,
        local: &Path,
        remote: &str,
    ) -> Result<Output, String> {
        let mut command = Command::new("ssh");
        let control = control.to_string_lossy().replace('%', "%%");
        command.args(["-o", &format!("ControlPath={control}"), "-O", what]);
        command.args(["-L", &format!("{}:{remote}", local.display()), "--", &self.destination]);
        self.collect(command, true).await
    }

    async fn collect(&self, mut command: Command, quiet: bool) -> Result<Output, String> {
        // A pipe would stay open as long as the `ssh` in the background that holds the connection.
        let failed = |error: std::io::Error| format!("`ssh` can't be started: {error}");
        let mut err = tempfile::tempfile().map_err(failed)?;
        let copy = err.try_clone().map_err(failed)?;
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(copy).kill_on_drop(true);
        let child = command.spawn().map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                "there is no program `ssh` on this computer; install an SSH client".to_owned()
            }
            _ => failed(error),
        })?;
        let ended = child.wait_with_output();
        let output = match quiet {
            false => ended.await,
            true => tokio::time::timeout(TIMEOUT, ended).await.map_err(|_| {
                format!("`{}` did not answer within {} seconds", self.name, TIMEOUT.as_secs())
            })?,
        };
        let output = output.map_err(failed)?;
        let out = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok(Output { status: output.status, out, err: text(&mut err).map_err(failed)? })
    }

    /// Returns why a command there failed, and what to do.
    pub(super) fn failure(&self, output: &Output, program: &str) -> String {
        let name = &self.name;
        let last = ssh::last_line(&output.err);
        match output.status.code() {
            Some(ssh::FAILED) => ssh::failure(name, &self.destination, &output.err),
            Some(NOT_FOUND) => format!(
                "there is no `{program}` on `{name}`: install it there, or set its path with `program` below `[host.…]` in the config"
            ),
            // What clap says of a flag that it does not know.
            Some(2) if output.err.contains("unexpected argument") || output.err.contains("unrecognized") => {
                format!(
                    "the `{program}` on `{name}` is of another version than this one: update the older one"
                )
            }
            _ if last.is_empty() => format!("`{program}` on `{name}` failed ({})", output.status),
            _ => format!("`{program}` on `{name}` failed: {last}"),
        }
    }
}

fn text(file: &mut File) -> std::io::Result<String> {
    file.rewind()?;
    let mut bytes = Vec::new();
    file.take(MAX_MESSAGE_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
