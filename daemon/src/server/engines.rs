//! `engines.*`

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::engines::{CHECK_SECONDS, Check, Checked, Engines, List, MAX_CHECK_SECONDS};

use super::session::Session;

#[allow(clippy::unused_async)]
pub(super) async fn list(session: &Arc<Session>, _: List) -> Result<Engines, RpcError> {
    Ok(Engines { engines: session.context.engines.list() })
}

pub(super) async fn check(session: &Arc<Session>, check: Check) -> Result<Checked, RpcError> {
    let engine = session.context.engines.find(&check.engine).map_err(RpcError::not_found)?.clone();
    let seconds = check.seconds.unwrap_or(CHECK_SECONDS).clamp(1, MAX_CHECK_SECONDS);
    let limit = Duration::from_secs(u64::from(seconds));
    // To the end, also if the client leaves: what it makes must be removed.
    let checking = tokio::spawn(async move { engine.check(check.gpu, limit).await });
    let steps = checking.await.map_err(|error| RpcError::internal(format!("the check failed: {error}")))?;
    Ok(Checked { steps: steps.map_err(RpcError::refused)? })
}
