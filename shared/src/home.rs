//! The locations of files: folders by XDG or below `FANLIGHT_HOME`, and the path of the daemon's socket.

use std::path::{Path, PathBuf};

use crate::folder::{create_private, settle};

/// The folders of one home.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Home {
    /// Configuration: `config.toml`, keymap, theme.
    pub config: PathBuf,
    /// The database and the blobs.
    pub data: PathBuf,
    /// Logs, the supervisor's folder, attempts' folders.
    pub state: PathBuf,
    /// The daemon's socket.
    pub socket: PathBuf,
    /// The supervisor's socket.
    pub supervisor_socket: PathBuf,
    /// The name of this home for people: `FANLIGHT_HOME`, or the data folder.
    pub name: PathBuf,
}

/// Why there is no home.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// Neither `FANLIGHT_HOME` nor a home directory.
    #[error("no home directory: set FANLIGHT_HOME to a folder where Fanlight may keep everything")]
    NoHome,
    /// The socket's path is too long for the system.
    #[error(
        "the socket path `{path}` is {bytes} bytes long; at most 100 fit: set FANLIGHT_HOME or XDG_RUNTIME_DIR to a shorter path"
    )]
    SocketTooLong {
        /// The path.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// `FANLIGHT_HOME` is not absolute and the current folder is unknown.
    #[error("FANLIGHT_HOME=`{0}` can't be made absolute: {1}")]
    NotAbsolute(PathBuf, std::io::Error),
    /// A folder can't be made or used.
    #[error("the folder {path} can't be used: {reason}; set FANLIGHT_HOME to a folder that you can write")]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The folder of the socket could belong to another user.
    #[error(
        "{path} is not safe for a socket: {reason}; remove it, or set XDG_RUNTIME_DIR to a folder of your own"
    )]
    Unsafe {
        /// The folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Exit code of a daemon that found another one of the same home: connect to that one.
pub const ALREADY_RUNNING: i32 = 75;

/// A log file longer than this, in bytes, is rotated.
pub const LOG_LIMIT: u64 = 8 * 1024 * 1024;

impl Home {
    /// Returns the home that the environment names. Creates nothing.
    ///
    /// # Errors
    /// See [`HomeError`].
    pub fn from_env() -> Result<Self, HomeError> {
        if let Some(root) = std::env::var_os("FANLIGHT_HOME").filter(|root| !root.is_empty()) {
            let root = PathBuf::from(root);
            let root = std::path::absolute(&root).map_err(|error| HomeError::NotAbsolute(root, error))?;
            return Self::below(&settled(&root));
        }
        use etcetera::BaseStrategy;
        let base = etcetera::choose_base_strategy().map_err(|_| HomeError::NoHome)?;
        let state = base.state_dir().unwrap_or_else(|| base.data_dir()).join("fanlight");
        let data = base.data_dir().join("fanlight");
        Self::new(base.config_dir().join("fanlight"), data.clone(), state, data)
    }

    /// Returns the home with everything below one folder, as with `FANLIGHT_HOME`; `root` is absolute.
    ///
    /// # Errors
    /// The socket path is too long.
    pub fn below(root: &Path) -> Result<Self, HomeError> {
        Self::new(root.join("config"), root.join("data"), root.join("state"), root.to_owned())
    }

    fn new(config: PathBuf, data: PathBuf, state: PathBuf, name: PathBuf) -> Result<Self, HomeError> {
        let runtime = runtime_dir().unwrap_or_else(|| state.join("run")).join("fanlight");
        let hash = blake3::hash(name.as_os_str().as_encoded_bytes()).to_hex();
        let socket = runtime.join(format!("{}.sock", &hash[..16]));
        let supervisor_socket = runtime.join(format!("{}-s.sock", &hash[..16]));
        let bytes = supervisor_socket.as_os_str().len();
        if bytes > 100 {
            return Err(HomeError::SocketTooLong { path: socket, bytes });
        }
        Ok(Self { config, data, state, socket, supervisor_socket, name })
    }

    /// Returns the folder that `FANLIGHT_HOME` names, if everything is below one folder.
    #[must_use]
    pub fn root(&self) -> Option<&Path> {
        (self.data == self.name.join("data")).then_some(self.name.as_path())
    }

    /// Creates the folders of data and state, private from the start. Their names are durable then, also if another process
    /// has just created them.
    ///
    /// # Errors
    /// [`HomeError::Folder`]: a plain file or a read-only mount is in the way.
    pub fn make(&self) -> Result<(), HomeError> {
        for folder in [&self.data, &self.state] {
            create_private(folder)
                .and_then(|()| settle(folder.parent().unwrap_or(folder)))
                .map_err(|error| HomeError::Folder { path: folder.clone(), reason: error.to_string() })?;
        }
        Ok(())
    }

    /// Creates the folder of the socket and checks that only this user can use it: a folder, not a link, with mode
    /// 0700.
    ///
    /// # Errors
    /// [`HomeError::Unsafe`], [`HomeError::Folder`].
    #[cfg(unix)]
    pub fn make_socket_folder(&self) -> Result<(), HomeError> {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let Some(folder) = self.socket.parent() else { return Ok(()) };
        create_private(folder)
            .map_err(|error| HomeError::Folder { path: folder.to_owned(), reason: error.to_string() })?;
        let unsafe_folder =
            |reason: &str| HomeError::Unsafe { path: folder.to_owned(), reason: reason.to_owned() };
        let meta = std::fs::symlink_metadata(folder).map_err(|error| unsafe_folder(&error.to_string()))?;
        if !meta.is_dir() {
            return Err(unsafe_folder("it is a link, or not a folder"));
        }
        if meta.uid() != rustix::process::geteuid().as_raw() {
            return Err(unsafe_folder("it belongs to another user"));
        }
        if meta.permissions().mode() & 0o077 != 0 {
            return Err(unsafe_folder("other users can enter it (its mode must be 0700)"));
        }
        Ok(())
    }

    /// Opens the daemon's log for appending. A log over 8 MiB is first renamed to `daemon.log.1`.
    ///
    /// # Errors
    /// The error of the file system.
    pub fn open_log(&self) -> std::io::Result<std::fs::File> {
        create_private(&self.state)?;
        let path = self.log_file();
        if std::fs::metadata(&path).is_ok_and(|meta| meta.len() > LOG_LIMIT) {
            std::fs::rename(&path, self.state.join("daemon.log.1"))?;
        }
        let mut options = std::fs::OpenOptions::new();
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.append(true).create(true).open(path)
    }

    /// Returns the configuration file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }
    /// Returns the folder with a file for each plugin that was added.
    #[must_use]
    pub fn plugins(&self) -> PathBuf {
        self.config.join("plugins")
    }
    /// Returns the folder with the plugins that were fetched from git repositories.
    #[must_use]
    pub fn fetched_plugins(&self) -> PathBuf {
        self.data.join("plugins")
    }
    /// Returns the database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join("fanlight.db")
    }
    /// Returns the folder of the blobs that are files.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.data.join("blobs")
    }
    /// Returns the file of secrets, for its owner only.
    #[must_use]
    pub fn secrets_file(&self) -> PathBuf {
        self.data.join("secrets.toml")
    }
    /// Returns the file that a daemon locks while it lives. It is beside the database, so that homes with one database have
    /// one daemon.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.data.join("fanlight.lock")
    }
    /// Returns the second file that a daemon locks while it lives. It keeps homes with other data out of the folder of the
    /// state, and daemons of versions that lock only this file.
    #[must_use]
    pub fn state_lock_file(&self) -> PathBuf {
        self.state.join("daemon.lock")
    }
    /// Returns the daemon's own log.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.state.join("daemon.log")
    }
    /// Returns the supervisor's folder.
    #[must_use]
    pub fn supervisor(&self) -> PathBuf {
        self.state.join("supervisor")
    }
    /// Returns the file that names the run that the engine is working on. If the daemon crashes, the next one reads it.
    #[must_use]
    pub fn working_file(&self) -> PathBuf {
        self.state.join("working")
    }
    /// Returns the folder of temporary files of workers, which are worthless after a crash.
    #[must_use]
    pub fn scratch(&self) -> PathBuf {
        self.state.join("scratch")
    }
    /// Returns the folder that holds one folder for each attempt outside the daemon's process: work folder, inputs,
    /// logs.
    #[must_use]
    pub fn attempts(&self) -> PathBuf {
        self.state.join("attempts")
    }
}

/// Resolves links in the existing part of a path, so that one folder is one home however its path is written.
fn settled(path: &Path) -> PathBuf {
    for ancestor in path.ancestors() {
        if let (Ok(real), Ok(rest)) = (ancestor.canonicalize(), path.strip_prefix(ancestor)) {
            return real.components().chain(rest.components()).collect();
        }
    }
    path.to_owned()
}

/// Returns `$XDG_RUNTIME_DIR`, else `/run/user/UID` if this user owns it. Never `/tmp`.
fn runtime_dir() -> Option<PathBuf> {
    if let Some(dir) = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute())
    {
        return Some(dir);
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let uid = rustix::process::getuid().as_raw();
        let dir = PathBuf::from(format!("/run/user/{uid}"));
        let ours = std::fs::symlink_metadata(&dir).is_ok_and(|meta| meta.is_dir() && meta.uid() == uid);
        if ours {
            return Some(dir);
        }
    }
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn different_paths_to_a_folder_are_the_same_home() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("real")).unwrap();
        symlink(dir.path().join("real"), dir.path().join("link")).unwrap();
        let real = settled(&dir.path().join("real/home"));
        assert_eq!(settled(&dir.path().join("link/home/")), real);
        assert_eq!(settled(&dir.path().join("real/./home")), real);
    }

    #[test]
    fn a_long_socket_path_is_named() {
        let root = PathBuf::from(format!("/{}", "x".repeat(120)));
        let home = Home::new(root.clone(), root.clone(), root.join("state"), root);
        // With a short runtime folder the socket isn't below the home at all.
        match home {
            Err(error) => assert!(error.to_string().contains("at most 100 fit"), "{error}"),
            Ok(home) => assert!(home.socket.as_os_str().len() <= 100),
        }
    }

    #[test]
    fn a_home_below_a_plain_file_is_refused_with_a_reason() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("file"), "").unwrap();
        let root = dir.path().join("file/home");
        let home = Home::new(root.join("config"), root.join("data"), root.join("state"), root);
        let Ok(home) = home else { return };
        let error = home.make().unwrap_err().to_string();
        assert!(error.contains("can't be used") && error.contains("FANLIGHT_HOME"), "{error}");
    }

    #[test]
    fn the_socket_folder_must_be_private() {
        let dir = tempfile::tempdir().unwrap();
        let mut home = Home::below(Path::new("/h")).unwrap();
        home.socket = dir.path().join("s/x.sock");
        home.make_socket_folder().unwrap();
        let mode = std::fs::metadata(dir.path().join("s")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        std::fs::set_permissions(dir.path().join("s"), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(home.make_socket_folder(), Err(HomeError::Unsafe { .. })));
        std::fs::remove_dir(dir.path().join("s")).unwrap();
        std::fs::create_dir(dir.path().join("other")).unwrap();
        symlink(dir.path().join("other"), dir.path().join("s")).unwrap();
        assert!(matches!(home.make_socket_folder(), Err(HomeError::Unsafe { .. })));
    }

    #[test]
    fn a_long_log_is_rotated() {
        let dir = tempfile::tempdir().unwrap();
        let mut home = Home::below(Path::new("/h")).unwrap();
        home.state = dir.path().to_owned();
        std::fs::File::create(home.log_file()).unwrap().set_len(LOG_LIMIT + 1).unwrap();
        let log = home.open_log().unwrap();
        assert_eq!(log.metadata().unwrap().len(), 0);
        assert!(dir.path().join("daemon.log.1").exists());
    }
}
