//! A node or item of an active run.

use fanlight_shared::event::NodeError;
use fanlight_shared::id::AttemptId;
use fanlight_shared::question::{Answer, Question};
use fanlight_shared::run::{AttemptEnd, NodeStatus};
use fanlight_shared::run_state::InstanceState;
use fanlight_shared::time::Time;
use fanlight_shared::value::Values;
use tokio_util::sync::CancellationToken;

use super::earlier::Earlier;
#[cfg(feature = "llm")]
use super::lent::Lent;
use super::needed::Needed;
use super::prepared::Prepared;
use crate::engine::pools::Ticket;
use crate::engine::started::Started;
use crate::recorder::Recorder;

/// A node or item of an active run, with what the engine needs to decide about it and to run it.
///
/// Clients see an [`InstanceState`], which the hub folds from committed events. This type is ahead of it by the events that
/// are not committed yet. It has no history, metrics or previews, because there may be 100,000 instances in memory. The
/// facts that both have must agree, or a daemon that [restores](Self::restored) the run would continue it differently;
/// tests check this after every turn of the engine.
#[derive(Default)]
pub(in crate::engine) struct ActiveInstance {
    pub(in crate::engine) status: NodeStatus,
    /// The number of attempts that were started.
    pub(in crate::engine) attempts: u32,
    /// The number of attempts that failed, which `retry` limits.
    pub(in crate::engine) failures: u32,
    /// The number of attempts that were lost.
    pub(in crate::engine) interruptions: u32,
    /// What these have cost, in US dollars.
    pub(in crate::engine) lost_usd: Option<f64>,
    /// The running attempt.
    pub(in crate::engine) live: Option<Live>,
    /// When its next attempt starts, while it waits to be tried again.
    pub(in crate::engine) retry_at: Option<Time>,
    /// The run that it started waits for a person.
    pub(in crate::engine) child_is_parked: bool,
    /// Its place in the queue for pools and a lock, while it waits there.
    pub(in crate::engine) ticket: Option<Ticket>,
    /// Its question to a person, while it waits for the answer.
    pub(in crate::engine) question: Option<Box<Question>>,
    /// The answer, for the attempt that continues with it and for its retries.
    pub(in crate::engine) answer: Option<Answer>,
    /// It has its answer, and the attempt that continues with it has not started.
    pub(in crate::engine) answered: bool,
    /// The prepared work, kept for retries.
    pub(in crate::engine) prepared: Option<Prepared>,
    /// The result that it needs, if others may have computed it.
    pub(in crate::engine) needed: Option<Box<Needed>>,
    /// The values of its ports.
    pub(in crate::engine) values: Option<Values>,
    /// The outputs of its failed attempts, until it ends.
    pub(in crate::engine) earlier: Option<Box<Earlier>>,
    /// Why it failed or was skipped.
    pub(in crate::engine) error: Option<NodeError>,
}

/// A running attempt.
pub(in crate::engine) struct Live {
    pub(in crate::engine) id: AttemptId,
    pub(in crate::engine) recorder: Recorder,
    pub(in crate::engine) cancel: CancellationToken,
    pub(in crate::engine) started: Started,
    /// Whether it has its places in pools.
    #[cfg(feature = "llm")]
    pub(in crate::engine) lent: Lent,
}

impl ActiveInstance {
    /// Restores an instance from its state and its stored values.
    pub(in crate::engine) fn restored(state: &InstanceState, values: Option<Values>) -> Self {
        let (values, earlier) = match values {
            Some(values) if state.status.is_ended() => (Some(values), None),
            Some(values) if !state.attempts.is_empty() => (None, Earlier::restored(values, state)),
            // Values of a node that has not begun belong to the run that this one resumes.
            _ => (None, None),
        };
        let ended = |end| state.attempts.iter().filter(|attempt| attempt.end == Some(end)).count() as u32;
        let mut restored = Self {
            status: state.status,
            attempts: state.attempt(),
            failures: ended(AttemptEnd::Failed),
            interruptions: ended(AttemptEnd::Lost),
            lost_usd: None,
            question: state.question.clone(),
            answer: state.answer.as_deref().cloned(),
            answered: state.status == NodeStatus::Waiting
                && state.answer.is_some()
                && state.attempts.last().is_some_and(|it| it.end == Some(AttemptEnd::Parked)),
            retry_at: state.retry_at,
            live: None,
            child_is_parked: false,
            ticket: None,
            prepared: None,
            needed: None,
            values,
            earlier,
            error: state.error.clone(),
        };
        let lost = state.attempts.iter().filter(|attempt| attempt.end == Some(AttemptEnd::Lost));
        lost.for_each(|attempt| restored.lose(attempt.cost_usd));
        restored
    }

    /// Adds what a lost attempt has cost.
    pub(in crate::engine) fn lose(&mut self, cost_usd: Option<f64>) {
        if let Some(usd) = cost_usd {
            *self.lost_usd.get_or_insert(0.0) += usd;
        }
    }

    /// Asserts that it has the same facts as this state.
    #[cfg(test)]
    pub(in crate::engine) fn assert_agrees(&self, state: &InstanceState, name: &str) {
        let restored = Self::restored(state, None);
        // The state *ready* is not stored.
        let status = if self.status == NodeStatus::Ready { NodeStatus::Waiting } else { self.status };
        let facts = |it: &Self, status| {
            let counts = (it.attempts, it.failures, it.interruptions);
            let asks = (it.question.is_some(), it.answer.is_some(), it.answered);
            (status, counts, it.lost_usd, asks, it.error.is_some())
        };
        assert_eq!(facts(self, status), facts(&restored, restored.status), "{name}");
    }
}
