//! Why a command failed: one sentence, a hint, an exit code.

use fanlight_shared::client::ClientError;
use fanlight_shared::problem::Problem;
use fanlight_shared::rpc::{ErrorCode, RpcError};

/// A run failed or was cancelled, or a request could not be carried out.
const FAILED: u8 = 1;
/// Wrong usage, or a workflow file with errors.
const USAGE: u8 = 2;
/// There is no daemon, and none could be started.
const NO_DAEMON: u8 = 3;
/// A run waits for a person, and the command was not to wait for the answer.
const PARKED: u8 = 4;
/// Ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// Why a command ended early.
#[derive(Debug)]
pub(crate) struct Failure {
    code: u8,
    message: Option<String>,
    hint: Option<String>,
}

impl Failure {
    fn new(code: u8, message: impl Into<String>) -> Self {
        Self { code, message: Some(message.into()), hint: None }
    }

    /// Creates the failure of a request.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::new(FAILED, message)
    }

    /// Creates the failure of a wrong command line, or of a wrong file that it names.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(USAGE, message)
    }

    /// Creates the failure of a command that found no daemon.
    pub(crate) fn no_daemon(message: impl Into<String>) -> Self {
        Self::new(NO_DAEMON, message)
    }

    /// Creates the failure of a feature that does not exist yet.
    pub(crate) fn not_in_this_version(what: &str) -> Self {
        Self::usage(format!("{what} is not in this version"))
    }

    /// Creates the failure after Ctrl-C; everything has been printed.
    pub(crate) fn interrupted() -> Self {
        Self::silent(INTERRUPTED)
    }

    /// Creates the failure of a run that failed or was cancelled, which its line has reported.
    pub(crate) fn run_failed() -> Self {
        Self::silent(FAILED)
    }

    /// Creates the exit of a command whose run waits for a person, which its line has reported.
    pub(crate) fn parked() -> Self {
        Self::silent(PARKED)
    }

    /// Creates the failure of a file with errors, which have been shown.
    pub(crate) fn invalid_file() -> Self {
        Self::silent(USAGE)
    }

    /// Creates the exit of a command whose output nobody reads any more, which counts as success.
    pub(crate) fn pipe_closed() -> Self {
        Self::silent(0)
    }

    fn silent(code: u8) -> Self {
        Self { code, message: None, hint: None }
    }

    /// Sets another exit code.
    pub(crate) fn with_code(mut self, code: u8) -> Self {
        self.code = code;
        self
    }

    /// Adds a hint: what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a hint, if there is one.
    pub(crate) fn maybe_hint(mut self, hint: Option<String>) -> Self {
        self.hint = hint.or(self.hint);
        self
    }

    /// Returns the error, in one sentence; empty if it has been reported already.
    pub(crate) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or_default()
    }

    /// Returns the exit code of the process.
    pub(crate) fn code(&self) -> u8 {
        self.code
    }

    /// Returns the error and the hint, if there is anything to print.
    pub(crate) fn parts(&self) -> (Option<&str>, Option<&str>) {
        (self.message.as_deref(), self.hint.as_deref())
    }
}

impl From<RpcError> for Failure {
    fn from(error: RpcError) -> Self {
        let usage = error.is(ErrorCode::InvalidWorkflow) || error.is(ErrorCode::BadParams);
        let mut message = error.message;
        for problem in &error.problems {
            message.push_str("\n  ");
            message.push_str(&Problem::to_string(problem));
        }
        Self::new(if usage { USAGE } else { FAILED }, message)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Rpc(error) => error.into(),
            ClientError::NoDaemon(_)
            | ClientError::Unreachable { .. }
            | ClientError::Silent(_)
            | ClientError::NotOurs { .. }
            | ClientError::Version(_)
            | ClientError::Disconnected(_)
            | ClientError::Start(_) => Self::no_daemon(error.to_string()),
            other => Self::failed(other.to_string()),
        }
    }
}
