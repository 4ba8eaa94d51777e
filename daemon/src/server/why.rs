//! `runs.why`

use std::sync::Arc;

use fanlight_shared::rpc::RpcError;
use fanlight_shared::rpc::why::{Explanation, Reason, ReasonKind, Why};

use super::session::Session;

pub(super) async fn why(session: &Arc<Session>, why: Why) -> Result<Explanation, RpcError> {
    let id = why.run;
    if let Some(explanation) = session.context.engine.why(why).await? {
        return Ok(explanation);
    }
    // What the engine doesn't hold has ended.
    let run = session.context.read(move |store| store.listed(id)).await?;
    let text = match &run.error {
        Some(error) => format!("has {}: {error}", run.state.word()),
        None => format!("has {}", run.state.word()),
    };
    let reason = Reason { since: run.ended_at, ..Reason::new(ReasonKind::Ended, text) };
    Ok(Explanation { run, reasons: vec![reason], reasons_left: 0, nodes_after: 0 })
}
