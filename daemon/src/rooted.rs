//! Paths that are resolved within one folder and lead nowhere else; the walk through a folder, and its removal.
//!
//! A link is followed as long as it stays within the folder; one that leads out of it, or nowhere, is refused by name.
//! Each step opens one name and never lets the kernel follow a link by itself, so a link that is put in place meanwhile
//! can't lead out either. Nothing but regular files is ever opened: a fifo blocks nobody, a device is not touched.

mod on_disk;
mod remove;
mod walk;

use std::ffi::{CStr, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat};
use rustix::io::Errno;

pub(crate) use on_disk::check_on_disk;
pub(crate) use remove::remove_tree;
pub(crate) use walk::{DEEPEST, Links, Met, walk};

/// How many links one path may lead through; as many as Linux allows.
const MAX_LINKS: usize = 40;

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
    /// The path without links, which absolute links are compared with.
    real: PathBuf,
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
    /// Opens a folder that a person named: its own path may lead through links.
    ///
    /// # Errors
    /// It can't be opened.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let folder = rustix::fs::open(path, FOLDER.difference(OFlags::NOFOLLOW), Mode::empty())?;
        Self::new(folder, path)
    }

    /// Opens `name` in the folder `parent`, both of which are Fanlight's own: neither may have become a link.
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

    /// The open folder.
    pub(crate) fn folder(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
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
        let mut steps = Steps {
            root: self,
            folders: vec![self.folder.try_clone()?],
            to_go: Vec::new(),
            links: Vec::new(),
        };
        steps.add(&inner);
        steps.follow().map_err(|refusal| match (refusal, steps.links.into_iter().next()) {
            (Refusal::Absent, Some(target)) => Refusal::Dangling(target),
            (refusal, _) => refusal,
        })
    }

    /// The names that lie beside `path`, for a hint; at most a hundred.
    pub(crate) fn neighbours(&self, path: &Path) -> Vec<String> {
        let Ok(inner) = inner_path(path, &self.path) else { return Vec::new() };
        let Ok(Entry::Folder(folder)) = self.entry(inner.parent().unwrap_or(Path::new(""))) else {
            return Vec::new();
        };
        let mut names = names(folder.as_fd()).unwrap_or_default();
        names.truncate(100);
        names.into_iter().map(|it| it.to_string_lossy().into_owned()).collect()
    }

    /// The path within this folder that an absolute path leads to.
    fn inside(&self, path: &Path) -> Option<PathBuf> {
        let direct = path.strip_prefix(&self.path).or_else(|_| path.strip_prefix(&self.real)).ok();
        let plain = direct.filter(|inner| inner.components().all(|part| part != Component::ParentDir));
        if let Some(inner) = plain {
            return Some(inner.to_owned());
        }
        // Another name of the folder, or a way out and back in; the result is followed step by step all the same.
        Some(path.canonicalize().ok()?.strip_prefix(&self.real).ok()?.to_owned())
    }
}

/// The way along a path, one name at a time.
struct Steps<'a> {
    root: &'a Root,
    /// The folders from the root to here.
    folders: Vec<OwnedFd>,
    /// Names that are still to be followed, the next one last.
    to_go: Vec<OsString>,
    /// Where the links led that were followed.
    links: Vec<PathBuf>,
}

impl Steps<'_> {
    fn add(&mut self, path: &Path) {
        self.to_go.extend(path.components().rev().filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        }));
    }

    fn follow(&mut self) -> Result<Entry, Refusal> {
        while let Some(name) = self.to_go.pop() {
            if name == ".." {
                self.up()?;
                continue;
            }
            let here = self.folders.last().map_or(self.root.folder.as_fd(), AsFd::as_fd);
            let kind = kind_of(&rustix::fs::statat(here, &name, AtFlags::SYMLINK_NOFOLLOW)?);
            match kind {
                FileType::Directory => {
                    let folder = rustix::fs::openat(here, &name, FOLDER, Mode::empty())?;
                    self.folders.push(folder);
                }
                FileType::Symlink => {
                    let target = rustix::fs::readlinkat(here, &name, Vec::new())?;
                    self.link(PathBuf::from(OsStr::from_bytes(target.as_bytes())))?;
                }
                _ if !self.to_go.is_empty() => return Err(Refusal::Absent),
                FileType::RegularFile => return open_file(here, &name).map(Entry::File),
                other => return Err(Refusal::Special(word(other))),
            }
        }
        match self.folders.pop() {
            Some(folder) => Ok(Entry::Folder(folder)),
            None => Ok(Entry::Folder(self.root.folder.try_clone()?)),
        }
    }

    fn link(&mut self, target: PathBuf) -> Result<(), Refusal> {
        if self.links.len() == MAX_LINKS {
            return Err(Refusal::Cycle);
        }
        if target.is_absolute() {
            let inner = self.root.inside(&target).ok_or_else(|| leads_out(&target))?;
            self.folders.truncate(1);
            self.add(&inner);
        } else {
            self.add(&target);
        }
        self.links.push(target);
        Ok(())
    }

    /// Up one folder; only links lead there. From the root it is followed as far as it comes back.
    fn up(&mut self) -> Result<(), Refusal> {
        if self.folders.len() > 1 {
            self.folders.pop();
            return Ok(());
        }
        let rest: PathBuf = self.to_go.drain(..).rev().collect();
        let path = self.root.real.join("..").join(rest);
        let inner = self.root.inside(&path).ok_or_else(|| leads_out(self.links.last().unwrap_or(&path)))?;
        self.add(&inner);
        Ok(())
    }
}

fn leads_out(target: &Path) -> Refusal {
    Refusal::LinkOut(target.to_owned())
}

fn open_file(parent: BorrowedFd<'_>, name: &OsStr) -> Result<File, Refusal> {
    let file =
        File::from(rustix::fs::openat(parent, name, FILE, Mode::empty()).map_err(|errno| match errno {
            Errno::LOOP => Refusal::Replaced,
            other => other.into(),
        })?);
    if !file.metadata()?.is_file() {
        return Err(Refusal::Special("no regular file"));
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
        _ => "no regular file",
    }
}

/// Opens the regular file `name` in `folder`, both of which are Fanlight's own: neither may have become a link.
///
/// # Errors
/// See [`Refusal`].
pub(crate) fn open_own(folder: &Path, name: &str) -> Result<File, Refusal> {
    let folder = rustix::fs::open(folder, FOLDER, Mode::empty()).map_err(|errno| match errno {
        // A link answers "not a directory" where NOFOLLOW and DIRECTORY meet.
        Errno::LOOP | Errno::NOTDIR => Refusal::Replaced,
        other => other.into(),
    })?;
    // Looked at before it is opened, since opening a device may do something.
    match kind_of(&rustix::fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?) {
        FileType::RegularFile => open_file(folder.as_fd(), OsStr::new(name)),
        FileType::Symlink => Err(Refusal::Replaced),
        FileType::Directory => Err(Refusal::Special("a folder")),
        other => Err(Refusal::Special(word(other))),
    }
}

/// Makes the file `name` in `folder`, or empties it, for its owner alone. Both are Fanlight's own: neither may have become
/// a link, since a command could lead what is written elsewhere by one.
///
/// # Errors
/// One of them is a link; the file can't be made.
pub(crate) fn create_own(folder: &Path, name: &str) -> io::Result<File> {
    let folder = rustix::fs::open(folder, FOLDER, Mode::empty())?;
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    // Opening a fifo for writing would wait for a reader.
    let file = rustix::fs::openat(&folder, name, flags | OFlags::NONBLOCK, Mode::RUSR | Mode::WUSR)?;
    let file = File::from(file);
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Reads the whole file `name` in `folder`; see [`open_own`].
///
/// # Errors
/// It is not there, is a link, or can't be read.
pub(crate) fn read_own(folder: &Path, name: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_own(folder, name)?.read_to_end(&mut bytes)?;
    Ok(bytes)
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

/// The names in a folder, in byte order.
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
