//! The daemon's socket, in a private folder, and private from its creation.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};

use fanlight_shared::home::{Home, HomeError};
use tokio::net::UnixListener;

use crate::lock::Lock;

/// The errors of listening.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The folder of the socket.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The socket.
    #[error("the socket {path} can't be created: {reason}")]
    Socket {
        /// The socket.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Listens on the socket of a home. Replaces the socket of a dead daemon: holding the lock proves that it is dead.
///
/// # Errors
/// A folder or path can't be used.
pub fn listen(home: &Home, _held: &Lock) -> Result<UnixListener, ListenError> {
    home.make_socket_folder()?;
    let path = &home.socket;
    let failed = |reason: String| ListenError::Socket { path: path.clone(), reason };
    match std::fs::symlink_metadata(path) {
        Ok(meta) if meta.file_type().is_socket() => {
            std::fs::remove_file(path).map_err(|error| failed(error.to_string()))?;
        }
        Ok(_) => return Err(failed("something that is not a socket is there; remove it".to_owned())),
        Err(_) => {}
    }
    let listener = bind(path).map_err(|error| failed(error.to_string()))?;
    let private = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(path, private).map_err(|error| failed(error.to_string()))?;
    listener.set_nonblocking(true).map_err(|error| failed(error.to_string()))?;
    UnixListener::from_std(listener).map_err(|error| failed(error.to_string()))
}

/// Binds a socket. The file gets the mode of the socket, so it is private before anybody can find it, without changing
/// the process-wide umask.
#[cfg(target_os = "linux")]
fn bind(path: &Path) -> std::io::Result<std::os::unix::net::UnixListener> {
    use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    rustix::fs::fchmod(&socket, rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR)?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path)?)?;
    rustix::net::listen(&socket, 128)?;
    Ok(socket.into())
}

#[cfg(not(target_os = "linux"))]
fn bind(path: &Path) -> std::io::Result<std::os::unix::net::UnixListener> {
    std::os::unix::net::UnixListener::bind(path)
}
