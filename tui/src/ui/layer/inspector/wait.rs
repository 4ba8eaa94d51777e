//! What a node that doesn't run yet waits for.

use fanlight_shared::expression::Root;
use fanlight_shared::run::RunStatus;
use fanlight_shared::run_state::InstanceState;
use fanlight_shared::time::human_duration;

use super::Inspector;
use crate::ui::model::Model;
use crate::ui::model::lens::Lens;

/// Returns a sentence: what the daemon says, its next attempt, the queue, or the nodes before it.
pub(super) fn sentence(inspector: &Inspector, instance: &InstanceState, model: &Model) -> String {
    let Some(lens) = model.lens() else { return "it has not started".to_owned() };
    let state = lens.state.nodes.get(&inspector.node);
    if let Some(waits) = state.and_then(|state| state.waits_for.as_deref()) {
        return format!("it {waits}");
    }
    if let Some(at) = instance.retry_at.filter(|at| *at > model.now) {
        return format!("it has failed, and is tried again in {}", human_duration(at.since(model.now)));
    }
    if lens.run.state == RunStatus::Queued {
        return "its run waits in the queue".to_owned();
    }
    match before(lens, &inspector.node).as_slice() {
        [] => "it has not started".to_owned(),
        [one] => format!("it waits for `{one}`"),
        [first, second] => format!("it waits for `{first}` and `{second}`"),
        [first, second, more @ ..] => format!("it waits for `{first}`, `{second}` and {} more", more.len()),
    }
}

/// Returns the nodes that it waits for and that have not ended, each once.
fn before<'a>(lens: Lens<'a>, node: &str) -> Vec<&'a str> {
    let Some(node) = lens.workflow.and_then(|workflow| workflow.nodes.get(node)) else { return Vec::new() };
    let read = node.references().filter_map(|(_, reference)| match &reference.root {
        Root::Node(name) => Some(name.as_str()),
        _ => None,
    });
    let mut names: Vec<&str> = Vec::new();
    for name in read.chain(node.needs.iter().map(String::as_str)) {
        let is_open = lens.state.nodes.get(name).is_some_and(|state| !state.whole.status.is_ended());
        if is_open && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
