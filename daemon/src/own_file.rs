//! A file or folder of this process whose name another process may reuse, such as a socket.
//!
//! If a home is removed while its processes are alive, other processes create a new home with the same names. A lock
//! doesn't prevent that: it was removed with the home.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file or folder that this process made.
#[derive(Debug)]
pub struct OwnFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
    /// For a folder: while it is open, no other folder gets its inode. A socket keeps its inode by listening.
    _open: Option<File>,
}

impl OwnFile {
    /// Records the socket at `path` on which this process has just begun to listen, or the folder that it works in.
    ///
    /// # Errors
    /// It is already gone.
    pub fn of(path: &Path) -> io::Result<Self> {
        let identity = identity(path)?;
        let open = if path.is_dir() { Some(File::open(path)?) } else { None };
        Ok(Self { path: path.to_owned(), identity, _open: open })
    }

    /// Returns whether it was removed or replaced.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        match identity(&self.path) {
            Ok(identity) => identity != self.identity,
            // Other errors, such as a lack of descriptors, say nothing about it.
            Err(error) => matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        }
    }

    /// Removes the socket if it is still the one that this process made.
    pub fn remove(&self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            // Another process may have just removed it.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    let meta = std::fs::symlink_metadata(path)?;
    Ok((meta.dev(), meta.ino()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_process_removes_its_own_socket_and_leaves_that_of_its_successor() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.sock");
        let _own = UnixListener::bind(&path).unwrap();
        let own = OwnFile::of(&path).unwrap();
        assert!(!own.is_gone());
        // Create the successor's file before removing the old one, so that it can't have the same inode.
        let _next = UnixListener::bind(folder.path().join("next")).unwrap();
        std::fs::rename(folder.path().join("next"), &path).unwrap();
        let next = OwnFile::of(&path).unwrap();
        assert!(own.is_gone());
        own.remove();
        assert!(path.exists());
        next.remove();
        assert!(!path.exists() && next.is_gone());
        next.remove();
    }

    #[test]
    fn a_folder_that_was_removed_and_created_again_is_another_one() {
        let temp = tempfile::tempdir().unwrap();
        let path = temp.path().join("state");
        std::fs::create_dir(&path).unwrap();
        let own = OwnFile::of(&path).unwrap();
        assert!(!own.is_gone());
        std::fs::remove_dir(&path).unwrap();
        assert!(own.is_gone());
        std::fs::create_dir(&path).unwrap();
        assert!(own.is_gone());
    }
}
