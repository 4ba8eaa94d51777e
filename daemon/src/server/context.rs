//! The context of request handlers.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use fanlight_shared::home::Home;
use fanlight_shared::rpc::{ErrorCode, RpcError};
use tokio_util::sync::CancellationToken;

use crate::command::Engines;
use crate::engine::Engine;
use crate::executor::Executors;
use crate::hub::Hub;
#[cfg(feature = "llm")]
use crate::llm::Providers;
use crate::node_type::NodeTypes;
use crate::own_home::OwnHome;
use crate::plugin::Plugins;
use crate::store::{Store, StoreError};
use crate::supervisor::client::Supervisor;
use crate::worker::Workers;

/// The context of request handlers.
pub struct Context {
    /// The owner of runs.
    pub engine: Engine,
    /// Rows and blobs.
    pub store: Store,
    /// Logs of attempts.
    pub executors: Executors,
    /// The node types that `uses:` may name.
    pub node_types: NodeTypes,
    /// The plugins that were added.
    pub plugins: Plugins,
    /// The engines of the config.
    pub(crate) engines: Engines,
    /// The providers of language models.
    #[cfg(feature = "llm")]
    pub providers: Providers,
    /// The workers, which decode untrusted pictures.
    pub workers: Workers,
    /// Sends events to connections.
    pub hub: Arc<Hub>,
    /// Where everything lies.
    pub home: Home,
    /// The same home as it was opened.
    pub own_home: Arc<OwnHome>,
    /// Holds the commands' processes.
    pub supervisor: Supervisor,
    /// The number of clients.
    pub clients: tokio::sync::watch::Sender<u32>,
    /// Bytes of responses that wait for connections.
    pub queued: Arc<AtomicUsize>,
    /// The most bytes of results that are kept for later nodes.
    pub cache_bytes: u64,
    /// Ends the daemon.
    pub shutdown: CancellationToken,
}

impl Context {
    /// Reads the store off the loop.
    pub(super) async fn read<T: Send + 'static>(
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

/// Turns an error of the store into the error of a response.
pub(super) fn refusal(error: StoreError) -> RpcError {
    let code = match error {
        StoreError::Full(_) | StoreError::Disk(_) | StoreError::Damaged { .. } => ErrorCode::Storage,
        StoreError::NotFound(_) => ErrorCode::NotFound,
        StoreError::BadParam(_) => ErrorCode::BadParams,
        StoreError::SourceChanged { .. } => ErrorCode::Refused,
        StoreError::Newer { .. } | StoreError::Unreadable(_) | StoreError::Other(_) => ErrorCode::Internal,
    };
    RpcError::new(code, error.to_string())
}
