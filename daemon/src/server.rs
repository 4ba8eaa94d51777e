//! The wire: accepts connections, and dispatches or refuses requests in one place.
//!
//! Each of these modules uses only those before it: `context` (of handlers), `session` (shared by the handlers of one
//! connection), `state`, `document`, `bytes`, the handlers, one per noun, `dispatch` (the table of methods),
//! `connection` (the loops that read and write), and here the accept loop.

mod assets;
mod bytes;
mod cache;
mod connection;
mod context;
mod daemon;
mod dispatch;
mod document;
mod engines;
mod handshake;
mod incoming;
mod items;
mod listen;
mod logs;
mod metrics;
#[cfg(feature = "llm")]
mod models;
#[cfg(not(feature = "llm"))]
mod no_models;
mod plugins;
mod previews;
mod progress;
mod questions;
mod queue;
mod recent;
mod runs;
mod session;
mod state;
mod sweeps;
#[cfg(test)]
pub(crate) mod tests;
mod transfer;
mod uploads;
mod values;
mod watch;
mod why;
mod workflows;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use context::Context;
pub use listen::{ListenError, listen};

/// How long sessions may take to close.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the accept loop pauses when the system is out of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Serves clients until `stop`, and then ends the sessions.
pub async fn serve(listener: UnixListener, context: Arc<Context>, stop: CancellationToken) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = sessions.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    // A client that comes after the home was removed or replaced belongs to the next daemon.
                    if ours(&stream) && !context.own_home.is_gone() {
                        sessions.spawn(connection::run(stream, Arc::clone(&context), stop.clone()));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                }
            },
        }
    }
    drop(listener);
    let ended = async { while sessions.join_next().await.is_some() {} };
    if tokio::time::timeout(CLOSE_TIMEOUT, ended).await.is_err() {
        tracing::debug!("some clients did not read their last messages");
    }
}

/// Returns whether the peer is the daemon's user.
fn ours(stream: &UnixStream) -> bool {
    match stream.peer_cred() {
        Ok(peer) if peer.uid() == rustix::process::geteuid().as_raw() => true,
        Ok(peer) => {
            tracing::warn!(uid = peer.uid(), "another user's connection was refused");
            false
        }
        Err(error) => {
            tracing::warn!(%error, "a connection without an owner was refused");
            false
        }
    }
}
