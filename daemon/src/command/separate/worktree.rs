//! Work trees of git, one for each attempt. The repository keeps a record of each; the attempt's folder names the
//! repository, so that the record is removed also by a later daemon.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::io::Errno;
use tokio_util::sync::CancellationToken;

use super::super::folder::{Folder, new_file, sentence};
use super::super::shown as events;
use super::SEPARATE;
use super::git::{Failure, Git};
use super::listing::shown;
use crate::attempt::Attempt;
use crate::file_error::FileError;
use crate::rooted::read_own;

/// The file with the path of the repository.
const REPOSITORY: &str = "repository";
/// The file with the commit that was checked out.
const START: &str = "start";
/// The interval between two tries to lock a repository.
const LOCK_INTERVAL: Duration = Duration::from_millis(10);

/// Adds the work tree of an attempt, with a revision of the repository that `repo` is in. Returns notes for people.
pub(super) fn add(
    (repo, revision): (&Path, &str),
    attempt: &Attempt,
    folder: &Folder,
) -> Result<Vec<String>, FileError> {
    let message = format!("checking out `{}`", shown(Path::new(revision)));
    attempt.live(events::progress(attempt, None, Some(message)));
    let git = Git { folder: repo, cancel: &attempt.cancel };
    let common = git.run(&["rev-parse", "--path-format=absolute", "--git-common-dir"]);
    let common = common.map_err(|failure| match failure {
        Failure::Refused(line) if line.contains("not a git repository") => FileError::Other(format!(
            "`worktree` of `dir`: {} is in no git repository; write `copy: .` for a copy of the folder",
            shown(&repo.components().collect::<PathBuf>())
        )),
        other => other.into(),
    })?;
    let commit = git.run(&["rev-parse", "--verify", "--quiet", &format!("{revision}^{{commit}}")]);
    let commit = commit.map_err(|failure| match failure {
        Failure::Refused(_) => FileError::Other(format!(
            "`worktree` of `dir`: the repository of {} has no revision `{}`",
            shown(repo),
            shown(Path::new(revision))
        )),
        other => other.into(),
    })?;
    let (common, commit) = (PathBuf::from(OsString::from_vec(common)), OsString::from_vec(commit));
    // It must outlast what the repository records.
    let record = folder.path().join(REPOSITORY);
    let start = folder.path().join(START);
    for (path, bytes) in [(&record, common.as_os_str()), (&start, &commit)] {
        new_file(path)
            .and_then(|mut file| file.write_all(bytes.as_bytes()).and_then(|()| file.sync_all()))
            .map_err(|error| sentence("can't write", path, &error))?;
    }
    let path = folder.separate();
    {
        let _lock =
            lock(&common, &attempt.cancel).map_err(|error| sentence("can't lock", &common, &error))?;
        let options = ["worktree", "add", "--quiet", "--detach", "--no-checkout", "--"].map(OsStr::new);
        git.run(&[&options[..], &[path.as_os_str(), &commit]].concat())?;
    }
    // Work trees are filled side by side: each has an index of its own.
    Git { folder: &path, ..git }.run(&["reset", "--quiet", "--hard"])?;
    let mut notes = Vec::new();
    if path.join(".gitmodules").exists() {
        notes.push(
            "submodules are not checked out; `git submodule update --init` in the command does that".into(),
        );
    }
    Ok(notes)
}

/// Removes what the repository records about the work tree of an attempt, whose folder is gone.
pub(super) fn forget(folder: &Folder) -> io::Result<()> {
    let Ok(common) = repository(folder) else { return Ok(()) };
    // Not more than this one: those of the user may be on a disk that is not here now.
    if record_of(&common, folder)?.is_some() {
        let cancel = CancellationToken::new();
        let _lock = lock(&common, &cancel)?;
        let git = Git { folder: &common, cancel: &cancel };
        let path = folder.separate();
        let of = [OsStr::new("--git-dir"), common.as_os_str()];
        let options = ["worktree", "remove", "--force", "--force", "--"].map(OsStr::new);
        git.run(&[&of[..], &options[..], &[path.as_os_str()]].concat())
            .map_err(|failure| io::Error::other(String::from(FileError::from(failure))))?;
    }
    match fs::remove_file(folder.path().join(START)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::remove_file(folder.path().join(REPOSITORY))
}

/// Returns the commit that was checked out for an attempt.
pub(super) fn start(folder: &Folder) -> io::Result<String> {
    read_own(folder.path(), START).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// Returns the repository of the work tree of an attempt, and the folder in it with what it records about the work tree.
pub(super) fn recorded(folder: &Folder) -> Option<(PathBuf, PathBuf)> {
    let common = repository(folder).ok()?;
    let record = record_of(&common, folder).ok()??;
    Some((common, record))
}

fn repository(folder: &Folder) -> io::Result<PathBuf> {
    read_own(folder.path(), REPOSITORY).map(|bytes| OsString::from_vec(bytes).into())
}

/// Returns the folder with what a repository records about the work tree of an attempt.
fn record_of(common: &Path, folder: &Folder) -> io::Result<Option<PathBuf>> {
    // git names it without links. Only what is in the folder of an engine may be gone.
    let files = folder.files().canonicalize().or_else(|error| {
        match (folder.files().parent().zip(folder.files().file_name()), error.kind()) {
            (Some((parent, name)), io::ErrorKind::NotFound) => Ok(parent.canonicalize()?.join(name)),
            _ => Err(error),
        }
    })?;
    let git_file = files.join(SEPARATE).join(".git");
    let records = fs::read_dir(common.join("worktrees")).into_iter().flatten().flatten();
    let is_of = |record: &PathBuf| {
        let of = fs::read(record.join("gitdir")).unwrap_or_default();
        of.strip_suffix(b"\n").unwrap_or(&of) == git_file.as_os_str().as_bytes()
    };
    Ok(records.map(|record| record.path()).find(is_of))
}

/// Locks the repository for an attempt.
///
/// # Errors
/// It can't be entered, or the attempt was cancelled.
pub(super) fn lock_for(common: &Path, attempt: &Attempt) -> Result<File, FileError> {
    lock(common, &attempt.cancel).map_err(|error| sentence("can't lock", common, &error))
}

/// Locks a repository against other attempts, also those of other daemons, that add or remove work trees. Git's own locks
/// don't wait.
fn lock(common: &Path, cancel: &CancellationToken) -> io::Result<File> {
    let folder = File::open(common)?;
    loop {
        match rustix::fs::flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            Err(Errno::AGAIN) if cancel.is_cancelled() => return Err(io::ErrorKind::Interrupted.into()),
            Err(Errno::AGAIN | Errno::INTR) => std::thread::sleep(LOCK_INTERVAL),
            // Some file systems have no locks.
            Ok(()) | Err(_) => return Ok(folder),
        }
    }
}
