//! The file of secrets: names and values as TOML, for its owner only.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use fanlight_shared::folder;
use rustix::fs::OFlags;

use super::values::{check_name, check_value};

/// The longest file, in bytes.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// The errors of the file. None contains a value.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SecretFileError {
    /// Other users could read it, or it is not a file of this user.
    #[error("{path} is not safe for secrets: {why}")]
    Unsafe {
        /// The file.
        path: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// It can't be read or written.
    #[error("{path} can't be used: {why}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A name or value that can't be kept.
    #[error("{0}")]
    Refused(String),
}

/// The file of secrets of a home. It need not exist.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SecretFile {
    path: PathBuf,
}

type Entries = BTreeMap<String, String>;

impl SecretFile {
    /// Returns the file at this path, whose folder belongs to this user alone.
    #[must_use]
    pub fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the secrets in it. Blocks.
    ///
    /// # Errors
    /// See [`SecretFileError`].
    pub fn read(&self) -> Result<Entries, SecretFileError> {
        let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
        let file = match OpenOptions::new().read(true).custom_flags(flags).open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Entries::new()),
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
                return Err(self.unsafe_because("it is a link; replace it by a file"));
            }
            file => file.map_err(|error| self.unusable(&error))?,
        };
        self.check(&file)?;
        let mut text = String::new();
        file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(|error| self.unusable(&error))?;
        if text.len() as u64 > MAX_FILE_BYTES {
            return Err(self.unusable(&format!("it is larger than {} MiB", MAX_FILE_BYTES >> 20)));
        }
        // The parser's own message would show the line.
        toml::from_str(&text).map_err(|error| {
            let begin = error.span().map_or(0, |span| span.start).min(text.len());
            let line = text.as_bytes()[..begin].iter().filter(|byte| **byte == b'\n').count() + 1;
            self.unusable(&format!("line {line} is not of the form `name = \"value\"`"))
        })
    }

    /// Sets a secret. Returns whether it existed before. Blocks.
    ///
    /// # Errors
    /// See [`SecretFileError`].
    pub fn set(&self, name: &str, value: &str) -> Result<bool, SecretFileError> {
        check_name(name).map_err(SecretFileError::Refused)?;
        check_value(value).map_err(|why| SecretFileError::Refused(format!("the value of `{name}` {why}")))?;
        self.change(|entries| entries.insert(name.to_owned(), value.to_owned()).is_some())
    }

    /// Removes a secret. Returns whether it existed. Blocks.
    ///
    /// # Errors
    /// See [`SecretFileError`].
    pub fn remove(&self, name: &str) -> Result<bool, SecretFileError> {
        self.change(|entries| entries.remove(name).is_some())
    }

    /// Changes the file as a whole, under a lock so that two changes at the same time lose nothing.
    fn change<T>(&self, change: impl FnOnce(&mut Entries) -> T) -> Result<T, SecretFileError> {
        let failed = |error: io::Error| self.unusable(&error);
        if let Some(folder) = self.path.parent() {
            folder::create_private(folder).map_err(failed)?;
        }
        let lock = private().create(true).truncate(false).open(self.path.with_extension("lock"));
        let lock = lock.map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut entries = self.read()?;
        let before = entries.clone();
        let changed = change(&mut entries);
        if entries != before {
            self.write(&entries).map_err(failed)?;
        }
        Ok(changed)
    }

    /// Replaces the file: a reader sees the old one or the new one.
    fn write(&self, entries: &Entries) -> io::Result<()> {
        let text = toml::to_string(entries).map_err(io::Error::other)?;
        let new = self.path.with_extension("new");
        match std::fs::remove_file(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private().create_new(true).open(&new)?;
        // Whatever the umask is, also one that takes rights from the owner.
        file.set_permissions(Permissions::from_mode(0o600))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        match self.path.parent() {
            Some(folder) => folder::sync(folder),
            None => Ok(()),
        }
    }

    /// Refuses a file that others may have read or written.
    fn check(&self, file: &File) -> Result<(), SecretFileError> {
        let about = file.metadata().map_err(|error| self.unusable(&error))?;
        if !about.is_file() {
            return Err(self.unsafe_because("it is not a file"));
        }
        if about.uid() != rustix::process::geteuid().as_raw() {
            return Err(self.unsafe_because("it belongs to another user"));
        }
        if about.mode() & 0o077 != 0 {
            let path = self.path.display();
            return Err(self.unsafe_because(&format!("other users can read it; type `chmod 600 {path}`")));
        }
        if about.nlink() > 1 {
            return Err(self.unsafe_because("it has a second name (a hard link)"));
        }
        Ok(())
    }

    fn unsafe_because(&self, why: &str) -> SecretFileError {
        SecretFileError::Unsafe { path: self.path.clone(), why: why.to_owned() }
    }

    fn unusable(&self, why: &dyn std::fmt::Display) -> SecretFileError {
        SecretFileError::Unusable { path: self.path.clone(), why: why.to_string() }
    }
}

/// Opens a file for writing, for its owner only; a link is not followed.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> (tempfile::TempDir, SecretFile) {
        let temp = tempfile::tempdir().unwrap();
        let file = SecretFile::at(temp.path().join("data/secrets.toml"));
        (temp, file)
    }

    #[test]
    fn what_is_set_is_read_again_whatever_it_contains() {
        let (_temp, file) = file();
        assert!(file.read().unwrap().is_empty());
        let key = "-----BEGIN \"KEY\"-----\n\tabc\\'''\"\"\"\r\nä\n";
        assert_eq!((file.set("key", key), file.set("token", "12345678")), (Ok(false), Ok(false)));
        assert_eq!(file.set("token", "87654321"), Ok(true));
        assert_eq!(
            file.read().unwrap(),
            BTreeMap::from([("key".into(), key.into()), ("token".into(), "87654321".into())])
        );
        assert_eq!(file.path().metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!((file.remove("key"), file.remove("key")), (Ok(true), Ok(false)));
        assert_eq!(file.read().unwrap().len(), 1);
    }

    #[test]
    fn changes_at_the_same_time_lose_nothing() {
        let (_temp, file) = file();
        std::thread::scope(|scope| {
            for number in 0..8 {
                let file = &file;
                scope.spawn(move || file.set(&format!("name_{number}"), "12345678").unwrap());
            }
        });
        assert_eq!(file.read().unwrap().len(), 8);
    }

    #[test]
    fn a_file_that_others_may_have_read_is_refused() {
        let (temp, file) = file();
        file.set("token", "12345678").unwrap();
        let refused = |part: &str| {
            let error = file.read().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
            assert!(file.set("other", "12345678").is_err(), "{part}");
        };
        std::fs::set_permissions(file.path(), Permissions::from_mode(0o640)).unwrap();
        refused("chmod 600");
        std::fs::set_permissions(file.path(), Permissions::from_mode(0o600)).unwrap();
        let second = temp.path().join("second");
        std::fs::hard_link(file.path(), &second).unwrap();
        refused("second name");
        std::fs::remove_file(file.path()).unwrap();
        std::os::unix::fs::symlink(&second, file.path()).unwrap();
        refused("a link");
    }

    #[test]
    fn a_damaged_file_is_named_with_its_line_and_shows_nothing_of_it() {
        let (_temp, file) = file();
        file.set("token", "12345678").unwrap();
        std::fs::write(file.path(), "token = \"12345678\"\npassword = hunter2222\n").unwrap();
        let error = file.read().unwrap_err().to_string();
        assert!(error.contains("line 2") && !error.contains("hunter"), "{error}");
    }
}
