//! The sockets of connections to other computers, in a folder that only this user can enter.

use std::fs::{DirBuilder, File, Permissions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use fanlight_shared::home::Home;
use fanlight_shared::ssh;

/// The name of the file that the owner of a folder holds locked.
const LOCK: &str = "lock";

/// The sockets of one process; removed when this is dropped.
#[derive(Debug)]
pub(super) struct Sockets {
    /// The control socket of `ssh`, which all processes with this destination share. `ssh` removes it.
    control: PathBuf,
    folder: PathBuf,
    _lock: File,
}

impl Sockets {
    /// Creates the folder of this process, and removes those of processes that are gone. Connections with the same `key`
    /// share one `ssh`.
    pub(super) fn new(home: &Home, key: &str) -> Result<Self, String> {
        home.make_socket_folder().map_err(|error| error.to_string())?;
        let all = home.socket.parent().unwrap_or(Path::new("/")).join("ssh");
        let wrong = |error: std::io::Error| format!("the folder {} can't be used: {error}", all.display());
        DirBuilder::new().recursive(true).mode(0o700).create(&all).map_err(wrong)?;
        remove_stale(&all);
        let folder = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o700))
            .prefix("")
            .rand_bytes(8)
            .tempdir_in(&all)
            .map_err(wrong)?;
        // It gets its name when it is locked: another process takes an unlocked one for stale.
        let unlocked = folder.path().join("new");
        let lock = File::create(&unlocked).map_err(wrong)?;
        lock.try_lock().map_err(|error| wrong(error.into()))?;
        std::fs::rename(&unlocked, folder.path().join(LOCK)).map_err(wrong)?;
        Ok(Self { control: ssh::control(&all, key)?, folder: folder.keep(), _lock: lock })
    }

    /// Returns the control socket of `ssh`.
    pub(super) fn control(&self) -> &Path {
        &self.control
    }

    /// Returns the socket that leads to the daemon on the other computer.
    pub(super) fn local(&self) -> PathBuf {
        self.folder.join("s")
    }

    /// Removes what belongs to this process.
    pub(super) fn remove(&self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

impl Drop for Sockets {
    fn drop(&mut self) {
        self.remove();
    }
}

/// Removes the folders whose lock nobody holds. One without a lock is about to get it.
fn remove_stale(all: &Path) {
    for entry in std::fs::read_dir(all).into_iter().flatten().flatten() {
        let Ok(lock) = File::open(entry.path().join(LOCK)) else { continue };
        match lock.try_lock() {
            Ok(()) => {
                let _ = std::fs::remove_dir_all(entry.path());
            }
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(folder: &Path) -> Home {
        let mut home = Home::below(Path::new("/h")).unwrap();
        home.socket = folder.join("r/x.sock");
        home
    }

    #[test]
    fn the_sockets_of_a_killed_process_are_removed_by_the_next_one() {
        let dir = tempfile::tempdir_in("/tmp").unwrap();
        let home = home(dir.path());
        let first = Sockets::new(&home, "box").unwrap();
        let second = Sockets::new(&home, "box").unwrap();
        assert_eq!(first.control(), second.control());
        assert_ne!(first.local(), second.local());
        assert!(first.folder.exists());
        let mode = std::fs::metadata(&first.folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        let killed = dir.path().join("r/ssh/killed");
        std::fs::create_dir(&killed).unwrap();
        std::fs::write(killed.join(LOCK), "").unwrap();
        let folder = second.folder.clone();
        drop(second);
        assert!(!folder.exists());
        let _third = Sockets::new(&home, "box").unwrap();
        assert!(!killed.exists() && first.folder.exists());
    }
}
