//! The models that the nodes of a run asked.

use fanlight_shared::event::Activity;
use fanlight_shared::run_state::RunState;
use fanlight_shared::sanitise;
use indexmap::IndexSet;

/// Returns them by name, such as `openai gpt-6-luna`, each once.
pub(super) fn names(state: &RunState) -> IndexSet<String> {
    let instances =
        state.nodes.values().flat_map(|node| std::iter::once(&node.whole).chain(node.items.values()));
    let activities = instances.filter_map(|instance| instance.activity.as_deref());
    let predictions = activities.flat_map(|activity: &Activity| &activity.predictions);
    predictions.map(|it| sanitise::line(&format!("{} {}", it.provider, it.model))).collect()
}
