//! Copies of the folders of attempts, for a cluster that shares none with this machine: rsync carries them there and back.
//!
//! All else works on the copy. rsync lists all files before it reads the first one, so that who sees an end finds the output
//! that the runner counted then.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fanlight_shared::ssh;
use tokio::process::Command;

use super::call::{self, Failure, Line, NOT_FOUND};
use super::files;
use super::grow;
use super::login::{Login, RSYNC};
use super::request::CALL_TIMEOUT;
use super::tools::Tools;

/// How long all files of an attempt may take on their way. rsync itself ends when nothing moves for a minute.
pub(super) const COPY_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);
/// What rsync ends with when the connection fails: its exit codes for sockets, the protocol and time limits.
const LOST: [i32; 4] = [10, 12, 30, 35];
/// What it ends with when some files could not be carried.
const PARTIAL: i32 = 23;
/// What it ends with when files vanish while it looks at them.
const VANISHED: i32 = 24;
/// What is sent and never fetched; above all the secrets of a job that did not start.
const ONLY_THERE: [&str; 4] = ["inputs", "arguments", "fence", files::START];
/// How long what is new may take with each poll.
const POLL_TIMEOUT: Duration = Duration::from_secs(10 * 60);
/// The longest file that is fetched while a command runs. A longer one is fetched when it has ended.
const MAX_SIZE: &str = "--max-size=64m";
/// The folder in which events arrive.
pub(super) const ARRIVED: &str = "arrived";

/// The folder of an attempt on the cluster, and its copy here.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct CopiedFolder {
    pub(super) here: PathBuf,
    pub(super) there: PathBuf,
}

/// Why files could not be carried.
#[derive(Debug)]
pub(super) enum CopyError {
    /// The login node can't be reached, or there is no space here; another try makes sense.
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
            Failure::Unreachable(why) | Failure::NotRun(why) | Failure::TimedOut(why) => Self::Away(why),
            Failure::Missing(why) | Failure::Failed(why) => Self::Failed(why),
        }
    }
}

impl Tools {
    /// Sends a folder. What is there and not here is removed.
    ///
    /// # Errors
    /// It is not there as a whole.
    pub(super) async fn send(&self, folder: &CopiedFolder) -> Result<(), CopyError> {
        let Some(parent) = folder.there.parent() else { return Ok(()) };
        let _lane = self.lanes.there.acquire().await;
        let mut make = Line::new("mkdir");
        make.args(["-p", "-m", "700", "--"]).args([parent]);
        self.caller.call(make, CALL_TIMEOUT).await?;
        let from = with_slash(&folder.here);
        self.copy(&["-rlpt", "--delete"], COPY_TIMEOUT, |there| vec![from, there(&folder.there)]).await
    }

    /// Fetches a folder, except what [`fetch_said`](Self::fetch_said) fetches. What is here and not there is removed.
    ///
    /// # Errors
    /// It is not here as a whole.
    pub(super) async fn fetch(&self, folder: &CopiedFolder) -> Result<(), CopyError> {
        let said = files::SAID.iter().chain([&files::EVENTS]).map(|name| format!("--exclude=/{name}"));
        let left_out: Vec<String> = ONLY_THERE
            .iter()
            .chain(&files::PLACING)
            .map(|name| format!("--exclude=/{name}"))
            .chain(said)
            .collect();
        // Size and time may be those of another content: a command can set them.
        let mut options = vec!["-rlpt", "--delete", "--checksum"];
        options.extend(left_out.iter().map(String::as_str));
        let to = with_slash(&folder.here);
        let fetched = self.copy(&options, COPY_TIMEOUT, |there| vec![there(&folder.there), to]).await;
        fetched.map_err(wait_for_space)
    }

    /// Fetches what the runners of these attempts said, and the output of their commands. Who sees an end finds all of the
    /// output, unless it is longer than what is fetched while a command runs; `whole` fetches that too. Two calls at once
    /// must not name the same attempt.
    ///
    /// # Errors
    /// Some of it may be missing.
    pub(super) async fn fetch_said(&self, folders: &[CopiedFolder], whole: bool) -> Result<(), CopyError> {
        let mut by_parent: BTreeMap<(&Path, &Path), Vec<&str>> = BTreeMap::new();
        for folder in folders {
            if let (Some(here), Some(there)) = (folder.here.parent(), folder.there.parent())
                && let Some(name) = folder.there.file_name().and_then(|name| name.to_str())
            {
                by_parent.entry((here, there)).or_default().push(name);
            }
        }
        for ((here, there), names) in by_parent {
            self.fetch_named(here, there, &names, &files::SAID, whole).await?;
            let arrived = here.join(ARRIVED);
            self.fetch_named(&arrived, there, &names, &[files::EVENTS], whole).await?;
            for name in names {
                let (from, to) = (arrived.join(name), here.join(name));
                let merged =
                    tokio::task::spawn_blocking(move || grow::merge(&from, &to, files::EVENTS)).await;
                let wrong = |why: &dyn std::fmt::Display| {
                    wait_for_space(CopyError::Failed(format!("events can't be taken: {why}")))
                };
                merged.map_err(|error| wrong(&error))?.map_err(|error| wrong(&error))?;
            }
        }
        Ok(())
    }

    async fn fetch_named(
        &self,
        here: &Path,
        there: &Path,
        folders: &[&str],
        files: &[&str],
        whole: bool,
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
        let (last, limit) = if whole { ("--checksum", COPY_TIMEOUT) } else { (MAX_SIZE, POLL_TIMEOUT) };
        let options = ["-pt", "--ignore-missing-args", &from, last];
        let to = with_slash(here);
        match self.copy(&options, limit, |of| vec![of(there), to]).await {
            // One that hides its files holds up no other.
            Err(CopyError::Partial(why)) if !is_full(&why) => {
                tracing::debug!(why, "some files of jobs could not be fetched");
                Ok(())
            }
            fetched => fetched.map_err(wait_for_space),
        }
    }

    /// Keeps a job that has not started its command from doing so.
    ///
    /// # Errors
    /// It may start.
    pub(super) async fn forbid_there(&self, folder: &Path) -> Result<(), CopyError> {
        let mut touch = Line::new("touch");
        touch.args(["--"]).args([folder.join(files::CANCEL)]);
        self.caller.call(touch, CALL_TIMEOUT).await?;
        Ok(())
    }

    /// Removes a folder there.
    ///
    /// # Errors
    /// Something of it may be left.
    pub(super) async fn remove_there(&self, folder: &Path) -> Result<(), CopyError> {
        let mut remove = Line::new("sh");
        // Nothing can be removed from a folder that can't be written to.
        remove.args(["-c", "chmod -R u+rwX -- \"$1\" 2>/dev/null; rm -rf -- \"$1\"", "sh"]).args([folder]);
        self.caller.call(remove, CALL_TIMEOUT).await?;
        Ok(())
    }

    /// Calls rsync; `paths` gets a function that names a path there.
    ///
    /// # Errors
    /// Something of it is missing. A login node that does not run commands at the moment is away, whatever it says instead.
    pub(super) async fn copy(
        &self,
        options: &[&str],
        limit: Duration,
        paths: impl FnOnce(&dyn Fn(&Path) -> OsString) -> Vec<OsString>,
    ) -> Result<(), CopyError> {
        let Some(login) = self.caller.login() else {
            return Err(CopyError::Failed(
                "the config of its engine has no `via` any more; write it again".into(),
            ));
        };
        let (destination, shell) = login.for_rsync().map_err(CopyError::Failed)?;
        let there = |path: &Path| {
            let mut word = OsString::from(format!("{destination}:"));
            word.push(with_slash(path));
            word
        };
        // Names arrive as they are, without a shell that reads them.
        let mut words: Vec<OsString> = ["-s", "--timeout=60", "-e", &shell].map(OsString::from).into();
        words.extend(options.iter().map(OsString::from));
        words.push("--".into());
        words.extend(paths(&there));
        let copied = try_to_copy(login, &words, limit).await;
        let Err(CopyError::Partial(_) | CopyError::Failed(_)) = copied else { return copied };
        // rsync can't tell its own end from that of a login node which is being maintained.
        match self.caller.call(Line::new("true"), CALL_TIMEOUT).await {
            Err(Failure::Unreachable(why) | Failure::NotRun(why) | Failure::TimedOut(why)) => {
                Err(CopyError::Away(why))
            }
            // The maintenance may have ended in between.
            Ok(_) if matches!(copied, Err(CopyError::Failed(_))) => try_to_copy(login, &words, limit).await,
            _ => copied,
        }
    }
}

/// Calls rsync once with these words.
async fn try_to_copy(login: &Login, words: &[OsString], limit: Duration) -> Result<(), CopyError> {
    let mut command = Command::new(RSYNC);
    command.args(words).env("LC_ALL", "C");
    let output = call::run(command, RSYNC, limit).await?;
    if output.stderr.contains("is your shell clean") || output.stderr.contains("protocol version mismatch") {
        return Err(CopyError::Failed(format!(
            "the shell at `{}` prints something when it starts, which `{RSYNC}` can't do with; print it only in \
             interactive shells",
            login.name()
        )));
    }
    let code = match output.status.code() {
        Some(0) => return Ok(()),
        // That may be the code of anything that the login node runs instead.
        Some(VANISHED) if output.stderr.contains("vanished") => return Ok(()),
        Some(ssh::FAILED) => return Err(CopyError::Away(login.failure(&output.stderr))),
        Some(NOT_FOUND) => return Err(CopyError::Failed(not_there(login))),
        Some(code) if LOST.contains(&code) => return Err(lost(login, &output.stderr)),
        code => code,
    };
    let said = call::words(RSYNC, &output.stderr);
    let why = format!("`{RSYNC}`: {}", said.unwrap_or_else(|| format!("it ended with {}", output.status)));
    Err(if code == Some(PARTIAL) { CopyError::Partial(why) } else { CopyError::Failed(why) })
}

/// Returns whether the disk is why files can't be carried.
fn is_full(why: &str) -> bool {
    why.contains("No space left on device") || why.contains("Disk quota exceeded")
}

/// Makes a full disk of this machine a reason to wait: nothing is lost by that.
fn wait_for_space(error: CopyError) -> CopyError {
    match error {
        CopyError::Partial(why) | CopyError::Failed(why) if is_full(&why) => CopyError::Away(why),
        error => error,
    }
}

/// Returns what an end of the connection means.
fn lost(login: &Login, stderr: &str) -> CopyError {
    if stderr.contains("not found") {
        return CopyError::Failed(not_there(login));
    }
    // The folder is gone, and not the machine.
    if stderr.contains("change_dir") {
        let why = call::words(RSYNC, stderr).unwrap_or_default();
        return CopyError::Partial(format!("`{RSYNC}`: {why}"));
    }
    CopyError::Away(login.failure(stderr))
}

fn not_there(login: &Login) -> String {
    format!("there is no program `{RSYNC}` in the PATH of commands at `{}`; install it there", login.name())
}

/// Returns a path as rsync names what is in a folder, and not the folder.
pub(super) fn with_slash(path: &Path) -> OsString {
    let mut path = path.as_os_str().to_owned();
    path.push("/");
    path
}
