//! The best runs of searches, and what kept a search from its work, as text.

use fanlight_shared::rpc::sweeps::{BestTrial, Progress, SearchDetail};
use fanlight_shared::sanitise;
use fanlight_shared::search::{Pruner, Search};
use fanlight_shared::value::Value;
use fanlight_shared::value::float::Number;
use indexmap::IndexMap;

use crate::text;

/// Returns a run of a search with its values and its params: `train#31 accuracy 0.93 with lr=0.001 layers=5`.
pub(crate) fn line(search: &Search, best: &BestTrial) -> String {
    let (run, values) = (sanitise::line(&best.run), values(search, &best.values, |value| value.to_string()));
    format!("{run} {values} with {}", params(&best.params))
}

/// Returns the values of the objectives: `accuracy 0.93, time 4`.
pub(crate) fn values(search: &Search, values: &[Number], shown: impl Fn(f64) -> String) -> String {
    let values = search.objectives.iter().zip(values);
    let values = values.map(|(of, value)| format!("{} {}", sanitise::line(&of.name), shown(value.0)));
    values.collect::<Vec<_>>().join(", ")
}

/// Returns params: `lr=0.001 layers=5`.
pub(crate) fn params(params: &IndexMap<String, Value>) -> String {
    short_params(params, |number| text::element_line(&Value::Float(number)))
}

/// Returns params in little room: `lr=0.001 layers=5`, with numbers as `shown` writes them.
pub(crate) fn short_params(params: &IndexMap<String, Value>, shown: impl Fn(f64) -> String) -> String {
    let words = params.iter().map(|(name, value)| {
        let value = match value {
            Value::Float(number) => shown(*number),
            value => text::element_line(value),
        };
        format!("{}={value}", sanitise::line(name))
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns how many trials of a search ended in which way: `20 completed`, `8 pruned`.
pub(crate) fn counts(progress: &Progress) -> Vec<String> {
    let Progress { completed, pruned, failed, cancelled, unmeasured, .. } = progress;
    let counts = [
        (completed, "completed"),
        (pruned, "pruned"),
        (failed, "failed"),
        (cancelled, "cancelled"),
        (unmeasured, "without a value"),
    ];
    let counts = counts.iter().filter(|(count, _)| **count > 0);
    counts.map(|(count, word)| format!("{count} {word}")).collect()
}

/// Returns why the pruner of a search with completed runs has decided nothing, if that is so.
pub(crate) fn idle_pruner(detail: &SearchDetail, progress: Option<&Progress>) -> Option<String> {
    let pruner = detail.search.pruner.filter(|_| detail.decisions == 0)?;
    progress.filter(|progress| progress.completed > 0)?;
    let (Pruner::Median { first } | Pruner::Asha { first }) = pruner;
    let metric = sanitise::line(&detail.search.objectives.first()?.name);
    Some(format!(
        "no run reported the metric `{metric}` at step {first} or later, so the pruner decided nothing"
    ))
}

/// Returns why a search whose runs completed with values has no best one: an objective is NaN in each.
pub(crate) fn found_nothing(search: &Search) -> String {
    let names: Vec<String> =
        search.objectives.iter().map(|it| format!("`{}`", sanitise::line(&it.name))).collect();
    let which = if names.len() > 1 { "one of " } else { "" };
    format!("the search found nothing: in every run that completed, {which}{} is NaN", names.join(", "))
}
