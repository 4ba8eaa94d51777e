//! `queue.*`

use std::sync::Arc;

use fanlight_shared::event::Queue;
use fanlight_shared::rpc::queue::{Get, Move, Moved, Set, To};
use fanlight_shared::rpc::{ErrorCode, RpcError};
use fanlight_shared::run::check_priority;

use super::session::Session;

pub(super) async fn get(session: &Arc<Session>, _: Get) -> Result<Queue, RpcError> {
    session.context.engine.queue().await
}

pub(super) async fn move_runs(session: &Arc<Session>, request: Move) -> Result<Moved, RpcError> {
    if let To::Priority(priority) = request.to {
        check_priority(priority).map_err(|why| RpcError::new(ErrorCode::BadParams, why))?;
    }
    let runs = request.runs.clone();
    // If one of them is not a run, none is moved.
    session.context.read(move |store| store.check_runs(&runs)).await?;
    session.context.engine.move_runs(request).await
}

pub(super) async fn set(session: &Arc<Session>, set: Set) -> Result<Queue, RpcError> {
    session.context.engine.set_queue(set).await
}
