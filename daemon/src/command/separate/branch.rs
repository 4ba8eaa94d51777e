//! Commits what a command left in its work tree to a new branch. The user's index, HEAD and files are not touched: the work
//! tree has its own.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use uuid::Uuid;

use super::super::folder::Folder;
use super::git::{Failure, Git};
use super::{or_full, worktree};
use crate::attempt::Attempt;
use crate::command::record::{Nested, first_nested};
use crate::file_error::FileError;
use crate::store::blob::Blobs;

/// The most branches of one node of a run.
const MAX_BRANCHES: u32 = 1_000;

/// The most paths in the arguments of a command.
const MAX_PATHS: usize = 500;

/// Commits what is in the work tree of an attempt, and returns the name of the branch. Blocks.
///
/// A second call finds the branch of the first one: the same work tree always gives the same commit.
///
/// # Errors
/// git can't read the files or write to the repository, the disk is full, or there are changes in another repository
/// below the work tree.
pub(in super::super) fn commit(
    attempt: &Attempt,
    folder: &Folder,
    blobs: &Blobs,
) -> Result<String, FileError> {
    try_commit(attempt, folder).map_err(|error| or_full(error, blobs))
}

fn try_commit(attempt: &Attempt, folder: &Folder) -> Result<String, FileError> {
    let (common, record) = worktree::recorded(folder)
        .ok_or("the repository knows nothing of the work tree any more, so there is no branch")?;
    let path = folder.separate();
    let git = Git { folder: &path, cancel: &attempt.cancel };
    // By name: what the command left in the folder must not lead git to another repository.
    let of = |arguments: &[&OsStr]| {
        let mut all = vec![OsString::from("--git-dir"), record.clone().into(), "--work-tree".into()];
        all.push(path.clone().into());
        all.extend(arguments.iter().map(|it| (*it).to_owned()));
        all
    };
    let ask = |words: &[&str]| -> Result<String, Failure> {
        let words: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
        let output = git.run_as(&of(&words), &identity(attempt))?;
        Ok(String::from_utf8_lossy(&output).trim().to_owned())
    };
    let is_sparse = ask(&["config", "--bool", "core.sparseCheckout"]).is_ok_and(|it| it == "true");
    let entries = git.run(&of(&["ls-files", "-v", "-z"].map(OsStr::new)))?;
    for (option, hidden) in hidden(&path, &entries, is_sparse) {
        for some in hidden.chunks(MAX_PATHS) {
            git.run(&of(&[&["update-index", option, "--"].map(OsStr::new)[..], some].concat()))?;
        }
    }
    let add: &[&str] =
        if is_sparse { &["add", "--all", "--sparse", "--", "."] } else { &["add", "--all", "--", "."] };
    loop {
        ask(add)?;
        let entries = git.run(&of(&["ls-files", "--stage", "-z"].map(OsStr::new)))?;
        let folders = former_links(&path, &entries);
        if folders.is_empty() {
            break;
        }
        let words = ["update-index", "--force-remove", "--"].map(OsStr::new);
        git.run(&of(&[&words[..], &folders].concat()))?;
    }
    let tree = ask(&["write-tree"])?;
    let head = ask(&["rev-parse", "--verify", "HEAD^{commit}"])?;
    // The command may have moved HEAD. A folder that an earlier version made does not tell where it was.
    let start = worktree::start(folder).unwrap_or_else(|_| head.clone());
    let links =
        ask(&["diff-tree", "-r", "--raw", "--no-renames", "--ignore-submodules=none", &start, &tree])?;
    let inside = ask(&["diff-files", "--raw", "--ignore-submodules=none"])?;
    if let Some(Nested { path, .. }) = first_nested(&format!("{links}\n{inside}")) {
        return Err(format!(
            "`{path}` is a repository of its own, which a branch can't hold; remove its `.git` or use `collect: files`"
        )
        .into());
    }
    let commit = if ask(&["rev-parse", "--verify", "HEAD^{tree}"])? == tree {
        head
    } else {
        let message = format!("{} of {}#{}", attempt.node, attempt.run.workflow, attempt.run.number);
        ask(&["commit-tree", &tree, "-p", &head, "-m", &message])?
    };
    let base = format!("fanlight/{}-{}-{}", attempt.run.workflow, attempt.run.number, attempt.node);
    let base = attempt.item.0.map_or(base.clone(), |index| format!("{base}-{index}"));
    let _lock = worktree::lock_for(&common, attempt)?;
    for number in 1..=MAX_BRANCHES {
        let name = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        let reference = format!("refs/heads/{name}");
        match ask(&["rev-parse", "--verify", "--quiet", &reference]) {
            Ok(there) if there == commit => return Ok(name),
            // Of an earlier attempt, of another home, or of the user.
            Ok(_) => {}
            Err(Failure::Refused(_)) => {
                ask(&["update-ref", &reference, &commit, ""])?;
                return Ok(name);
            }
            Err(other) => return Err(other.into()),
        }
    }
    Err(format!("there are {MAX_BRANCHES} branches `{base}` already").into())
}

/// Returns the files whose changes the index, as `ls-files -v -z` prints it, hides from git, by the option that shows them.
/// What a sparse checkout leaves out stays as it is.
fn hidden<'a>(top: &Path, entries: &'a [u8], is_sparse: bool) -> [(&'static str, Vec<&'a OsStr>); 2] {
    let entries = entries.split(|byte| *byte == 0).filter_map(|entry| match entry {
        [tag, b' ', path @ ..] => Some((*tag, OsStr::from_bytes(path))),
        _ => None,
    });
    let (mut assumed, mut skipped) = (Vec::new(), Vec::new());
    for (tag, path) in entries {
        if tag.is_ascii_lowercase() {
            assumed.push(path);
        }
        let is_left_out = || is_sparse && fs::symlink_metadata(top.join(path)).is_err();
        if tag.eq_ignore_ascii_case(&b'S') && !is_left_out() {
            skipped.push(path);
        }
    }
    [("--no-assume-unchanged", assumed), ("--no-skip-worktree", skipped)]
}

/// Returns the folders with files that the index, as `ls-files --stage -z` prints it, has as repositories although they are
/// none: git sees no file in them.
fn former_links<'a>(top: &Path, entries: &'a [u8]) -> Vec<&'a OsStr> {
    let links = entries.split(|byte| *byte == 0).filter_map(|entry| entry.strip_prefix(b"160000 "));
    let paths =
        links.filter_map(|entry| entry.splitn(2, |byte| *byte == b'\t').nth(1)).map(OsStr::from_bytes);
    paths
        .filter(|path| {
            let folder = top.join(path);
            let holds_files = fs::read_dir(&folder).is_ok_and(|mut entries| entries.next().is_some());
            holds_files && fs::symlink_metadata(folder.join(".git")).is_err()
        })
        .collect()
}

/// Returns the author and the time of a commit, the same in each try.
fn identity(attempt: &Attempt) -> Vec<(&'static str, String)> {
    let (seconds, _) =
        Uuid::from_bytes(*attempt.id.as_bytes()).get_timestamp().map_or((0, 0), |time| time.to_unix());
    let date = format!("@{seconds} +0000");
    let name = || "Fanlight".to_owned();
    let mail = || "fanlight@localhost".to_owned();
    vec![
        ("GIT_AUTHOR_NAME", name()),
        ("GIT_COMMITTER_NAME", name()),
        ("GIT_AUTHOR_EMAIL", mail()),
        ("GIT_COMMITTER_EMAIL", mail()),
        ("GIT_AUTHOR_DATE", date.clone()),
        ("GIT_COMMITTER_DATE", date),
    ]
}
