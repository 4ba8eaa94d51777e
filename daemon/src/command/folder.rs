//! The folder of an attempt: the paths of its files, and its removal.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use fanlight_shared::id::AttemptId;

use crate::file_error::FileError;
use crate::file_error::is_full;
use crate::rooted::Root;
use crate::store::StoreError;

/// `<attempts>/<attempt id>/`. The supervisor's files (`log`, `stdout`) are there too. The files that the command itself
/// sees may be in another folder, which an engine can read.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    path: PathBuf,
    files: PathBuf,
    /// Where the command sees `files`, if that is another path.
    seen: Option<PathBuf>,
}

impl Folder {
    /// The file of notes: log lines of the node and of Fanlight, apart from the command's streams.
    pub(super) const NOTES: &str = "notes";

    pub(super) fn of(attempts: &Path, id: AttemptId) -> Self {
        let path = attempts.join(id.to_string());
        Self { files: path.clone(), path, seen: None }
    }
    /// Returns the folder of an attempt whose command sees its files below `engine`.
    pub(super) fn on_engine(attempts: &Path, engine: &Path, id: AttemptId) -> Self {
        Self { files: engine.join(id.to_string()), ..Self::of(attempts, id) }
    }
    /// Returns the folder of an attempt whose command sees its files in `files`, or in `seen`, of which `files` is a copy.
    pub(super) fn with_files(path: &Path, files: &Path, seen: Option<&Path>) -> Self {
        Self { path: path.to_owned(), files: files.to_owned(), seen: seen.map(Path::to_owned) }
    }
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
    /// Returns the path at which the command sees a file or folder of its own.
    pub(super) fn seen(&self, path: &Path) -> PathBuf {
        let seen = self.seen.as_ref().and_then(|seen| Some(seen.join(path.strip_prefix(&self.files).ok()?)));
        // Not `path.join("")`, which ends with a slash.
        seen.map_or_else(|| path.to_owned(), |seen| seen.components().collect())
    }
    /// Returns the folder that `files` is a copy of.
    pub(super) fn original(&self) -> Option<&Path> {
        self.seen.as_deref()
    }
    /// Returns the folder with the files that the command sees, or a copy of them.
    pub(super) fn files(&self) -> &Path {
        &self.files
    }
    /// Returns whether the command sees its files in another folder than that in the home.
    pub(super) fn is_on_engine(&self) -> bool {
        self.files != self.path
    }
    /// Returns the private work folder.
    pub(super) fn work(&self) -> PathBuf {
        self.files.join("work")
    }
    /// Opens the work folder, unless the command put a link in its place.
    pub(super) fn open_work(&self) -> io::Result<Root> {
        Root::open_own(&self.files, "work")
    }
    /// Returns the folder that has a folder for each input with files.
    pub(super) fn inputs(&self) -> PathBuf {
        self.files.join("inputs")
    }
    /// Returns the folder of files that are arguments of a `cmd:`.
    pub(super) fn arguments(&self) -> PathBuf {
        self.files.join("arguments")
    }
    /// Returns the path of `$FANLIGHT_EVENTS`; the command creates the file when it writes to it, or the daemon when it
    /// watches it.
    pub(super) fn events(&self) -> PathBuf {
        self.files.join("events.jsonl")
    }
    /// Returns the script of a `run:`.
    pub(super) fn script(&self) -> PathBuf {
        self.files.join("script")
    }
    /// Returns the folder with the log of an agent: what it says, where other commands have what they write.
    pub(super) fn said(&self) -> PathBuf {
        self.path.join("said")
    }
    /// Returns the path of the snapshot of `dir:` before the start.
    pub(super) fn before(&self) -> PathBuf {
        self.path.join("before")
    }

    /// Creates the folder with its work folder.
    ///
    /// # Errors
    /// [`io::ErrorKind::AlreadyExists`] if the attempt has a folder for the command.
    pub(super) fn make(&self) -> io::Result<()> {
        if self.is_on_engine() {
            self.make_own()?;
        }
        make_with_parents(&self.files)?;
        make_folder(&self.work())
    }

    /// Creates the folder in the home, unless it exists, for an attempt whose command sees another one.
    pub(super) fn make_own(&self) -> io::Result<()> {
        match make_with_parents(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }
}

/// Creates a folder that only its owner can enter, and those above it.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if it exists.
fn make_with_parents(path: &Path) -> io::Result<()> {
    match make_folder(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(parent) = path.parent() {
                fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
            }
            make_folder(path)
        }
        made => made,
    }
}

/// Creates a folder that only its owner can enter.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().mode(0o700).create(path)
}

/// Creates a new file that only its owner can read.
pub(super) fn new_file(path: &Path) -> io::Result<fs::File> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Returns the error for a failed operation on a file or folder, such as `can't read`.
pub(super) fn sentence(operation: &str, path: &Path, error: &io::Error) -> FileError {
    if is_full(error) {
        return StoreError::Full(path.to_owned()).into();
    }
    FileError::Other(format!("{operation} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_folder_is_private_and_is_removed_without_following_links() {
        let temp = tempfile::tempdir().unwrap();
        let outside = temp.path().join("outside");
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("keep"), "x").unwrap();
        let folder = Folder::of(&temp.path().join("state/attempts"), AttemptId::new());
        folder.make().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&folder.work())), (0o700, 0o700));
        std::os::unix::fs::symlink(&outside, folder.work().join("link")).unwrap();
        fs::create_dir_all(folder.work().join("a/b")).unwrap();
        fs::set_permissions(folder.work().join("a"), fs::Permissions::from_mode(0o000)).unwrap();
        fs::write(folder.path().join("log"), "said").unwrap();

        folder.clean_up().unwrap();
        assert!(!folder.work().exists() && folder.path().join("log").exists());
        folder.clean_up().unwrap();
        folder.remove().unwrap();
        assert!(!folder.path().exists() && outside.join("keep").exists());
        folder.remove().unwrap();
    }

    #[test]
    fn creating_a_folder_twice_is_reported() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::of(temp.path(), AttemptId::new());
        folder.make().unwrap();
        assert_eq!(folder.make().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    }
}
