//! What a command changes in its folder, as a patch: `record.sh` runs the command between two looks of git at the folder.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;

use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::types::Type;
use fanlight_shared::workflow::Shell;

use super::environment::Environment;
use super::folder::{Folder, make_folder, new_file, sentence};
use super::{program, text};
use crate::file_error::FileError;
use crate::media;
use crate::rooted::{Refusal, open_own, read_own};
use crate::secret::Secrets;
use crate::store::blob::{Blobs, Published};
use crate::supervisor::client::StartSpec;

const SCRIPT: &str = include_str!("record.sh");
/// The name of the patch.
const PATCH: &str = "changes.patch";
const MIME: &str = "text/x-diff";

/// The folder in which a command is recorded.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// It belongs to the attempt, and to no repository.
    Own,
    /// It belongs to a repository, if to any.
    InRepository,
}

/// Why there is no patch.
pub(super) enum NoPatch {
    /// git could not look at the folder.
    Unrecorded(String),
    /// There is nothing that could be recorded, for this reason.
    Note(String),
    /// The command ended before it was made, or something replaced it.
    Refused(Refusal),
}

impl Folder {
    /// Returns the folder with the record of what a command changes.
    pub(super) fn record(&self) -> PathBuf {
        self.files().join("record")
    }
    /// Returns the script that runs the command.
    fn recorder(&self) -> PathBuf {
        self.files().join("recorder")
    }
}

/// Returns a command that runs this one and records what it changes in its folder.
///
/// # Errors
/// There is no shell, or the disk is full.
pub(super) fn wrap(
    spec: StartSpec,
    folder: &Folder,
    kind: Kind,
    environment: &Environment,
) -> Result<StartSpec, FileError> {
    let (record, script) = (folder.record(), folder.recorder());
    make_folder(&record).map_err(|error| sentence("can't make", &record, &error))?;
    new_file(&script)
        .and_then(|mut file| file.write_all(SCRIPT.as_bytes()))
        .map_err(|error| sentence("can't write", &script, &error))?;
    let shell = match environment.is_here() {
        true => program::of_script(&Shell::Sh, &script, &path(&spec))?,
        false => program::by_name(&Shell::Sh, &folder.seen(&script))?,
    };
    let kind = match kind {
        Kind::Own => "own",
        Kind::InRepository => "shared",
    };
    let mut arguments = shell.arguments;
    arguments.extend([folder.seen(&record).into_os_string(), OsStr::new(kind).to_owned(), spec.program]);
    arguments.extend(spec.arguments);
    Ok(StartSpec { program: shell.program, arguments, ..spec })
}

/// Checks that git can record a command.
///
/// # Errors
/// It is not installed.
pub(super) fn check_git(spec: &StartSpec) -> Result<(), String> {
    let path = path(spec);
    program::find("git", &path).map(|_| ()).ok_or_else(|| {
        let searched = text::line(&path.to_string_lossy());
        format!("`collect: patch` of `dir` needs git, and there is none in PATH ({searched}); install git, or write `collect: files`")
    })
}

fn path(spec: &StartSpec) -> OsString {
    spec.env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone()).unwrap_or_default()
}

/// Returns why the changes of a command that ended could not be recorded.
pub(super) fn problem(folder: &Folder) -> Option<String> {
    let record = folder.record();
    if !record.join("problem").exists() {
        return None;
    }
    let bytes = read_own(&record, "problem").unwrap_or_default();
    let unborn = String::from_utf8_lossy(&bytes)
        .lines()
        .find_map(|line| line.strip_prefix("error: '")?.strip_suffix("' does not have a commit checked out"))
        .map(|path| {
            let path = text::line(path);
            format!("`{path}` is a repository without a commit; commit something in it, or leave it out by `exclude` of `dir`")
        });
    Some(
        unborn.or_else(|| text::last_line_of_git(&bytes)).unwrap_or_else(|| "git gives no reason".to_owned()),
    )
}

/// A repository below the folder of a command, in which the command changed something: a patch or a branch holds no more of
/// it than the name of its commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Nested {
    /// Its path in the folder.
    pub(super) path: String,
    /// Whether it was there before the command.
    pub(super) was_there: bool,
}

/// Returns the first repository below the folder in which a command that ended changed something.
pub(super) fn nested(folder: &Folder) -> Option<Nested> {
    let bytes = read_own(&folder.record(), "nested").unwrap_or_default();
    first_nested(&String::from_utf8_lossy(&bytes))
}

/// Returns the first repository in a list of changes of git (`--raw`), except those that are no repositories any more: what
/// such a folder holds are ordinary changes.
pub(super) fn first_nested(changes: &str) -> Option<Nested> {
    const LINK: &str = "160000";
    let changes: Vec<_> = changes
        .lines()
        .filter_map(|line| {
            let (facts, path) = line.strip_prefix(':')?.split_once('\t')?;
            let mut modes = facts.split(' ').map(|mode| mode == LINK);
            Some((modes.next()?, modes.next()?, path))
        })
        .filter(|(was, is, _)| *was || *is)
        .collect();
    let gone: HashSet<&str> = changes.iter().filter(|(_, is, _)| !is).map(|(.., path)| *path).collect();
    let first = changes.iter().find(|(_, is, path)| *is && !gone.contains(path));
    first.map(|(was, _, path)| Nested { path: text::line(path), was_there: *was })
}

/// Returns what a command that ended has changed.
///
/// # Errors
/// See [`NoPatch`].
pub(super) fn patch(folder: &Folder) -> Result<File, NoPatch> {
    let record = folder.record();
    if let Some(why) = problem(folder) {
        return Err(NoPatch::Unrecorded(why));
    }
    let note = read_own(&record, "note").ok().and_then(|bytes| text::last_line(&bytes));
    if let Some(note) = note {
        return Err(NoPatch::Note(note));
    }
    open_own(&record, "patch").map_err(NoPatch::Refused)
}

/// Publishes a patch, unless a secret is in it.
///
/// # Errors
/// It contains a secret, or the disk is full.
pub(super) fn publish(
    patch: File,
    secrets: &Secrets,
    blobs: &Blobs,
) -> Result<(Media, Published), FileError> {
    secrets.check_file(&patch)?;
    let (media, published) = media::publish(blobs, patch, PATCH)?;
    let media = media::check(media, &Type::Media(MediaKind::File))?;
    Ok((Media { kind: MediaKind::File, mime: MIME.into(), ..media }, published))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_that_is_gone_or_a_folder_now_is_not_one_that_a_patch_lacks() {
        let changes = ":160000 000000 1 0 D\tgone\n:000000 100644 0 1 A\tgone/file\n:160000 160000 1\tgone\n";
        assert_eq!(first_nested(changes), None);
        let nested = |path: &str, was_there| Some(Nested { path: path.into(), was_there });
        assert_eq!(first_nested(&format!("{changes}:160000 160000 1\told")), nested("old", true));
        assert_eq!(first_nested(&format!("{changes}:000000 160000 0 1 A\tnew")), nested("new", false));
        assert_eq!(first_nested(":100644 100644 1 2 M\tfile\n"), None);
    }
}
