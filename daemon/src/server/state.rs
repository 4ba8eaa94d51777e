//! Finds the state of a run: in the hub while it is active, in the store afterwards.

use std::sync::Arc;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::RpcError;
use fanlight_shared::run_state::RunState;

use super::context::Context;

/// Returns the state of a run. For an active run the hub knows more: progress, and the ends of logs.
pub(super) async fn state_of(context: &Context, run: RunId) -> Result<Arc<RunState>, RpcError> {
    match context.hub.run_state(run) {
        Some(state) => Ok(state),
        None => context.read(move |store| store.readable_state(run)).await.map(Arc::new),
    }
}
