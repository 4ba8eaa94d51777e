//! `queue.*`

use std::sync::Arc;

use fanlight_shared::event::Queue;
use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::queue::{Get, Set};

use super::session::Session;

pub(super) async fn get(session: &Arc<Session>, _: Get) -> Result<Queue, RpcError> {
    session.context.engine.queue().await
}

pub(super) async fn set(session: &Arc<Session>, set: Set) -> Result<Queue, RpcError> {
    session.context.engine.set_queue(set).await
}
