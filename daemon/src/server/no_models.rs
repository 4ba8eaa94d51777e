//! `models.*` of a daemon that was built without language models.

use std::sync::Arc;

use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::models::{List, Models};

use super::session::Session;

#[allow(clippy::unused_async)]
pub(super) async fn list(_: &Arc<Session>, _: List) -> Result<Models, RpcError> {
    Err(RpcError::refused("this daemon was built without language models"))
}
