//! What a run spent, and the runs beside it.

use fanlight_shared::rpc::runs::{Total, TotalsResponse};
use fanlight_shared::run::Run;
use serde_json::{Value as Json, json};

use crate::output::{json, text};

/// The facts about it: none where nothing was spent, and none about others that only repeat what was said.
pub(super) fn lines(run: &Run, totals: &TotalsResponse) -> Vec<(&'static str, String)> {
    let (sweep, all) = (&totals.submission, &totals.workflow);
    let mut lines = Vec::new();
    if !run.spent.is_nothing() {
        lines.push(run.spent.to_string());
    }
    if sweep.runs > 1 && !sweep.spent.is_nothing() {
        lines.push(format!("{} of its sweep: {}", runs(sweep), sweep.spent));
    }
    if all.runs > sweep.runs && !all.spent.is_nothing() {
        lines.push(format!("{} of {}: {}", runs(all), run.workflow, all.spent));
    }
    let names = std::iter::once("spent").chain(std::iter::repeat(""));
    names.zip(lines).collect()
}

fn runs(total: &Total) -> String {
    text::count(total.runs as usize, "run")
}

/// The stable shape of the totals.
pub(super) fn object(totals: &TotalsResponse) -> Json {
    let total = |of: &Total| json!({ "runs": of.runs, "spent": json::spent(&of.spent) });
    json!({ "submission": total(&totals.submission), "workflow": total(&totals.workflow) })
}
