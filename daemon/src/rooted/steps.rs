//! Follows a path step by step, including links, without leaving its root.

use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode};

use super::{Entry, FOLDER, Refusal, Root, kind_of, open_file, word};

/// The most links in one path, as in Linux.
const MAX_LINKS: usize = 40;

/// Opens the entry at a path within a root.
///
/// # Errors
/// See [`Refusal`].
pub(super) fn open(root: &Root, inner: &Path) -> Result<Entry, Refusal> {
    let folders = vec![root.folder.try_clone()?];
    let mut steps = Steps { root, folders, to_go: Vec::new(), links: Vec::new() };
    steps.add(inner);
    steps.follow().map_err(|refusal| match (refusal, steps.links.into_iter().next()) {
        (Refusal::Absent, Some(target)) => Refusal::Dangling(target),
        (refusal, _) => refusal,
    })
}

/// The walk along a path, one name at a time.
struct Steps<'a> {
    root: &'a Root,
    /// The folders from the root to here.
    folders: Vec<OwnedFd>,
    /// The remaining names, the next one last.
    to_go: Vec<OsString>,
    /// The targets of the followed links.
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

    /// Goes up one folder, which only links do. From the root, it is followed as far as it returns.
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
