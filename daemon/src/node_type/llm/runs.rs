//! Runs that a node of this family starts.

use fanlight_shared::value::Values;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::attempt::Attempt;
use crate::child::{Ended, Source};
use crate::file_error::FileError;
use crate::node_type::NodeCall;

/// The runs of one attempt. None of them outlives it.
pub(super) struct Runs {
    stop: CancellationToken,
    tasks: TaskTracker,
    _guard: DropGuard,
}

impl Runs {
    /// Creates the runs of an attempt that ends with this token.
    pub(super) fn new(cancel: &CancellationToken) -> Self {
        let stop = cancel.child_token();
        Self { stop: stop.clone(), tasks: TaskTracker::new(), _guard: stop.drop_guard() }
    }

    /// Starts a run, and waits for its end. Its outcome is waited for by [`Self::close`] if this is dropped.
    pub(super) async fn run(
        &self,
        call: &NodeCall,
        source: Source,
        params: Values,
    ) -> Result<Ended, FileError> {
        let runs = call.services.child_runs().get()?;
        let attempt =
            Attempt { cancel: self.stop.clone(), time_limit: Default::default(), ..call.attempt.clone() };
        let run = self.tasks.spawn(runs.run(attempt, source, params));
        Ok(run.await.map_err(|error| format!("the run of a tool failed: {error}"))?)
    }

    /// Cancels what still runs, and waits until it has ended.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}
