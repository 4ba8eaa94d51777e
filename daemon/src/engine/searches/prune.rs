//! Ends runs of a search early, as its pruner decides. Each decision is stored before it takes effect, with the report that it is
//! about, so that it follows from the record again.

use std::sync::{Mutex, PoisonError};

use fanlight_shared::id::RunId;
use fanlight_shared::search::{Report, Search};
use tokio::sync::mpsc::UnboundedSender;

use crate::engine::Message;
use crate::engine::core::Core;
use crate::store::Op;

/// Watches the metric of one attempt for the steps at which is decided whether its run continues.
pub(in crate::engine) struct Watch {
    pub(super) search: std::sync::Arc<Search>,
    pub(super) run: RunId,
    pub(super) messages: UnboundedSender<Message>,
    /// The last decision, and the value that it was about.
    pub(super) last: Mutex<(Option<u64>, Option<f64>)>,
}

impl Watch {
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

impl Core {
    /// Decides whether a run continues that has reached a step.
    pub(in crate::engine) fn measured(&mut self, id: RunId, step: u64, value: f64) {
        let Some(run) = self.active.get(&id).filter(|run| !run.is_cancelling()) else { return };
        let Some(sweep) = run.run.sweep.clone() else { return };
        let trial = run.run.number;
        let Some(search) = self.searches.searches.get_mut(&sweep) else { return };
        // An attempt that was adopted or retried reports again what was decided.
        if search.reports.iter().any(|known| known.trial == trial && known.step >= step) {
            return;
        }
        let report = Report { trial, step, value };
        let pruned = search.search.prunes(&search.reports, &report);
        let others = search.reports.iter().filter(|known| known.step == step).count();
        let name = search.search.objectives.first().map(|it| it.name.clone()).unwrap_or_default();
        self.context.op(Op::Report { run: id, report: report.clone(), pruned });
        search.reports.push(report);
        if pruned {
            let why = format!(
                "pruned at step {step}: with `{name}` {value} it is behind other runs, of which {others} reached that step"
            );
            self.with(id, |run, context| run.cancel_because(context, Some(why)));
            self.start_waiting();
        }
    }
}
