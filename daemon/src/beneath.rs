//! Paths from outside, resolved beneath a folder and nowhere else; and the one walk through a folder.
//!
//! No part of a path is followed if it is a link, and nothing but regular files is ever opened, so that a fifo can't
//! hold anyone up and a device is not touched.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};

/// Folders deeper than this are not entered.
pub(crate) const DEEPEST: usize = 64;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// A folder that paths are resolved beneath.
#[derive(Debug)]
pub(crate) struct Root {
    folder: OwnedFd,
    path: PathBuf,
}

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum Entry {
    /// An open regular file.
    File(File),
    /// An open folder.
    Folder(OwnedFd),
}

/// Why a path leads to nothing that may be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("there is no such file")]
    Absent,
    #[error("it climbs out of the folder; outputs lie below it")]
    Outside,
    #[error("it is a symbolic link, or leads through one; an output must be a file of its own")]
    Link,
    #[error("it is {0}; an output must be a file or a folder")]
    Special(&'static str),
    #[error("it can't be read: {0}")]
    Io(#[from] io::Error),
}

impl From<rustix::io::Errno> for Refusal {
    fn from(errno: rustix::io::Errno) -> Self {
        use rustix::io::Errno;
        match errno {
            Errno::NOENT | Errno::NOTDIR => Self::Absent,
            Errno::LOOP | Errno::XDEV => Self::Link,
            other => Self::Io(other.into()),
        }
    }
}

/// A path with its parts only: no `.`, and relative to the root. An absolute path that lies below `root` becomes relative.
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
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self { folder: rustix::fs::open(path, flags, Mode::empty())?, path: path.to_owned() })
    }

    /// An open folder whose own path is of no interest: paths beneath it are relative.
    pub(crate) fn from_folder(folder: OwnedFd) -> Self {
        Self { folder, path: PathBuf::from("/") }
    }

    /// The open folder, to be walked over.
    pub(crate) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }

    /// The open folder.
    pub(crate) fn into_folder(self) -> OwnedFd {
        self.folder
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens what `path` leads to.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub(crate) fn entry(&self, path: &Path) -> Result<Entry, Refusal> {
        let inner = inner_path(path, &self.path)?;
        let Some(name) = inner.file_name() else {
            return Ok(Entry::Folder(self.folder.try_clone()?));
        };
        let parent = inner.parent().filter(|it| !it.as_os_str().is_empty());
        let parent = parent.map(|it| self.subfolder(it)).transpose()?;
        let parent = parent.as_ref().map_or(self.folder.as_fd(), AsFd::as_fd);
        let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => open_file(parent, name).map(Entry::File),
            FileType::Directory => {
                Ok(Entry::Folder(rustix::fs::openat(parent, name, FOLDER, Mode::empty())?))
            }
            FileType::Symlink => Err(Refusal::Link),
            other => Err(Refusal::Special(word(other))),
        }
    }

    /// The names that lie beside `path`, for a hint; at most a hundred.
    pub(crate) fn neighbours(&self, path: &Path) -> Vec<String> {
        let Ok(inner) = inner_path(path, &self.path) else { return Vec::new() };
        let folder = match inner.parent().filter(|it| !it.as_os_str().is_empty()) {
            None => self.folder.try_clone().map_err(Refusal::from),
            Some(parent) => self.subfolder(parent),
        };
        let Ok(folder) = folder else { return Vec::new() };
        let mut names = names(folder.as_fd()).unwrap_or_default();
        names.truncate(100);
        names.into_iter().map(|it| it.to_string_lossy().into_owned()).collect()
    }

    /// A folder below this one; no part of its path is followed if it is a link.
    fn subfolder(&self, inner: &Path) -> Result<OwnedFd, Refusal> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::ResolveFlags;
            // Without NOFOLLOW a link at the end answers as one anywhere else does.
            let flags = FOLDER.difference(OFlags::NOFOLLOW);
            let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            match rustix::fs::openat2(&self.folder, inner, flags, Mode::empty(), resolve) {
                // An old kernel, or a sandbox that knows no such call.
                Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {}
                other => return Ok(other?),
            }
        }
        self.subfolder_by_parts(inner)
    }

    fn subfolder_by_parts(&self, inner: &Path) -> Result<OwnedFd, Refusal> {
        let mut folder = self.folder.try_clone()?;
        for part in inner.components() {
            let name = part.as_os_str();
            folder = rustix::fs::openat(&folder, name, FOLDER, Mode::empty()).map_err(|errno| {
                // A link answers "not a directory" where NOFOLLOW and DIRECTORY meet.
                let link = rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)
                    .is_ok_and(|it| FileType::from_raw_mode(it.st_mode) == FileType::Symlink);
                if link { Refusal::Link } else { errno.into() }
            })?;
        }
        Ok(folder)
    }
}

fn open_file(parent: BorrowedFd<'_>, name: &OsStr) -> Result<File, Refusal> {
    let file = File::from(rustix::fs::openat(parent, name, FILE, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(Refusal::Special("no regular file"));
    }
    Ok(file)
}

fn word(kind: FileType) -> &'static str {
    match kind {
        FileType::Fifo => "a fifo",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "no regular file",
    }
}

/// Opens the regular file at `path`, whose folder is trusted though its name may have been replaced.
///
/// # Errors
/// See [`Refusal`].
pub(crate) fn open_in(folder: &Path, name: &str) -> Result<File, Refusal> {
    match Root::open(folder)?.entry(Path::new(name))? {
        Entry::File(file) => Ok(file),
        Entry::Folder(_) => Err(Refusal::Special("a folder")),
    }
}

/// What a walk meets.
pub(crate) enum Met<'a> {
    /// A regular file.
    File(&'a Stat),
    /// Something that is neither a file nor a folder: it is left out.
    Other(&'static str),
    /// A folder that is entered now.
    Folder,
    /// A folder that can't be looked into, or lies too deep.
    Shut(&'static str),
}

/// Walks over everything below an open folder in name order, following no link and entering no more than `depth` levels.
/// Paths are told with `prefix` before them.
///
/// # Errors
/// What `visit` answers, and folders that can't be read.
pub(crate) fn walk(
    folder: BorrowedFd<'_>,
    prefix: &Path,
    depth: usize,
    visit: &mut dyn FnMut(&Path, Met<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let unreadable = |path: &Path, error: io::Error| format!("`{}` can't be read: {error}", path.display());
    for name in names(folder).map_err(|error| unreadable(prefix, error))? {
        let path = prefix.join(&name);
        let stat = match rustix::fs::statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(rustix::io::Errno::NOENT) => continue,
            Err(errno) => return Err(unreadable(&path, errno.into())),
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => visit(&path, Met::File(&stat))?,
            FileType::Directory if depth == 0 => visit(&path, Met::Shut("a folder that is not entered"))?,
            FileType::Directory => match rustix::fs::openat(folder, &name, FOLDER, Mode::empty()) {
                Ok(inner) => {
                    visit(&path, Met::Folder)?;
                    walk(inner.as_fd(), &path, depth - 1, visit)?;
                }
                Err(rustix::io::Errno::ACCESS) => visit(&path, Met::Shut("a folder that can't be read"))?,
                Err(errno) => return Err(unreadable(&path, errno.into())),
            },
            FileType::Symlink => visit(&path, Met::Other("a symbolic link"))?,
            other => visit(&path, Met::Other(word(other)))?,
        }
    }
    Ok(())
}

/// The names in a folder, in byte order.
fn names(folder: BorrowedFd<'_>) -> io::Result<Vec<std::ffi::OsString>> {
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
