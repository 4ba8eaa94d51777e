//! Removes a folder with everything in it, however deep it is.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{AtFlags, FileType, Mode};
use rustix::io::Errno;

use super::{FOLDER, kind_of, names};

/// Removes a folder with everything in it, without following links. It is not an error if something is already gone.
///
/// Neither the depth of the tree nor the length of its paths is limited: the folders in a folder are moved to the top
/// before it is removed, so that there is nothing to descend into. A command may have removed the permissions of its
/// own folders; they are restored first.
///
/// # Errors
/// Something in it can't be removed.
pub(crate) fn remove_tree(path: &Path) -> io::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // Most folders are empty, and this is all that they need.
    if std::fs::remove_dir(path).is_ok() {
        return Ok(());
    }
    let parent =
        match rustix::fs::open(parent, FOLDER.difference(rustix::fs::OFlags::NOFOLLOW), Mode::empty()) {
            Err(Errno::NOENT) => return Ok(()),
            parent => parent?,
        };
    let Some(top) = clear(parent.as_fd(), name)? else { return Ok(()) };
    let mut moved = 0;
    loop {
        let mut left = false;
        for name in names(top.as_fd())? {
            left = true;
            let Some(folder) = clear(top.as_fd(), &name)? else { continue };
            for inner in names(folder.as_fd())? {
                if clear(folder.as_fd(), &inner)?.is_some() {
                    move_up(folder.as_fd(), &inner, top.as_fd(), &mut moved)?;
                }
            }
            ignore_absent(rustix::fs::unlinkat(top.as_fd(), &name, AtFlags::REMOVEDIR))?;
        }
        if !left {
            return ignore_absent(rustix::fs::unlinkat(&parent, name, AtFlags::REMOVEDIR));
        }
    }
}

/// Removes the entry with this name in a folder. A non-empty folder is returned instead, with permissions to read and
/// write it.
fn clear(within: BorrowedFd<'_>, name: &OsStr) -> io::Result<Option<OwnedFd>> {
    let stat = match rustix::fs::statat(within, name, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => return Ok(None),
        stat => stat?,
    };
    if kind_of(&stat) != FileType::Directory {
        ignore_absent(rustix::fs::unlinkat(within, name, AtFlags::empty()))?;
        return Ok(None);
    }
    match rustix::fs::unlinkat(within, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => return Ok(None),
        Err(Errno::NOTEMPTY | Errno::EXIST) => {}
        Err(errno) => return Err(errno.into()),
    }
    if stat.st_mode & 0o700 != 0o700 {
        rustix::fs::chmodat(within, name, Mode::RWXU, AtFlags::empty())?;
    }
    Ok(Some(rustix::fs::openat(within, name, FOLDER, Mode::empty())?))
}

/// Moves a folder to the top, under an unused name.
fn move_up(from: BorrowedFd<'_>, name: &OsStr, top: BorrowedFd<'_>, moved: &mut u64) -> io::Result<()> {
    loop {
        let new = OsString::from(format!(".fanlight-{moved}"));
        *moved += 1;
        match rustix::fs::renameat(from, name, top, &new) {
            Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
            done => return Ok(done?),
        }
    }
}

fn ignore_absent(result: rustix::io::Result<()>) -> io::Result<()> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_tree_deeper_than_any_path_or_stack_is_removed() {
        let temp = tempfile::tempdir().unwrap();
        let top = temp.path().join("deep");
        fs::create_dir(&top).unwrap();
        let mut here = rustix::fs::open(&top, FOLDER, Mode::empty()).unwrap();
        for _ in 0..5_000 {
            rustix::fs::mkdirat(&here, "folder", Mode::RWXU).unwrap();
            here = rustix::fs::openat(&here, "folder", FOLDER, Mode::empty()).unwrap();
        }
        remove_tree(&top).unwrap();
        assert!(!top.exists());
        remove_tree(&top).unwrap();
        remove_tree(&top.join("in/what/never/was")).unwrap();
    }

    #[test]
    fn a_tree_is_removed_with_its_links_and_inaccessible_folders() {
        let temp = tempfile::tempdir().unwrap();
        let top = temp.path().join("top");
        fs::create_dir_all(top.join("a/b/c")).unwrap();
        fs::create_dir_all(top.join("d/b/e")).unwrap();
        // Names that are taken by a file and by a non-empty folder.
        fs::write(top.join(".fanlight-0"), "x").unwrap();
        fs::create_dir_all(top.join(".fanlight-1/full")).unwrap();
        fs::create_dir(temp.path().join("outside")).unwrap();
        fs::write(temp.path().join("outside/kept"), "x").unwrap();
        symlink(temp.path().join("outside"), top.join("a/link")).unwrap();
        fs::write(top.join("a/b/file"), "x").unwrap();
        for shut in ["a/b", "d/b"] {
            fs::set_permissions(top.join(shut), fs::Permissions::from_mode(0o000)).unwrap();
        }
        remove_tree(&top).unwrap();
        assert!(!top.exists() && temp.path().join("outside/kept").exists());
        symlink("outside", &top).unwrap();
        remove_tree(&top).unwrap();
        assert!(fs::symlink_metadata(&top).is_err() && temp.path().join("outside/kept").exists());
    }
}
