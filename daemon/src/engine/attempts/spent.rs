//! What an attempt has spent: what its outcome says, or what was stored of it while it ran.

use fanlight_shared::event::{NodeUpdate, Prediction};
use fanlight_shared::id::AttemptId;

use crate::attempt::Outcome;
use crate::engine::active::Live;
use crate::engine::context::Context;
use crate::store::{Op, Spending};

impl Context {
    /// Takes what an earlier daemon stored of an attempt that has ended: the event of its end has it.
    pub(in crate::engine) fn take_spending(&mut self, attempt: AttemptId) -> Option<Spending> {
        let spending = self.spending.remove(&attempt)?;
        self.op(Op::Spending { attempt, sums: None });
        Some(spending)
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
