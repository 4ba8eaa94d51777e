//! The ports of a node, the most important first.

use fanlight_shared::run_state::InstanceState;

use crate::ui::graph;
use crate::ui::model::Model;
use crate::ui::products::Products;

/// Returns the port of a node that its card shows: the first in the file, else one with a value in this run, else in
/// other runs. `named` are the ports in the file.
#[must_use]
pub fn port<'a>(
    named: &'a [String],
    node: &str,
    instance: Option<&'a InstanceState>,
    products: &'a Products,
) -> Option<&'a str> {
    all(named, node, instance, products).next()
}

/// Returns the ports of a node that are known, the most important first.
#[must_use]
pub fn ports(model: &Model, node: &str) -> Vec<String> {
    let Some((workflow, layout)) = model.drawn() else { return Vec::new() };
    let Some(place) = workflow.nodes.get_index_of(node) else { return Vec::new() };
    // Without a layout, the ports are computed just this once.
    let unlaid = if layout.is_none() { graph::ports(workflow) } else { Vec::new() };
    let named = layout.map_or(&unlaid, |layout| &layout.ports).get(place).map_or(&[][..], Vec::as_slice);
    let instance = model.lens().and_then(|lens| lens.state.nodes.get(node)).map(|node| &node.whole);
    let found: indexmap::IndexSet<&str> = all(named, node, instance, &model.grid.products).collect();
    found.into_iter().map(str::to_owned).collect()
}

/// Returns the ports lazily, most important first, possibly with duplicates: every card takes the first one in every
/// frame.
fn all<'a>(
    named: &'a [String],
    node: &str,
    instance: Option<&'a InstanceState>,
    products: &'a Products,
) -> impl Iterator<Item = &'a str> {
    let own = instance.into_iter().flat_map(|instance| {
        let mut own: Vec<&str> = instance.outputs.keys().map(String::as_str).collect();
        // Ports about how a command ended come last.
        own.sort_by_key(|port| matches!(*port, "exit_code" | "status"));
        own
    });
    let known = std::iter::once_with(move || {
        let mut known: Vec<&str> = products.ports(node).collect();
        known.sort_unstable();
        known
    });
    named.iter().map(String::as_str).chain(own).chain(known.flatten())
}
