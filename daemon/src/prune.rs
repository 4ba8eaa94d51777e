//! Prunes ended runs: on request, and by itself if the configuration says so.

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::rpc::runs::{Prune, Pruned};
use fanlight_shared::time::Time;
use futures_util::future::join_all;

use crate::config::PruneSettings;
use crate::engine::forget_deleted;
use crate::executor::Executors;
use crate::hub::Hub;
use crate::store::{Op, Prunable, Store, StoreError};

/// How often the daemon prunes by itself.
const PRUNE_INTERVAL: Duration = Duration::from_secs(600);
/// How many runs are deleted at once, each in a batch of its own.
const AT_ONCE: usize = 50;
/// How many deleted runs a response names.
const MAX_NAMED: usize = 1000;
/// How many times runs are chosen again because the deleted ones shared their bytes with others.
const MAX_ROUNDS: usize = 20;

/// Returns the request of the configuration at this moment.
fn request(settings: &PruneSettings) -> Prune {
    let ended_before = settings.older_than.map(|age| {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        Time(Time::now().0.saturating_sub(age))
    });
    Prune {
        ended_before,
        keep: settings.keep,
        max_bytes: settings.max_bytes,
        states: settings.states.clone(),
        ..Prune::default()
    }
}

/// What pruning needs: cheap to clone.
#[derive(Clone)]
pub(crate) struct Pruning {
    pub(crate) store: Store,
    pub(crate) hub: Arc<Hub>,
    pub(crate) executors: Executors,
}

impl Pruning {
    /// Handles `runs.prune`.
    ///
    /// # Errors
    /// The store can't be read or written. What was deleted before stays deleted.
    pub(crate) async fn prune(&self, prune: &Prune) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::default();
        for _ in 0..MAX_ROUNDS {
            let (store, request) = (self.store.clone(), prune.clone());
            let found = tokio::task::spawn_blocking(move || store.prunable(&request)).await;
            let found = found.map_err(|error| StoreError::Other(error.to_string()))??;
            if prune.dry_run {
                found.iter().for_each(|it| add(&mut pruned, it, !prune.keep_assets));
                return Ok(pruned);
            }
            let before = pruned.bytes;
            for some in found.chunks(AT_ONCE) {
                self.delete(some, prune.keep_assets, &mut pruned).await?;
            }
            if prune.max_bytes.is_none() || pruned.bytes == before {
                break;
            }
        }
        forget_deleted(&self.store, &self.executors).await;
        Ok(pruned)
    }

    async fn delete(
        &self,
        runs: &[Prunable],
        keep_assets: bool,
        pruned: &mut Pruned,
    ) -> Result<(), StoreError> {
        let commits = runs.iter().map(|it| {
            let op = Op::PruneRuns { runs: it.family.clone(), assets: !keep_assets };
            self.store.commit(vec![op])
        });
        let mut failed = None;
        for (run, committed) in runs.iter().zip(join_all(commits).await) {
            let committed = match committed {
                Ok(committed) => committed,
                // It was deleted or starred meanwhile.
                Err(StoreError::NotFound(_)) => continue,
                // What else was deleted is still announced.
                Err(error) => {
                    failed.get_or_insert(error);
                    continue;
                }
            };
            for (workflow_id, run_id) in committed.deleted_runs {
                self.hub.daemon(DaemonEvent::RunDelete { workflow_id, run_id });
            }
            add(pruned, run, false);
            pruned.assets += committed.deleted_assets.len() as u64;
            pruned.bytes += committed.freed_bytes;
            for (workflow_id, asset_id) in committed.deleted_assets {
                self.hub.daemon(DaemonEvent::AssetDelete { workflow_id, asset_id });
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Prunes from time to time. Never returns.
    pub(crate) async fn run(self, settings: PruneSettings) {
        loop {
            match self.prune(&request(&settings)).await {
                Ok(pruned) if pruned.count > 0 => {
                    let Pruned { count, assets, bytes, .. } = pruned;
                    tracing::info!(count, assets, bytes, "pruned runs as the configuration says");
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "the runs could not be pruned; the next try follows"),
            }
            tokio::time::sleep(PRUNE_INTERVAL).await;
        }
    }
}

/// Adds a run to a response. `counts_assets`: also its assets, as far as they would be deleted.
fn add(pruned: &mut Pruned, prunable: &Prunable, counts_assets: bool) {
    pruned.count += prunable.family.len() as u64;
    if counts_assets {
        pruned.assets += prunable.run.assets;
        pruned.bytes += prunable.run.bytes;
    }
    if pruned.runs.len() < MAX_NAMED {
        pruned.runs.push(prunable.run.clone());
    }
}
