//! Calls programs of a cluster, on this machine or on the one that `ssh` reaches.

use std::time::Duration;

use fanlight_shared::ssh;

use super::call::{self, Failure, Line, NOT_FOUND, Output};
use super::login::{Login, SSH};
use super::request::CALL_TIMEOUT;

/// Calls programs.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    /// Where they are, if that is not this machine.
    login: Option<Login>,
}

impl Caller {
    pub(super) fn new(login: Option<Login>) -> Self {
        Self { login }
    }

    /// Returns the login node, if they are not on this machine.
    pub(super) fn login(&self) -> Option<&Login> {
        self.login.as_ref()
    }

    /// Returns the machine that the commands are on, if that is not this one.
    pub(super) fn host(&self) -> Option<&str> {
        self.login.as_ref().map(Login::name)
    }

    /// Checks that a machine with the commands can be reached.
    ///
    /// # Errors
    /// It can't, and what to do.
    pub(super) async fn reach(&self) -> Result<(), String> {
        self.call(Line::new("true"), CALL_TIMEOUT).await.map(drop).map_err(Failure::sentence)
    }

    /// Checks that a command is there.
    ///
    /// # Errors
    /// It is not, or can't be called.
    pub(super) async fn find(&self, program: &'static str) -> Result<(), String> {
        let mut line = Line::new(program);
        line.arg("--version");
        self.call(line, CALL_TIMEOUT).await.map(drop).map_err(Failure::sentence)
    }

    /// Calls a program, wherever they are.
    pub(super) async fn call(&self, line: Line, limit: Duration) -> Result<String, Failure> {
        let program = line.program;
        let Some(login) = &self.login else {
            return call::run(call::here(&line), program, limit).await?.text(program);
        };
        let mut output = call_at(login, &line, limit).await?;
        if is_refusal(login, &output) && renew(login).await {
            output = call_at(login, &line, limit).await?;
        }
        if is_refusal(login, &output) {
            return Err(Failure::NotRun(refusal(login, &output)));
        }
        match (output.status.code(), login.output(&output.stdout)) {
            (Some(NOT_FOUND), Some(_)) => Err(Failure::Missing(format!(
                "there is no program `{program}` in the PATH of commands at `{}`",
                login.name()
            ))),
            (Some(code), Some(stdout)) if code != ssh::FAILED => Output { stdout, ..output }.text(program),
            // Without a code, `ssh` was killed: the program may run.
            _ => Err(Failure::Unreachable(login.failure(&output.stderr))),
        }
    }
}

/// Calls a program at a login node.
async fn call_at(login: &Login, line: &Line, limit: Duration) -> Result<Output, Failure> {
    let command = login.command(line.program, &line.words).map_err(Failure::Failed)?;
    call::run(command, line.program, limit).await.map_err(|failure| match failure {
        Failure::Missing(_) => Failure::Missing(call::missing(SSH)),
        other => other,
    })
}

/// Returns whether a login node answered without running the command, as one that is being maintained does, with a sentence and
/// a code of its own.
fn is_refusal(login: &Login, output: &Output) -> bool {
    output.status.code().is_some_and(|code| code != ssh::FAILED) && login.output(&output.stdout).is_none()
}

/// Leaves the shared connection if a new one is answered, and returns whether that is so: one that was opened during maintenance
/// keeps its rules after it, and each call keeps it open. Otherwise it stays, since a new one may need a person who logs in.
async fn renew(login: &Login) -> bool {
    let (Ok(probe), Ok(leave)) = (login.probe(), login.leave()) else { return false };
    let answered = call::run(probe, SSH, CALL_TIMEOUT).await;
    let is_stale = answered.is_ok_and(|output| login.output(&output.stdout).is_some());
    is_stale && call::run(leave, SSH, CALL_TIMEOUT).await.is_ok()
}

/// Returns what a login node said instead of running a command.
fn refusal(login: &Login, output: &Output) -> String {
    let said = call::words(SSH, &output.stderr).or_else(|| call::words(SSH, &output.stdout));
    let said = said.map(|said| format!(": {said}")).unwrap_or_default();
    format!("`{}` did not run the command{said}", login.name())
}
