//! One daemon per home: a lock that the kernel releases when its holder dies, however it dies.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fanlight_shared::home::Home;

/// The errors of taking the lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another daemon holds it.
    #[error("a daemon already runs for this home (process {pid}); `fanlight daemon stop` ends it")]
    Held {
        /// Its process id as it reports it; `?` if it has not yet.
        pid: String,
    },
    /// The file can't be created or locked.
    #[error("the lock file {path} can't be used: {reason}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// The lock, held while this lives.
#[derive(Debug)]
pub struct Lock {
    _files: [File; 2],
}

impl Lock {
    /// Takes the lock of a home. Its files stay after the lock is released: removing one would let two daemons lock two
    /// files.
    ///
    /// # Errors
    /// See [`LockError`].
    pub fn take(home: &Home) -> Result<Self, LockError> {
        let mut files = [locked(&home.lock_file())?, locked(&home.state_lock_file())?];
        // A daemon that is refused leaves both files as they are.
        for (file, path) in files.iter_mut().zip([home.lock_file(), home.state_lock_file()]) {
            sign(file).map_err(|error| unusable(&path, &error))?;
        }
        Ok(Self { _files: files })
    }
}

/// Opens a file and locks it.
fn locked(path: &Path) -> Result<File, LockError> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| unusable(path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = (&file).take(32).read_to_string(&mut text);
            let pid = text.trim();
            let known = !pid.is_empty() && pid.chars().all(|it| it.is_ascii_digit());
            Err(LockError::Held { pid: if known { pid.to_owned() } else { "?".to_owned() } })
        }
        Err(TryLockError::Error(error)) => Err(unusable(path, &error)),
    }
}

fn unusable(path: &Path, error: &std::io::Error) -> LockError {
    LockError::Unusable { path: path.to_owned(), reason: error.to_string() }
}

/// Returns whether a process holds the lock of a home, and so whether the daemon is alive.
#[must_use]
pub fn is_held(home: &Home) -> bool {
    let held = |path: PathBuf| {
        File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    };
    held(home.lock_file()) || held(home.state_lock_file())
}

fn sign(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(folder: &Path, data: &str, state: &str) -> Home {
        let mut home = Home::below(folder).unwrap();
        (home.data, home.state) = (folder.join(data), folder.join(state));
        home.make().unwrap();
        home
    }

    #[test]
    fn a_second_daemon_learns_the_process_of_the_first() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(dir.path(), "data", "state");
        let first = Lock::take(&home).unwrap();
        let error = Lock::take(&home).unwrap_err();
        assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
        assert!(is_held(&home));
        drop(first);
        assert!(!is_held(&home));
        Lock::take(&home).unwrap();
    }

    #[test]
    fn homes_that_share_their_data_or_their_state_have_one_daemon() {
        let dir = tempfile::tempdir().unwrap();
        let first = home(dir.path(), "data", "state");
        let held = Lock::take(&first).unwrap();
        for (data, state) in [("data", "other"), ("other", "state")] {
            let second = home(dir.path(), data, state);
            assert!(is_held(&second), "{data} {state}");
            assert!(matches!(Lock::take(&second), Err(LockError::Held { .. })), "{data} {state}");
        }
        drop(held);
        let old = locked(&first.state_lock_file()).unwrap();
        assert!(is_held(&first) && Lock::take(&first).is_err(), "a daemon that locks the state only");
        drop(old);
        Lock::take(&first).unwrap();
        Lock::take(&home(dir.path(), "both", "both")).unwrap();
    }

    #[test]
    fn the_leftovers_of_a_dead_daemon_do_not_hold_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let home = home(dir.path(), "data", "state");
        std::fs::write(home.lock_file(), "4194304000 and more\n").unwrap();
        Lock::take(&home).unwrap();
        for path in [home.lock_file(), home.state_lock_file()] {
            assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{}\n", std::process::id()));
        }
    }
}
