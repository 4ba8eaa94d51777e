//! The best runs of searches, as text.

use fanlight_shared::rpc::sweeps::BestTrial;
use fanlight_shared::sanitise;
use fanlight_shared::search::Search;

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
