//! The ports of nodes as the file names them, collected in one pass for all nodes.

use fanlight_shared::expression::{Reference, Root};
use fanlight_shared::workflow::{Node, Workflow};
use indexmap::IndexSet;

/// Returns the ports of each node, in the order of the file, the most important first: declared outputs, outputs of the
/// workflow, ports that other nodes read, then those of a command.
#[must_use]
pub fn ports(workflow: &Workflow) -> Vec<Vec<String>> {
    let mut named: Vec<IndexSet<&str>> =
        workflow.nodes.values().map(|node| declared(node).collect()).collect();
    let put_out = workflow.outputs.values().flat_map(|output| output.value.expressions());
    for reference in put_out.flat_map(|it| it.references()) {
        name(reference, workflow, &mut named);
    }
    for (_, reference) in workflow.nodes.values().flat_map(|node| node.references()) {
        name(reference, workflow, &mut named);
    }
    for (named, node) in named.iter_mut().zip(workflow.nodes.values()) {
        if node.action.is_command() {
            named.insert("stdout");
        }
    }
    named.into_iter().map(|named| named.into_iter().map(str::to_owned).collect()).collect()
}

fn declared(node: &Node) -> impl Iterator<Item = &str> {
    node.outputs.keys().chain(node.native_outputs.keys()).map(String::as_str)
}

fn name<'a>(reference: &'a Reference, workflow: &Workflow, named: &mut [IndexSet<&'a str>]) {
    if let (Root::Node(node), Some(port)) = (&reference.root, &reference.port)
        && let Some(of_node) = workflow.nodes.get_index_of(node).and_then(|it| named.get_mut(it))
    {
        of_node.insert(port);
    }
}
