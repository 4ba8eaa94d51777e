//! `runs.export` and `runs.import`

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs::{Export, Exported, Import, Imported, ImportedRun, Renamed};
use fanlight_shared::rpc::{ErrorCode, RpcError};
use tokio_util::sync::CancellationToken;

use super::bytes::Source;
use super::context::Context;
use super::session::Session;
use crate::engine::make_preview;
use crate::store::Store;
use crate::transfer;

/// How many runs a response names.
const MAX_NAMED: usize = 1000;

pub(super) async fn export(session: &Arc<Session>, export: Export) -> Result<(Exported, Source), RpcError> {
    let home = session.context.home.clone();
    let exported =
        session.context.read(move |store| transfer::export(store, &home, &export.runs, export.ended)).await?;
    let (stream, source) = Source::archive(session, exported.archive);
    let (runs, assets, left_out) = (exported.runs, exported.assets, exported.left_out);
    Ok((Exported { stream, runs, assets, left_out }, source))
}

pub(super) async fn import(session: &Arc<Session>, import: Import) -> Result<Imported, RpcError> {
    let context = &session.context;
    let path = PathBuf::from(import.path);
    if !path.is_absolute() {
        return Err(RpcError::new(ErrorCode::BadParams, "`path` is not absolute".to_owned()));
    }
    // A client that goes away while its archive is read gets nothing imported.
    let cancel = CancellationToken::new();
    let _guard = cancel.clone().drop_guard();
    // Other clients are notified of what was imported, even if this one goes away then.
    let imported = tokio::spawn(import_and_notify(Arc::clone(context), path, cancel));
    let outcome = match imported.await {
        Ok(outcome) => outcome?,
        Err(error) => return Err(RpcError::internal(format!("the import failed: {error}"))),
    };
    let transfer::Outcome { imported, assets, mut known, mut left_out } = outcome;
    let (count, known_count) = (imported.runs.len() as u64, known.len() as u64);
    let left_out_count = left_out.len() as u64;
    known.truncate(MAX_NAMED);
    left_out.truncate(MAX_NAMED);
    let runs = imported.runs.into_iter().take(MAX_NAMED);
    let renamed = imported.renamed_sweeps.into_iter().take(MAX_NAMED);
    Ok(Imported {
        runs: runs.map(|run| ImportedRun { id: run.id, was: run.was, name: run.name }).collect(),
        count,
        assets,
        known,
        known_count,
        left_out,
        left_out_count,
        renamed_sweeps: renamed.map(|(was, name)| Renamed { was, name }).collect(),
    })
}

async fn import_and_notify(
    context: Arc<Context>,
    path: PathBuf,
    cancel: CancellationToken,
) -> Result<transfer::Outcome, RpcError> {
    let home = context.home.clone();
    let outcome = context.read(move |store| transfer::import(store, &home, &path, &cancel)).await?;
    let ids: Vec<_> = outcome.imported.runs.iter().map(|run| run.id).collect();
    if ids.is_empty() {
        return Ok(outcome);
    }
    let made: HashSet<RunId> = ids.iter().copied().collect();
    // One that was deleted since has no row; the others have.
    let listed =
        move |store: &Store| Ok(ids.into_iter().filter_map(|id| store.listed(id).ok()).collect::<Vec<_>>());
    for run in context.read(listed).await.unwrap_or_default() {
        context.hub.daemon(DaemonEvent::RunUpdate { run: Box::new(run) });
    }
    tokio::spawn(make_previews(context, made));
    Ok(outcome)
}

/// Makes the previews of the assets of imported runs, one after the other: attempts need the workers too.
async fn make_previews(context: Arc<Context>, runs: HashSet<RunId>) {
    let pending = context.read(|store| store.pending_previews()).await.unwrap_or_default();
    for asset in pending.into_iter().filter(|asset| runs.contains(&asset.run_id)) {
        if let Some(media) = asset.value.as_media() {
            make_preview(&context.workers, &context.store, &context.hub, asset.id, media.clone()).await;
        }
    }
}
