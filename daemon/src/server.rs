//! The wire: one connection after the other, one place where a request is let through or refused.
//!
//! Each of these uses only those before it: `context` (what handlers work with), `session` (what those of one connection
//! share), `state`, `document`, `bytes`, a handler a noun, `dispatch` (the table of methods), `connection` (the loops that
//! read and write), and here the loop that accepts.

mod assets;
mod bytes;
mod connection;
mod context;
mod daemon;
mod dispatch;
mod document;
mod handshake;
mod items;
mod listen;
mod logs;
mod previews;
mod progress;
mod questions;
mod queue;
mod recent;
mod runs;
mod session;
mod state;
#[cfg(test)]
mod tests;
mod values;
mod watch;
mod workflows;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use context::Context;
pub use listen::{ListenError, listen};

/// How long sessions may take to say goodbye.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the accept loop rests when the system is out of files.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(100);

/// Serves clients until `stop`; then the sessions end.
pub async fn serve(listener: UnixListener, context: Arc<Context>, stop: CancellationToken) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = sessions.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    if ours(&stream) {
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
        tracing::debug!("some clients did not take their last messages");
    }
}

/// Whether the other end belongs to the user that the daemon belongs to.
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
