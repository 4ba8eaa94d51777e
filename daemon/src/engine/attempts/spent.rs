//! What an attempt has spent: what its outcome says, or what was stored of it while it ran.

use fanlight_shared::event::{NodeUpdate, Prediction, StateEvent};
use fanlight_shared::id::{AttemptId, RunId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::{AttemptEnd, NodeStatus};
use fanlight_shared::time::Time;

use crate::attempt::Outcome;
use crate::engine::active::Live;
use crate::engine::context::Context;
use crate::engine::unsettled::{self, Running};
use crate::store::{Op, OpenRun, Spending};

impl Context {
    /// Takes what an earlier daemon stored of an attempt that has ended: the event of its end has it.
    pub(in crate::engine) fn take_spending(&mut self, attempt: AttemptId) -> Option<Spending> {
        let spending = self.spending.remove(&attempt)?;
        self.op(Op::Spending { attempt, sums: None });
        Some(spending)
    }

    /// Takes what an attempt has spent that ended with the last daemon, and what its runs have.
    pub(in crate::engine) fn take_all_spending(
        &mut self,
        attempt: Option<AttemptId>,
        run: RunId,
        node: &str,
        item: ItemPath,
    ) -> Spending {
        let mut sums = attempt.and_then(|id| self.take_spending(id)).unwrap_or_default();
        if let Some(more) = self.unsettled.take(run, node, item) {
            unsettled::add(&mut sums, &more);
        }
        sums
    }

    /// Returns the ends of the attempts of a run that does not continue, those that have spent something.
    pub(in crate::engine) fn lost_attempts(&mut self, open: &OpenRun) -> Vec<StateEvent> {
        let mut ends = Vec::new();
        for Running { id, node, item, number } in unsettled::running(open) {
            let spending = self.take_all_spending(id, open.run.id, &node, item);
            if spending == Spending::default() {
                continue;
            }
            let mut update = NodeUpdate::new(&node, item, NodeStatus::Cancelled, Time::now());
            update.attempt = Some(number);
            update.ended = Some(AttemptEnd::Lost);
            update.cost_usd = spending.cost_usd;
            update.unpriced = spending.unpriced;
            if !spending.predictions.is_empty() {
                update.activity.get_or_insert_default().predictions = spending.predictions;
            }
            ends.push(StateEvent::NodeUpdate(update));
        }
        ends
    }

    /// Completes the outcome of an attempt that has ended with what is stored of it.
    pub(super) fn settle_spending(&mut self, live: &Live, outcome: Outcome) -> Outcome {
        let reported = live.recorder.has_spent();
        match self.take_spending(live.id) {
            // It was adopted, and has reported nothing again.
            Some(stored) if !reported && outcome.cost_usd.is_none() => outcome.with_spending(stored),
            Some(_) => outcome,
            None => {
                if reported {
                    self.op(Op::Spending { attempt: live.id, sums: None });
                }
                outcome
            }
        }
    }
}

impl Outcome {
    /// Returns the outcome of an attempt that has spent this.
    pub(in crate::engine) fn with_spending(self, spent: Spending) -> Self {
        let Spending { cost_usd, predictions, unpriced } = spent;
        Self { cost_usd, predictions, unpriced: self.unpriced || unpriced, ..self }
    }
}

/// What the outcome of an attempt says that it spent.
pub(super) struct Spent {
    pub(super) cost_usd: Option<f64>,
    pub(super) unpriced: bool,
    pub(super) predictions: Vec<Prediction>,
}

impl Spent {
    /// Writes it into the event of the end.
    pub(super) fn fill(self, update: &mut NodeUpdate) {
        update.cost_usd = self.cost_usd;
        update.unpriced = self.unpriced;
        if !self.predictions.is_empty() {
            update.activity.get_or_insert_default().predictions = self.predictions;
        }
    }
}
