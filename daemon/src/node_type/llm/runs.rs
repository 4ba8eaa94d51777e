//! Runs that a node of this family starts.

use fanlight_shared::event::Prediction;
use fanlight_shared::value::Values;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

use crate::attempt::{Attempt, Outcome};
use crate::child::{Ended, Source};
use crate::file_error::FileError;
use crate::node_type::NodeCall;
use crate::services::DaemonServices;

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

    /// Starts a run, and waits for its end. If this is dropped, [`Self::close`] waits for it. What it has spent is spent by the
    /// attempt in any case.
    pub(super) async fn run(
        &self,
        call: &NodeCall,
        source: Source,
        params: Values,
    ) -> Result<Outcome, FileError> {
        let runs = call.services.child_runs().get()?;
        let attempt =
            Attempt { cancel: self.stop.clone(), time_limit: Default::default(), ..call.attempt.clone() };
        let (run, services) = (runs.run(attempt, source, params), call.services.clone());
        let run = self.tasks.spawn(async move {
            let Ended { outcome, predictions } = run.await;
            spend(&services, &outcome, &predictions);
            outcome
        });
        Ok(run.await.map_err(|error| format!("the run of a tool failed: {error}"))?)
    }

    /// Cancels what still runs, and waits until it has ended.
    pub(super) async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Adds what a run has spent to what its attempt has.
fn spend(services: &DaemonServices, outcome: &Outcome, predictions: &[Prediction]) {
    let mut counted = 0.0;
    for prediction in predictions {
        counted += prediction.cost_usd.unwrap_or_default();
        services.prediction(prediction);
    }
    // Not all costs are those of models.
    let rest = outcome.cost_usd.unwrap_or_default() - counted;
    if rest > 1e-9 {
        services.spend(rest);
    }
    if outcome.unpriced {
        services.spend_unknown();
    }
}
