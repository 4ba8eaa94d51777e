//! Copies of the folders of attempts, for a cluster that shares none with this machine: rsync carries them there and back.
//!
//! All else works on the copy. What the runner says is fetched before what it counted: whoever sees the end finds the output.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fanlight_shared::ssh;
use tokio::process::Command;

use super::call::{self, Failure, Line, NOT_FOUND};
use super::files;
use super::login::Login;
use super::tools::{CALL_TIMEOUT, Tools};

/// The program.
pub(super) const RSYNC: &str = "rsync";
/// How long all files of an attempt may take on their way. rsync itself ends when nothing moves for a minute.
const COPY_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// What rsync ends with when the connection fails: its exit codes for sockets, the protocol and time limits.
const LOST: [i32; 4] = [10, 12, 30, 35];
/// What it ends with when some files could not be carried.
const PARTIAL: i32 = 23;
/// What it ends with when files vanish while it looks at them.
const VANISHED: i32 = 24;
/// What is sent and never fetched.
const ONLY_THERE: [&str; 3] = ["/inputs", "/arguments", "/fence"];

/// The folder of an attempt on the cluster, and its copy here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Copied {
    pub(super) here: PathBuf,
    pub(super) there: PathBuf,
}

/// Why files could not be carried.
#[derive(Debug)]
pub(super) enum CopyError {
    /// The login node can't be reached; another try makes sense.
    Away(String),
    /// Some files could not be read.
    Partial(String),
    /// Anything else.
    Failed(String),
}

impl CopyError {
    pub(super) fn sentence(self) -> String {
        match self {
            Self::Away(why) | Self::Partial(why) | Self::Failed(why) => why,
        }
    }
}

impl From<Failure> for CopyError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unreachable(why) | Failure::TimedOut(why) => Self::Away(why),
            Failure::Missing(why) | Failure::Failed(why) => Self::Failed(why),
        }
    }
}

impl Tools {
    /// Sends a folder. What is there and not here is removed.
    ///
    /// # Errors
    /// It is not there as a whole.
    pub(super) async fn send(&self, folder: &Copied) -> Result<(), CopyError> {
        let Some(parent) = folder.there.parent() else { return Ok(()) };
        let mut make = Line::new("mkdir");
        make.args(["-p", "-m", "700", "--"]).args([parent]);
        self.call(make, CALL_TIMEOUT).await?;
        let from = with_slash(&folder.here);
        self.copy(&["-rlpt", "--delete"], COPY_TIMEOUT, |there| vec![from, there(&folder.there)]).await
    }

    /// Fetches a folder. What is here and not there is removed.
    ///
    /// # Errors
    /// It is not here as a whole.
    pub(super) async fn fetch(&self, folder: &Copied) -> Result<(), CopyError> {
        let left_out = ONLY_THERE.map(|name| format!("--exclude={name}"));
        let mut options = vec!["-rlpt", "--delete"];
        options.extend(left_out.iter().map(String::as_str));
        let to = with_slash(&folder.here);
        let fetched = self.copy(&options, COPY_TIMEOUT, |there| vec![there(&folder.there), to]).await;
        fetched.map_err(|error| match error {
            // The disk of this machine: nothing is lost by waiting for space.
            CopyError::Failed(why) if why.contains("No space left on device") => CopyError::Away(why),
            error => error,
        })
    }

    /// Fetches what the runners of these attempts said, and then what is new in the output of their commands.
    ///
    /// # Errors
    /// Some of it may be missing.
    pub(super) async fn fetch_said(&self, folders: &[Copied]) -> Result<(), CopyError> {
        let mut by_parent: BTreeMap<(&Path, &Path), Vec<&str>> = BTreeMap::new();
        for folder in folders {
            if let (Some(here), Some(there)) = (folder.here.parent(), folder.there.parent())
                && let Some(name) = folder.there.file_name().and_then(|name| name.to_str())
            {
                by_parent.entry((here, there)).or_default().push(name);
            }
        }
        for ((here, there), names) in by_parent {
            self.fetch_named(here, there, &names, &files::SAID, &["-pt"]).await?;
            // Without a look at what came before: an output only grows.
            self.fetch_named(here, there, &names, &files::GROWING, &["-pt", "--append"]).await?;
        }
        Ok(())
    }

    async fn fetch_named(
        &self,
        here: &Path,
        there: &Path,
        folders: &[&str],
        files: &[&str],
        options: &[&str],
    ) -> Result<(), CopyError> {
        let unwritten =
            |error: std::io::Error| CopyError::Failed(format!("a list of files can't be written: {error}"));
        let mut list = tempfile::NamedTempFile::new().map_err(unwritten)?;
        for folder in folders {
            for file in files {
                writeln!(list, "{folder}/{file}").map_err(unwritten)?;
            }
        }
        list.flush().map_err(unwritten)?;
        let from = format!("--files-from={}", list.path().display());
        let options: Vec<&str> = options.iter().copied().chain(["--ignore-missing-args", &from]).collect();
        let to = with_slash(here);
        match self.copy(&options, CALL_TIMEOUT, |of| vec![of(there), to]).await {
            // One that hides its files holds up no other.
            Err(CopyError::Partial(why)) => {
                tracing::debug!(why, "some files of jobs could not be fetched");
                Ok(())
            }
            fetched => fetched,
        }
    }

    /// Keeps a job that has not started its command from doing so.
    ///
    /// # Errors
    /// It may start.
    pub(super) async fn forbid_there(&self, folder: &Path) -> Result<(), CopyError> {
        let mut touch = Line::new("touch");
        touch.args(["--"]).args([folder.join(files::CANCEL)]);
        self.call(touch, CALL_TIMEOUT).await?;
        Ok(())
    }

    /// Removes a folder there.
    ///
    /// # Errors
    /// Something of it may be left.
    pub(super) async fn remove_there(&self, folder: &Path) -> Result<(), CopyError> {
        let mut remove = Line::new("rm");
        remove.args(["-rf", "--"]).args([folder]);
        self.call(remove, CALL_TIMEOUT).await?;
        Ok(())
    }

    /// Calls rsync; `paths` gets a function that names a path there.
    async fn copy(
        &self,
        options: &[&str],
        limit: Duration,
        paths: impl FnOnce(&dyn Fn(&Path) -> OsString) -> Vec<OsString>,
    ) -> Result<(), CopyError> {
        let Some(login) = self.login() else { return Ok(()) };
        let (destination, shell) = login.for_rsync().map_err(CopyError::Failed)?;
        let there = |path: &Path| {
            let mut word = OsString::from(format!("{destination}:"));
            word.push(with_slash(path));
            word
        };
        let mut command = Command::new(RSYNC);
        // Names arrive as they are, without a shell that reads them.
        command.args(["-s", "--timeout=60", "-e", &shell]).args(options);
        command.arg("--").args(paths(&there)).env("LC_ALL", "C");
        let output = call::run(command, RSYNC, limit).await?;
        let code = match output.status.code() {
            Some(0 | VANISHED) => return Ok(()),
            Some(ssh::FAILED) => return Err(CopyError::Away(login.failure(&output.stderr))),
            Some(NOT_FOUND) => return Err(CopyError::Failed(not_there(login))),
            Some(code) if LOST.contains(&code) => return Err(lost(login, &output.stderr)),
            code => code,
        };
        let said = call::words(RSYNC, &output.stderr);
        let why =
            format!("`{RSYNC}`: {}", said.unwrap_or_else(|| format!("it ended with {}", output.status)));
        Err(if code == Some(PARTIAL) { CopyError::Partial(why) } else { CopyError::Failed(why) })
    }
}

/// Returns what an end of the connection means.
fn lost(login: &Login, stderr: &str) -> CopyError {
    if stderr.contains("not found") {
        return CopyError::Failed(not_there(login));
    }
    let name = login.name();
    if stderr.contains("is your shell clean") || stderr.contains("protocol version mismatch") {
        return CopyError::Failed(format!(
            "the shell at `{name}` prints something when it starts, which `{RSYNC}` can't do with; print it only in \
             interactive shells"
        ));
    }
    CopyError::Away(login.failure(stderr))
}

fn not_there(login: &Login) -> String {
    format!("there is no program `{RSYNC}` in the PATH of commands at `{}`; install it there", login.name())
}

/// Returns a path as rsync names what is in a folder, and not the folder.
fn with_slash(path: &Path) -> OsString {
    let mut path = path.as_os_str().to_owned();
    path.push("/");
    path
}
