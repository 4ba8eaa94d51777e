//! `watch`: reads inactive runs from the store, while their new events are buffered.

use std::sync::Arc;

use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::rpc::metrics::MAX_RUNS;
use fanlight_shared::rpc::watch::{TELEMETRY_LIMIT, TelemetryOf, Watch, Watching};
use fanlight_shared::rpc::{ErrorCode, RpcError};

use super::context::Context;
use super::session::Session;
use crate::hub::{Loaded, Needs};

pub(super) async fn watch(session: &Arc<Session>, watch: Watch) -> Result<Watching, RpcError> {
    if watch.telemetry.len() > TELEMETRY_LIMIT {
        return Err(RpcError::new(
            ErrorCode::BadParams,
            format!("at most {TELEMETRY_LIMIT} runs can be watched in full; the registry covers all of them"),
        ));
    }
    if watch.metrics.as_ref().is_some_and(|metrics| metrics.run_ids.len() > MAX_RUNS) {
        return Err(RpcError::new(
            ErrorCode::BadParams,
            format!("the metrics of at most {MAX_RUNS} runs can be watched"),
        ));
    }
    let _alone = session.attaching.lock().await;
    let (seq, needs) = session.subscription.watch(watch);
    attach(session, needs).await?;
    Ok(Watching { seq })
}

/// Starts over, after the client did not read for too long.
pub(super) async fn again(session: &Arc<Session>) {
    let _alone = session.attaching.lock().await;
    let needs = session.subscription.again();
    if let Err(error) = attach(session, needs).await {
        tracing::warn!(%error, "a snapshot could not be sent to a client");
    }
}

/// Reads what is needed. Reports the first error after everything else was attached.
async fn attach(session: &Arc<Session>, needs: Needs) -> Result<(), RpcError> {
    let mut first = Ok(());
    let mut runs = needs.runs;
    if let Some(workflow) = needs.follow {
        match newest(&session.context, workflow).await {
            Ok(Some(run)) => runs.extend(session.subscription.followed(workflow, run)),
            Ok(None) => {}
            Err(error) => first = Err(error),
        }
    }
    for TelemetryOf { run_id, seq } in runs {
        let loaded = load(&session.context, run_id, seq).await;
        let (loaded, answer) = match loaded {
            Ok(loaded) => (Some(loaded), Ok(())),
            Err(error) => (None, Err(error)),
        };
        session.subscription.deliver(run_id, loaded);
        first = first.and(answer);
    }
    first
}

async fn load(context: &Context, id: RunId, seq: Option<u64>) -> Result<Loaded, RpcError> {
    context
        .read(move |store| {
            let state = store.readable_state(id)?;
            let events = match seq {
                Some(seq) => store.events(id, seq, state.seq)?,
                None => Vec::new(),
            };
            Ok(Loaded { run: store.listed(id)?, state, events })
        })
        .await
}

/// Returns the newest started run of a workflow that has started none since the daemon did.
async fn newest(context: &Context, workflow: WorkflowId) -> Result<Option<RunId>, RpcError> {
    context.read(move |store| store.newest_started(workflow)).await
}
