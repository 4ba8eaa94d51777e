//! One attempt at its executor, from its start to its outcome: the same for every executor.

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::run::AttemptEnd;
use fanlight_shared::time::Time;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use super::{Adopted, End, Execution, Executor, Signal, Signalled, Work};
use crate::attempt::{Attempt, Outcome, TimeLimit};

/// Runs an attempt: prepares, starts, waits, collects. A cancel stops it, and so does the end of the time that is `left`;
/// what it made until then is collected.
pub async fn run(
    executor: &dyn Executor,
    attempt: Attempt,
    work: Arc<Work>,
    left: Option<Duration>,
) -> Outcome {
    Driver::open(executor, attempt, work, left).fresh().await
}

/// Goes on with an attempt that an earlier daemon was to start; `None` if it did not.
pub async fn adopt(
    executor: &dyn Executor,
    attempt: Attempt,
    work: Arc<Work>,
    left: Option<Duration>,
) -> Option<Outcome> {
    Driver::open(executor, attempt, work, left).adopted().await
}

/// Runs what was opened already, without a time limit of its own.
#[cfg(feature = "llm")]
pub(crate) async fn drive(execution: Box<dyn Execution>, attempt: &Attempt) -> Outcome {
    let (cancel, time_limit) = (attempt.cancel.clone(), attempt.time_limit.clone());
    Driver { execution, cancel, time_limit, left: None }.fresh().await
}

struct Driver {
    execution: Box<dyn Execution>,
    cancel: CancellationToken,
    time_limit: TimeLimit,
    left: Option<Duration>,
}

impl Driver {
    fn open(executor: &dyn Executor, attempt: Attempt, work: Arc<Work>, left: Option<Duration>) -> Self {
        let (cancel, time_limit) = (attempt.cancel.clone(), attempt.time_limit.clone());
        Self { execution: executor.open(attempt, work), cancel, time_limit, left }
    }

    async fn fresh(self) -> Outcome {
        if self.cancel.is_cancelled() {
            return Outcome::cancelled();
        }
        if let Err(outcome) = self.execution.prepare().await {
            return outcome;
        }
        if self.cancel.is_cancelled() {
            return Outcome::cancelled();
        }
        if let Err(outcome) = self.execution.start().await {
            return outcome;
        }
        self.finish().await
    }

    async fn adopted(self) -> Option<Outcome> {
        match self.execution.adopt().await {
            Ok(Adopted::Known) => Some(self.finish().await),
            Ok(Adopted::Unknown) => None,
            Err(outcome) => Some(outcome),
        }
    }

    async fn finish(self) -> Outcome {
        let outcome = match self.wait().await {
            End::Ended => self.execution.collect().await,
            End::Lost(_) if self.cancel.is_cancelled() || self.time_limit.is_exceeded() => {
                Outcome::cancelled()
            }
            End::Lost(why) => Outcome::lost(&why),
        };
        let cost_usd = outcome.cost_usd.or_else(|| self.execution.cost_usd());
        let outcome = Outcome { cost_usd, ..outcome };
        // An executor without time limits reports that it was stopped.
        if outcome.end == AttemptEnd::Cancelled
            && self.time_limit.is_exceeded()
            && !self.cancel.is_cancelled()
        {
            return Outcome { end: AttemptEnd::Failed, error: Some(self.time_limit.error()), ..outcome };
        }
        outcome
    }

    /// Waits for its end, and stops it where it is cancelled or its time is over.
    async fn wait(&self) -> End {
        let (mut ended, mut runs) = (self.execution.wait(), self.execution.runs());
        // Time is counted from when it runs, so that a wait for space or for an engine takes none of it.
        let mut deadline = None;
        let mut is_running = false;
        loop {
            tokio::select! {
                biased;
                end = &mut ended => return end,
                () = self.cancel.cancelled() => break,
                since = &mut runs, if !is_running => {
                    is_running = true;
                    deadline = self.deadline(since);
                }
                () = at(deadline), if is_running => {
                    self.time_limit.exceed();
                    break;
                }
            }
        }
        let mut signal = self.execution.signal(Signal::Stop);
        let mut delivered = false;
        loop {
            tokio::select! {
                biased;
                end = &mut ended => return end,
                signalled = &mut signal, if !delivered => match signalled {
                    Signalled::Delivered => delivered = true,
                    Signalled::Unknown => return End::Lost("its executor no longer knows the attempt".into()),
                },
            }
        }
    }
}

impl Driver {
    /// Returns when its time is over.
    fn deadline(&self, since: Option<Time>) -> Option<Instant> {
        let left = match since {
            None => self.left?,
            Some(since) => self.time_limit.get()?.saturating_sub(Time::now().since(since)),
        };
        Some(Instant::now() + left)
    }
}

async fn at(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
