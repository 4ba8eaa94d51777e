//! The cost and the tokens of a run, of its sweep and of its workflow.

use fanlight_shared::rpc::runs::{Total, TotalsResponse};
use fanlight_shared::run::Run;
use serde_json::{Value as Json, json};

use crate::output::json;
use crate::text;

/// Returns the facts about them, without those of which nothing is known, and without sums that repeat the one before.
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

/// Returns the stable JSON of the totals.
pub(super) fn object(totals: &TotalsResponse) -> Json {
    let total = |of: &Total| json!({ "runs": of.runs, "spent": json::spent(&of.spent) });
    json!({ "submission": total(&totals.submission), "workflow": total(&totals.workflow) })
}
