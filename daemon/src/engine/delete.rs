//! Deletes runs, and the leftovers of their attempts.

use std::collections::HashSet;

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::folder;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{RpcError, runs};
use fanlight_shared::run::Run;

use super::core::Core;
use super::errors::refused;
use super::message::Reply;
use crate::executor::Executors;
use crate::store::{Op, Store, StoreError};

impl Core {
    /// Deletes ended runs and their logs.
    pub(super) fn delete(&mut self, request: runs::Delete, reply: Reply<()>) {
        let busy =
            request.runs.iter().find(|id| self.active.contains_key(id) || self.queued.contains_key(id));
        if let Some(id) = busy {
            let run = self.active.get(id).map(|run| &run.run).or(self.queued.get(id).map(|it| &*it.run));
            let name = run.map_or_else(|| id.to_string(), Run::name);
            let _ = reply.send(Err(RpcError::refused(format!("{name} has not ended; cancel it first"))));
            return;
        }
        let (store, hub, executors) =
            (self.context.store.clone(), self.context.hub.clone(), self.context.executors.clone());
        self.context.flush();
        self.context.runtime.spawn(async move {
            let reading = store.clone();
            let ids = request.runs.clone();
            let known = tokio::task::spawn_blocking(move || with_children(&reading, ids));
            let answer = match known.await {
                Ok(Ok(known)) => {
                    let ops = known.iter().map(|run| Op::DeleteRun { run: run.id, assets: request.assets });
                    store.commit(ops.collect()).await.map(|committed| (known, committed))
                }
                Ok(Err(error)) => Err(error),
                Err(error) => Err(StoreError::Other(error.to_string())),
            };
            let answer = match answer {
                Ok((known, committed)) => {
                    for run in known {
                        hub.daemon(DaemonEvent::RunDelete { workflow_id: run.workflow_id, run_id: run.id });
                    }
                    for (workflow_id, asset_id) in committed.deleted_assets {
                        hub.daemon(DaemonEvent::AssetDelete { workflow_id, asset_id });
                    }
                    forget_deleted(&store, &executors).await;
                    Ok(())
                }
                Err(error) => Err(refused(&error)),
            };
            let _ = reply.send(answer);
        });
    }
}

/// Returns these runs and those that they started, which are deleted with them. Blocks.
///
/// # Errors
/// One of them was started by a run that stays.
fn with_children(store: &Store, mut ids: Vec<RunId>) -> Result<Vec<Run>, StoreError> {
    let mut known: HashSet<RunId> = ids.iter().copied().collect();
    let mut at = 0;
    while let Some(id) = ids.get(at).copied() {
        ids.extend(store.children(id)?.into_iter().filter(|child| known.insert(*child)));
        at += 1;
    }
    let runs = ids.iter().map(|id| store.listed(*id)).collect::<Result<Vec<_>, StoreError>>()?;
    let stays = |run: &&Run| run.parent.as_ref().is_some_and(|parent| !known.contains(&parent.run));
    match runs.iter().find(stays) {
        Some(run) => {
            let parent = run.parent.as_ref().map(|parent| parent.name.as_str()).unwrap_or_default();
            Err(StoreError::BadParam(format!("{} was started by {parent}; delete that run", run.name())))
        }
        None => Ok(runs),
    }
}

/// Removes the leftovers of attempts of deleted runs. They are recorded with the deletion: the next daemon removes what
/// this one did not get to, or could not remove.
pub(crate) async fn forget_deleted(store: &Store, executors: &Executors) {
    let reading = store.clone();
    let attempts = match tokio::task::spawn_blocking(move || reading.attempts_to_remove()).await {
        Ok(Ok(attempts)) => attempts,
        Ok(Err(error)) => return tracing::warn!(%error, "the logs of deleted runs stay for now"),
        Err(_) => return,
    };
    if attempts.is_empty() {
        return;
    }
    let removed = executors.forget(attempts).await;
    // A power loss must not bring back what nobody would remove again.
    let folder = store.home().attempts();
    if let Ok(Err(error)) = tokio::task::spawn_blocking(move || folder::settle_existing(&folder)).await {
        return tracing::warn!(%error, "the next daemon removes the logs of deleted runs");
    }
    if let Err(error) = store.commit(vec![Op::AttemptsRemoved(removed)]).await {
        tracing::warn!(%error, "the next daemon removes the logs of deleted runs");
    }
}
