//! The metric of a run that may be ended early for it.

use std::sync::{Arc, Mutex, PoisonError};

use fanlight_shared::id::RunId;
use fanlight_shared::search::Search;
use tokio::sync::mpsc::UnboundedSender;

use crate::engine::message::Message;

/// Watches the metric of one attempt for the steps at which is decided whether its run continues.
pub(in crate::engine) struct Watch {
    search: Arc<Search>,
    run: RunId,
    messages: UnboundedSender<Message>,
    /// The last decision, and the value that it was about.
    last: Mutex<(Option<u64>, Option<f64>)>,
}

impl Watch {
    pub(in crate::engine) fn new(
        search: Arc<Search>,
        run: RunId,
        messages: UnboundedSender<Message>,
    ) -> Self {
        Self { search, run, messages, last: Mutex::default() }
    }

    /// Takes a report of a metric.
    pub(in crate::engine) fn take(&self, node: &str, metric: &str, step: u64, value: f64) {
        let (Some(pruner), Some(objective)) = (self.search.pruner, self.search.objectives.first()) else {
            return;
        };
        if !objective.is_metric(node, metric) {
            return;
        }
        let value = if value.is_nan() { objective.worst() } else { value };
        // Every change leaves it whole, so a poisoned lock is harmless.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let value = pruner.value(last.1, value, |one, other| objective.is_better(one, other));
        last.1 = Some(value);
        let Some(step) = pruner.decision(step).filter(|step| last.0.is_none_or(|known| *step > known)) else {
            return;
        };
        last.0 = Some(step);
        let _ = self.messages.send(Message::Measured { run: self.run, step, value });
    }
}
