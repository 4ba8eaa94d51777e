//! The node types that workflow files are checked against.

use fanlight_shared::client::Client;
use fanlight_shared::node_type::Catalogue;
use fanlight_shared::rpc::workflows::NodeTypes;

use crate::context::Context;
use crate::embedded;

/// Returns the node types of the daemon behind a connection; without one, those that a new daemon would know.
pub(crate) async fn of(client: Option<&Client>) -> Catalogue {
    let of_daemon = match client {
        Some(client) => client.call(NodeTypes {}).await.ok(),
        None => None,
    };
    of_daemon.unwrap_or_else(embedded::catalogue)
}

/// Returns the node types of the daemon that runs; if none runs, those that a new one would know.
pub(crate) async fn current() -> Catalogue {
    let client = match Context::from_env() {
        Ok(context) => context.running().await.ok().flatten(),
        Err(_) => None,
    };
    of(client.as_ref()).await
}
