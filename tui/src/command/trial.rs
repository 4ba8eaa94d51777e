//! The best runs of searches, and what kept a search from its work, as text.

use fanlight_shared::rpc::sweeps::{BestTrial, Progress, SearchDetail};
use fanlight_shared::sanitise;
use fanlight_shared::search::{Pruner, Search};

use crate::text;

/// Returns a run of a search with its values and its params: `train#31 accuracy 0.93 with lr=0.001 layers=5`.
pub(super) fn line(search: &Search, best: &BestTrial) -> String {
    let values = search.objectives.iter().zip(&best.values);
    let values: Vec<String> =
        values.map(|(objective, value)| format!("{} {}", sanitise::line(&objective.name), value.0)).collect();
    let params: Vec<String> = best
        .params
        .iter()
        .map(|(name, value)| format!("{}={}", sanitise::line(name), text::element_line(value)))
        .collect();
    format!("{} {} with {}", sanitise::line(&best.run), values.join(", "), params.join(" "))
}

/// Returns why the pruner of a search with completed runs has decided nothing, if that is so.
pub(super) fn idle_pruner(detail: &SearchDetail, progress: Option<&Progress>) -> Option<String> {
    let pruner = detail.search.pruner.filter(|_| detail.decisions == 0)?;
    progress.filter(|progress| progress.completed > 0)?;
    let (Pruner::Median { first } | Pruner::Asha { first }) = pruner;
    let metric = sanitise::line(&detail.search.objectives.first()?.name);
    Some(format!(
        "no run reported the metric `{metric}` at step {first} or later, so the pruner decided nothing"
    ))
}

/// Returns why a search whose runs completed with values has no best one: an objective is NaN in each.
pub(super) fn found_nothing(search: &Search) -> String {
    let names: Vec<String> =
        search.objectives.iter().map(|it| format!("`{}`", sanitise::line(&it.name))).collect();
    let which = if names.len() > 1 { "one of " } else { "" };
    format!("the search found nothing: in every run that completed, {which}{} is NaN", names.join(", "))
}
