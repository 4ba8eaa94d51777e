//! Where things lie: folders after XDG or below `FANLIGHT_HOME`, and the path of the daemon's socket.

use std::path::{Path, PathBuf};

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
    /// What names this home to people: `FANLIGHT_HOME`, or the data folder.
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
}

impl Home {
    /// The home that the environment names. Nothing is created.
    ///
    /// # Errors
    /// See [`HomeError`].
    pub fn from_env() -> Result<Self, HomeError> {
        if let Some(root) = std::env::var_os("FANLIGHT_HOME").filter(|root| !root.is_empty()) {
            let root = PathBuf::from(root);
            let root = std::path::absolute(&root).map_err(|error| HomeError::NotAbsolute(root, error))?;
            return Self::below(&root);
        }
        use etcetera::BaseStrategy;
        let base = etcetera::choose_base_strategy().map_err(|_| HomeError::NoHome)?;
        let state = base.state_dir().unwrap_or_else(|| base.data_dir()).join("fanlight");
        let data = base.data_dir().join("fanlight");
        Self::new(base.config_dir().join("fanlight"), data.clone(), state, data)
    }

    /// Everything below one folder, as with `FANLIGHT_HOME`; `root` is absolute.
    ///
    /// # Errors
    /// A socket path that is too long.
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

    /// The configuration file.
    #[must_use]
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }
    /// The database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.data.join("fanlight.db")
    }
    /// The blobs that are files.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.data.join("blobs")
    }
    /// Held by the daemon while it lives.
    #[must_use]
    pub fn lock_file(&self) -> PathBuf {
        self.state.join("daemon.lock")
    }
    /// The daemon's own log.
    #[must_use]
    pub fn log_file(&self) -> PathBuf {
        self.state.join("daemon.log")
    }
    /// The supervisor's folder.
    #[must_use]
    pub fn supervisor(&self) -> PathBuf {
        self.state.join("supervisor")
    }
    /// A folder per attempt that left the daemon: work folder, inputs, logs.
    #[must_use]
    pub fn attempts(&self) -> PathBuf {
        self.state.join("attempts")
    }
}

/// `$XDG_RUNTIME_DIR`, else `/run/user/UID` if it is ours. Never `/tmp`.
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
