//! A socket's file, which its maker removes at the end, and nobody else's.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The file of a socket that this process listens on.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: (u64, u64),
}

impl SocketFile {
    /// The file at `path`, on which this process has just begun to listen.
    ///
    /// # Errors
    /// It is gone already.
    pub fn of(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), identity: identity(path)? })
    }

    /// Removes the file if it is still the one that this process made. When a home was removed while its processes lived,
    /// others have made a new home and listen under the same name by now: a lock says nothing of that, since it was
    /// removed with the home.
    pub fn remove(&self) {
        if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
            // Who removed it in this moment did the same.
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
        let own = SocketFile::of(&path).unwrap();
        // The successor's file is made before the old one goes, so that it can't have the same inode.
        let _next = UnixListener::bind(folder.path().join("next")).unwrap();
        std::fs::rename(folder.path().join("next"), &path).unwrap();
        let next = SocketFile::of(&path).unwrap();
        own.remove();
        assert!(path.exists());
        next.remove();
        assert!(!path.exists());
        next.remove();
    }
}
