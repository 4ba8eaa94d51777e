//! Ends runs of a search early, as its pruner decides. Each decision is stored before it takes effect, with the report that it is
//! about, so that it follows from the record again.

use fanlight_shared::id::RunId;
use fanlight_shared::search::Report;

use crate::engine::core::Core;
use crate::store::Op;

impl Core {
    /// Decides whether a run continues that has reached a step.
    pub(in crate::engine) fn measured(&mut self, id: RunId, step: u64, value: f64) {
        let Some(run) = self.active.get(&id).filter(|run| !run.is_cancelling()) else { return };
        let Some(sweep) = run.run.sweep.clone() else { return };
        let trial = run.run.number;
        let Some(search) = self.searches.searches.get_mut(&sweep) else { return };
        // An attempt that was adopted or retried reports again what was decided.
        if search.reports.is_decided(trial, step) {
            return;
        }
        let report = Report { trial, step, value };
        let others = search.reports.at(step);
        let (pruned, others) = (search.search.prunes(others, &report), others.len());
        let name = search.search.objectives.first().map(|it| it.name.clone()).unwrap_or_default();
        self.context.op(Op::Report { run: id, report: report.clone(), pruned });
        search.reports.add(report);
        if pruned {
            let why = format!(
                "pruned at step {step}: with `{name}` {value} it is behind other runs, of which {others} reached that step"
            );
            self.with(id, |run, context| run.cancel_because(context, Some(why)));
            self.start_waiting();
        }
    }
}
