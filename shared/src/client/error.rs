//! The errors of a client.

use std::path::PathBuf;

use crate::rpc::{ErrorCode, RpcError};

/// An error between client and daemon.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens: no daemon runs for this home.
    #[error("no daemon runs for this home (nothing listens on {0}): start one with `fanlight daemon start`")]
    NoDaemon(PathBuf),
    /// The socket is there but can't be used.
    #[error("the daemon's socket {socket} can't be used: {reason}")]
    Unreachable {
        /// The socket.
        socket: PathBuf,
        /// Why.
        reason: String,
    },
    /// The daemon accepts connections and doesn't respond.
    #[error("the daemon does not respond: it accepts connections at {0} and sends nothing")]
    Silent(PathBuf),
    /// The listener runs as another user.
    #[error("{socket} belongs to another user (uid {uid}); nothing was sent")]
    NotOurs {
        /// The socket.
        socket: PathBuf,
        /// The user of the process that listens.
        uid: u32,
    },
    /// The protocol versions don't fit.
    #[error("{0}")]
    Version(String),
    /// The daemon refused the request, or failed to carry it out.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// The connection was lost.
    #[error("the connection to the daemon was lost: {0}")]
    Disconnected(String),
    /// The daemon sent something that this program does not understand.
    #[error("the daemon's response can't be read: {0}")]
    BadResponse(String),
    /// The request is longer than a frame may be.
    #[error("the request is {0} bytes long; at most 8 MiB fit")]
    TooLong(usize),
    /// The daemon could not read the rest of the bytes.
    #[error(
        "the stored bytes are damaged or can't be read: only {got} of {of} arrived (see `fanlight doctor --deep`)"
    )]
    Broken {
        /// How many came.
        got: u64,
        /// How many bytes were announced.
        of: u64,
    },
    /// All bytes arrived, but they differ from what was stored.
    #[error(
        "the bytes differ from what was stored: they were damaged on the way (see `fanlight doctor --deep`)"
    )]
    Damaged,
    /// Bytes arrived, but could not be written.
    #[error("the bytes can't be written: {0}")]
    Write(String),
    /// Bytes that are to be sent can't be read.
    #[error("the bytes can't be read: {0}")]
    Read(String),
    /// A daemon was started and did not come up.
    #[error("{0}")]
    Start(String),
}

impl ClientError {
    /// Returns whether nothing listens. Starting a daemon may help then.
    #[must_use]
    pub fn is_no_daemon(&self) -> bool {
        matches!(self, Self::NoDaemon(_))
    }

    /// Returns whether the daemon does not know what was asked for: it may have been deleted.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Rpc(error) if error.is(ErrorCode::NotFound))
    }
}
