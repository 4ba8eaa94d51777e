//! Resolves paths that must stay within one folder; walks through a folder, and removes it.
//!
//! Links are followed as long as they stay within the folder; one that leads out of it, or nowhere, is refused by name.
//! Each step opens one name and never lets the kernel follow a link, so a link that is created meanwhile can't lead out
//! either. Only regular files are ever opened: a FIFO can't block, and devices aren't touched.

mod on_disk;
mod own;
mod remove;
mod steps;
mod walk;

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

pub(crate) use on_disk::check_on_disk;
pub(crate) use own::{create_own, open_own, read_own};
pub(crate) use remove::remove_tree;
pub(crate) use walk::{Links, MAX_DEPTH, WalkEntry, walk};

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// A folder that paths are resolved within.
#[derive(Debug)]
pub(crate) struct Root {
    folder: OwnedFd,
    path: PathBuf,
    /// The path without links, for comparison with absolute links.
    real: PathBuf,
}

/// The entry at a path.
#[derive(Debug)]
pub(crate) enum Entry {
    /// An open regular file.
    File(File),
    /// An open folder.
    Folder(OwnedFd),
}

/// Why a path is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no such file")]
    Absent,
    #[error("it climbs out of the folder; outputs must be below it")]
    Outside,
    #[error("it is a link that leads out of the folder, to `{}`; copy what it leads to instead", .0.display())]
    LinkOut(PathBuf),
    #[error("it is a link to `{}`, which does not exist", .0.display())]
    Dangling(PathBuf),
    #[error("it is a link that leads back to itself")]
    Cycle,
    #[error("it is a link where Fanlight's own file should be")]
    Replaced,
    #[error("it is {0}; an output must be a file or a folder")]
    Special(&'static str),
    #[error("it can't be read: {0}")]
    Io(#[from] io::Error),
}

impl From<Errno> for Refusal {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::NOENT | Errno::NOTDIR => Self::Absent,
            other => Self::Io(other.into()),
        }
    }
}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Io(error) => error,
            Refusal::Absent => Self::from(io::ErrorKind::NotFound),
            other => Self::other(other.to_string()),
        }
    }
}

/// Returns a normalised path: without `.`, and relative to the root. An absolute path below `root` becomes relative.
///
/// # Errors
/// [`Refusal::Outside`] if it leads, or could lead, elsewhere.
pub(crate) fn inner_path(path: &Path, root: &Path) -> Result<PathBuf, Refusal> {
    let path = match path.strip_prefix(root) {
        Ok(inner) if path.is_absolute() => inner,
        _ => path,
    };
    let mut inner = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) if !name.as_bytes().contains(&0) => inner.push(name),
            Component::CurDir => {}
            _ => return Err(Refusal::Outside),
        }
    }
    Ok(inner)
}

impl Root {
    /// Opens a folder that a person named: its own path may contain links.
    ///
    /// # Errors
    /// It can't be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let folder = rustix::fs::open(path, FOLDER.difference(OFlags::NOFOLLOW), Mode::empty())?;
        Self::new(folder, path)
    }

    /// Opens `name` in the folder `parent`, both of which are Fanlight's own: neither may have been replaced by a link.
    ///
    /// # Errors
    /// One of them can't be opened, or is a link.
    pub(crate) fn open_own(parent: &Path, name: &str) -> io::Result<Self> {
        let folder = rustix::fs::open(parent, FOLDER, Mode::empty())?;
        let folder = rustix::fs::openat(&folder, name, FOLDER, Mode::empty())?;
        Self::new(folder, &parent.join(name))
    }

    fn new(folder: OwnedFd, path: &Path) -> io::Result<Self> {
        Ok(Self { folder, path: path.to_owned(), real: path.canonicalize()? })
    }

    /// Returns the open folder.
    pub(crate) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the entry at `path`.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub(crate) fn entry(&self, path: &Path) -> Result<Entry, Refusal> {
        steps::open(self, &inner_path(path, &self.path)?)
    }

    /// Returns the names next to `path`, for a hint; at most a hundred.
    pub(crate) fn neighbours(&self, path: &Path) -> Vec<String> {
        let Ok(inner) = inner_path(path, &self.path) else { return Vec::new() };
        let Ok(Entry::Folder(folder)) = self.entry(inner.parent().unwrap_or(Path::new(""))) else {
            return Vec::new();
        };
        let mut names = names(folder.as_fd()).unwrap_or_default();
        names.truncate(100);
        names.into_iter().map(|it| it.to_string_lossy().into_owned()).collect()
    }

    /// Returns the path within this folder that an absolute path leads to.
    pub(crate) fn inside(&self, path: &Path) -> Option<PathBuf> {
        let direct = path.strip_prefix(&self.path).or_else(|_| path.strip_prefix(&self.real)).ok();
        let plain = direct.filter(|inner| inner.components().all(|part| part != Component::ParentDir));
        if let Some(inner) = plain {
            return Some(inner.to_owned());
        }
        // It may be another name of the folder, or lead out and back in; the result is still followed step by step.
        Some(path.canonicalize().ok()?.strip_prefix(&self.real).ok()?.to_owned())
    }
}

fn open_file(parent: BorrowedFd<'_>, name: &OsStr) -> Result<File, Refusal> {
    let file =
        File::from(rustix::fs::openat(parent, name, FILE, Mode::empty()).map_err(|errno| match errno {
            Errno::LOOP => Refusal::Replaced,
            other => other.into(),
        })?);
    if !file.metadata()?.is_file() {
        return Err(Refusal::Special("not a regular file"));
    }
    Ok(file)
}

fn kind_of(stat: &Stat) -> FileType {
    FileType::from_raw_mode(stat.st_mode)
}

fn word(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "a fifo",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "not a regular file",
    }
}

/// Returns the names in a folder, in byte order.
fn names(folder: BorrowedFd<'_>) -> io::Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name: &CStr = entry.file_name();
        if name != c"." && name != c".." {
            names.push(OsStr::from_bytes(name.to_bytes()).to_owned());
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests;
