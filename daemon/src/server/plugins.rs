//! `plugins.*`

use std::path::Path;
use std::sync::Arc;

use fanlight_shared::rpc::plugins::{Add, List, Plugin, Plugins, Remove};
use fanlight_shared::rpc::{Done, RpcError};

use super::session::Session;

pub(super) async fn list(session: &Arc<Session>, _: List) -> Result<Plugins, RpcError> {
    Ok(Plugins { plugins: session.context.plugins.list().await })
}

pub(super) async fn add(session: &Arc<Session>, add: Add) -> Result<Plugin, RpcError> {
    // A client that goes away meanwhile leaves nothing half-done.
    let plugins = session.context.plugins.clone();
    let adding =
        tokio::spawn(async move { plugins.add(Path::new(&add.folder), &add.manifest, add.origin).await });
    let added =
        adding.await.map_err(|error| RpcError::internal(format!("the plugin was not added: {error}")))?;
    added.map_err(RpcError::refused)
}

pub(super) async fn remove(session: &Arc<Session>, remove: Remove) -> Result<Done, RpcError> {
    session.context.plugins.remove(&remove.name).await.map_err(RpcError::not_found)?;
    Ok(Done {})
}
