//! Walks through a folder.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode, Stat};
use rustix::io::Errno;

use super::{Entry, FOLDER, Refusal, Root, kind_of, names, word};

/// The greatest depth; deeper folders are not entered.
pub(crate) const MAX_DEPTH: usize = 64;

/// The ways in which a walk treats links.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Links {
    /// They are visited as [`WalkEntry::Other`].
    Ignore,
    /// They are visited as [`WalkEntry::Link`], with their targets, and not followed.
    Themselves,
    /// Links to files count as files. Links to folders are visited but not entered: their content is found at its own
    /// path.
    ToFiles,
    /// Links are followed.
    Follow,
}

/// An entry of a walk.
pub(crate) enum WalkEntry<'a> {
    /// A regular file, possibly through a link.
    File(&'a Stat),
    /// Something that is neither a file nor a folder, and is left out.
    Other(&'static str),
    /// A link that is not followed, with its target as it is written there.
    Link(&'a OsStr),
    /// A link that can't be followed, with the state of the link itself.
    BrokenLink(&'a Stat, Refusal),
    /// A folder that is entered next.
    Folder,
    /// A folder, or a link to one, that this walk does not enter.
    Passed,
    /// A folder that can't be read.
    Unreadable,
    /// A folder below more than [`MAX_DEPTH`] others.
    TooDeep,
}

/// Walks through everything below the folder `start` of a root, in name order, at most `depth` levels deep. Paths are
/// relative to the root.
///
/// # Errors
/// The error of `visit`, or of a folder that can't be read.
pub(crate) fn walk(
    root: &Root,
    start: &Path,
    depth: usize,
    links: Links,
    visit: &mut dyn FnMut(&Path, WalkEntry<'_>) -> Result<(), String>,
) -> Result<(), String> {
    let folder = match root.entry(start) {
        Ok(Entry::Folder(folder)) => folder,
        Ok(Entry::File(_)) => return Err(format!("`{}` is not a folder", start.display())),
        Err(refusal) => return Err(format!("`{}`: {refusal}", start.display())),
    };
    let mut walk = Walk { root, links, visit, within: Vec::new(), limited: depth < MAX_DEPTH };
    walk.folder(&folder, start, depth)
}

struct Walk<'a> {
    root: &'a Root,
    links: Links,
    visit: &'a mut dyn FnMut(&Path, WalkEntry<'_>) -> Result<(), String>,
    /// Device and inode of the enclosing folders: following a link to one of them would never end.
    within: Vec<(i128, i128)>,
    /// Whether the caller limits the depth below the maximum.
    limited: bool,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &OwnedFd, path: &Path, depth: usize) -> Result<(), String> {
        let stat = rustix::fs::fstat(folder).map_err(|errno| unreadable(path, errno.into()))?;
        self.within.push(identity(&stat));
        for name in names(folder.as_fd()).map_err(|error| unreadable(path, error))? {
            self.entry(folder.as_fd(), &name, &path.join(&name), depth)?;
        }
        self.within.pop();
        Ok(())
    }

    fn entry(
        &mut self,
        folder: BorrowedFd<'_>,
        name: &OsStr,
        path: &Path,
        depth: usize,
    ) -> Result<(), String> {
        let stat = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(()),
            Err(errno) => return Err(unreadable(path, errno.into())),
        };
        match kind_of(&stat) {
            FileType::RegularFile => (self.visit)(path, WalkEntry::File(&stat)),
            FileType::Directory if depth == 0 => self.too_deep(path),
            FileType::Directory => match rustix::fs::openat(folder, name, FOLDER, Mode::empty()) {
                Ok(inner) => self.enter(&inner, path, &stat, depth),
                Err(Errno::ACCESS) => (self.visit)(path, WalkEntry::Unreadable),
                Err(errno) => Err(unreadable(path, errno.into())),
            },
            FileType::Symlink if self.links == Links::Ignore => {
                (self.visit)(path, WalkEntry::Other("a symbolic link"))
            }
            FileType::Symlink if self.links == Links::Themselves => {
                match rustix::fs::readlinkat(folder, name, Vec::new()) {
                    Ok(target) => (self.visit)(path, WalkEntry::Link(OsStr::from_bytes(target.as_bytes()))),
                    Err(Errno::NOENT) => Ok(()),
                    Err(errno) => Err(unreadable(path, errno.into())),
                }
            }
            FileType::Symlink => self.link(path, &stat, depth),
            other => (self.visit)(path, WalkEntry::Other(word(other))),
        }
    }

    fn link(&mut self, path: &Path, link: &Stat, depth: usize) -> Result<(), String> {
        match self.root.entry(path) {
            Ok(Entry::File(file)) => {
                let stat = rustix::fs::fstat(&file).map_err(|errno| unreadable(path, errno.into()))?;
                (self.visit)(path, WalkEntry::File(&stat))
            }
            Ok(Entry::Folder(_)) if self.links == Links::ToFiles => (self.visit)(path, WalkEntry::Passed),
            Ok(Entry::Folder(_)) if depth == 0 => self.too_deep(path),
            Ok(Entry::Folder(inner)) => self.enter(&inner, path, link, depth),
            Err(refusal) => (self.visit)(path, WalkEntry::BrokenLink(link, refusal)),
        }
    }

    fn too_deep(&mut self, path: &Path) -> Result<(), String> {
        (self.visit)(path, if self.limited { WalkEntry::Passed } else { WalkEntry::TooDeep })
    }

    /// Enters a folder. `stat` is that of the folder, or of the link to it.
    fn enter(&mut self, inner: &OwnedFd, path: &Path, stat: &Stat, depth: usize) -> Result<(), String> {
        let now = rustix::fs::fstat(inner).map_err(|errno| unreadable(path, errno.into()))?;
        if self.within.contains(&identity(&now)) {
            return (self.visit)(path, WalkEntry::BrokenLink(stat, Refusal::Cycle));
        }
        (self.visit)(path, WalkEntry::Folder)?;
        self.folder(inner, path, depth - 1)
    }
}

fn identity(stat: &Stat) -> (i128, i128) {
    (i128::from(stat.st_dev), i128::from(stat.st_ino))
}

fn unreadable(path: &Path, error: io::Error) -> String {
    format!("`{}` can't be read: {error}", path.display())
}
