//! The wire: one session per connection, one place where a request is let through or refused.

mod assets;
mod bytes;
mod daemon;
mod dispatch;
mod items;
mod listen;
mod logs;
mod previews;
mod queue;
mod recent;
mod runs;
mod session;
#[cfg(test)]
mod tests;
mod values;
mod watch;
mod workflows;

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::home::Home;
use fanlight_shared::rpc::{ErrorCode, RpcError};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub use listen::{ListenError, listen};

use crate::engine::Engine;
use crate::executor::Executors;
use crate::hub::Hub;
use crate::store::{Store, StoreError};
use crate::supervisor::client::Supervisor;
use crate::worker::Workers;

/// How long sessions may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// How long the accept loop rests when the system is out of files.
const REST: Duration = Duration::from_millis(100);

/// What the handlers of requests work with.
pub struct Context {
    /// The owner of runs.
    pub engine: Engine,
    /// What is kept.
    pub store: Store,
    /// Logs of attempts.
    pub executors: Executors,
    /// Make pictures of what can't be trusted.
    pub workers: Workers,
    /// Who is told what.
    pub hub: Arc<Hub>,
    /// Where everything lies.
    pub home: Home,
    /// Holds the commands' processes.
    pub supervisor: Supervisor,
    /// How many clients there are.
    pub clients: tokio::sync::watch::Sender<u32>,
    /// Ends the daemon.
    pub shutdown: CancellationToken,
}

impl Context {
    /// Reads the store off the loop.
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, RpcError> {
        let store = self.store.clone();
        match tokio::task::spawn_blocking(move || read(&store)).await {
            Ok(answer) => answer.map_err(refusal),
            Err(error) => Err(RpcError::internal(format!("the store could not be read: {error}"))),
        }
    }
}

/// What the store refused, as an answer.
fn refusal(error: StoreError) -> RpcError {
    let code = match error {
        StoreError::Full(_) | StoreError::Disk(_) | StoreError::Damaged { .. } => ErrorCode::Storage,
        StoreError::NotFound(_) => ErrorCode::NotFound,
        StoreError::Newer { .. } | StoreError::Unreadable(_) | StoreError::Other(_) => ErrorCode::Internal,
    };
    RpcError::new(code, error.to_string())
}

/// Serves clients until `stop`; then everybody is told `reason` and the sessions end.
pub async fn serve(listener: UnixListener, context: Arc<Context>, stop: CancellationToken) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(_) = sessions.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    if ours(&stream) {
                        sessions.spawn(session::run(stream, Arc::clone(&context), stop.clone()));
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(REST).await;
                }
            },
        }
    }
    drop(listener);
    let ended = async { while sessions.join_next().await.is_some() {} };
    if tokio::time::timeout(GOODBYE, ended).await.is_err() {
        tracing::debug!("some clients did not take their goodbye");
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
