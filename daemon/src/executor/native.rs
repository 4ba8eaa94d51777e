//! Native nodes that run in the daemon, outside the engine's loop.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::id::AttemptId;
use futures_util::future::BoxFuture;

use super::task::without_panics;
use super::{Capabilities, Execution, Executor, Known, Task, Work, misplaced};
use crate::attempt::{Attempt, Outcome};
#[cfg(feature = "llm")]
use crate::child::ChildRuns;
use crate::content;
#[cfg(feature = "http")]
use crate::http::Http;
#[cfg(feature = "llm")]
use crate::llm::Providers;
#[cfg(feature = "llm")]
use crate::mcp::McpServers;
#[cfg(feature = "llm")]
use crate::media::Checker;
use crate::node_type::{NodeCall, Runner};
use crate::rooted::remove_tree;
use crate::services::{DaemonServices, SCRATCH};
use crate::store::blob::Blobs;

/// Runs native nodes in the daemon.
pub(crate) struct NativeNodes {
    /// For reading and publishing bytes.
    pub(crate) blobs: Blobs,
    /// Folders that nodes may write below, besides that of their workflow.
    pub(crate) writable: Vec<PathBuf>,
    /// Where the folders of attempts lie.
    pub(crate) attempts: PathBuf,
    /// The network addresses that they may reach.
    #[cfg(feature = "http")]
    pub(crate) http: Http,
    /// The providers of language models.
    #[cfg(feature = "llm")]
    pub(crate) providers: Providers,
    /// The servers of tools.
    #[cfg(feature = "llm")]
    pub(crate) mcp: McpServers,
    /// Starts runs for nodes.
    #[cfg(feature = "llm")]
    pub(crate) child_runs: ChildRuns,
    /// Checks files that came from outside.
    #[cfg(feature = "llm")]
    pub(crate) checker: Arc<dyn Checker>,
}

impl NativeNodes {
    fn scratch(&self, attempt: AttemptId) -> PathBuf {
        self.attempts.join(attempt.to_string()).join(SCRATCH)
    }

    async fn remove_scratch(&self, attempts: Vec<AttemptId>) {
        let folders: Vec<PathBuf> = attempts.into_iter().map(|attempt| self.scratch(attempt)).collect();
        let remove = move || {
            for folder in folders.iter().filter(|folder| folder.exists()) {
                if let Err(error) = remove_tree(folder) {
                    tracing::warn!(%error, folder = %folder.display(), "a node's scratch folder could not be removed");
                }
            }
        };
        // A panic in there leaves a folder, which the next daemon removes.
        let _ = tokio::task::spawn_blocking(remove).await;
    }
}

impl Executor for NativeNodes {
    fn capabilities(&self) -> Capabilities {
        Capabilities { shares_files: true, ..Capabilities::default() }
    }

    fn open(&self, attempt: Attempt, work: Arc<Work>) -> Box<dyn Execution> {
        let Work::Native(native, inputs) = &*work else { return misplaced(&work) };
        let inputs = inputs.clone();
        match &native.run {
            Runner::Worker(_) | Runner::Command | Runner::Executor { .. } => misplaced(&work),
            Runner::Inline(_) | Runner::Handles(_) | Runner::Text(_) => {
                let (native, blobs) = (Arc::clone(native), self.blobs.clone());
                Task::open(attempt, &self.blobs, move |attempt| {
                    Box::pin(async move {
                        let run = move |blobs: &Blobs| native.run_off_loop(inputs.clone(), blobs);
                        match content::with_space(&blobs, &attempt.cancel, run).await {
                            Err(_) if attempt.cancel.is_cancelled() => Outcome::cancelled(),
                            made => Outcome::of(made),
                        }
                    })
                })
            }
            Runner::Daemon(run) => {
                let native = Arc::clone(native);
                let (blobs, mut writable) = (self.blobs.clone(), self.writable.clone());
                writable.extend(attempt.run.project.clone());
                let attempts = self.attempts.clone();
                #[cfg(feature = "http")]
                let http = self.http.clone();
                #[cfg(feature = "llm")]
                let (providers, mcp, child_runs, checker) = (
                    self.providers.clone(),
                    self.mcp.clone(),
                    self.child_runs.clone(),
                    Arc::clone(&self.checker),
                );
                Task::open(attempt, &self.blobs, move |attempt| {
                    let services = DaemonServices::new(
                        attempt.clone(),
                        blobs.clone(),
                        &attempts,
                        #[cfg(feature = "http")]
                        http,
                        #[cfg(feature = "llm")]
                        providers,
                        #[cfg(feature = "llm")]
                        mcp,
                        #[cfg(feature = "llm")]
                        child_runs,
                        #[cfg(feature = "llm")]
                        checker,
                    );
                    let call = NodeCall { attempt, services: services.clone(), inputs, blobs, writable };
                    let making = run(call);
                    Box::pin(async move {
                        let outcome = without_panics(async {
                            match making.await {
                                _ if services.cancel().is_cancelled() => Outcome::cancelled(),
                                made => match services.question() {
                                    Some(question) => Outcome::parked(question),
                                    None => Outcome::of(made.and_then(|(values, blobs)| {
                                        Ok((content::check_bound(values, &native.spec)?, blobs))
                                    })),
                                },
                            }
                        });
                        let outcome = outcome.await;
                        services.finish();
                        // The cost is spent, however the attempt ended.
                        Outcome { cost_usd: services.cost_usd(), unpriced: services.is_unpriced(), ..outcome }
                    })
                })
            }
        }
    }

    fn release(&self, attempt: AttemptId) -> BoxFuture<'_, ()> {
        Box::pin(self.remove_scratch(vec![attempt]))
    }

    fn leftovers(&self) -> Vec<AttemptId> {
        let folders = std::fs::read_dir(&self.attempts).into_iter().flatten().flatten();
        let attempts = folders.filter_map(|it| it.file_name().to_str()?.parse().ok());
        attempts.filter(|attempt| self.scratch(*attempt).exists()).collect()
    }

    fn clean_up(
        &self,
        leftovers: Vec<AttemptId>,
        living: Arc<HashSet<AttemptId>>,
        known: Known,
    ) -> BoxFuture<'_, ()> {
        let ended = leftovers.into_iter().filter(|attempt| !living.contains(attempt)).collect();
        Box::pin(async move {
            let ours = tokio::task::spawn_blocking(move || known(ended)).await.unwrap_or_default();
            self.remove_scratch(ours).await;
        })
    }
}

#[cfg(test)]
mod tests;
