//! Nodes that start item by item over the list of an earlier node with `each`.

use super::{Node, STATUS_PORT, Workflow};
use crate::expression::{Expression, Reference, Root};

impl Workflow {
    /// Returns the node and the port if this node starts item by item, while others of that node still run: its `each` is
    /// exactly that port of a node with `each`, nothing else of it waits for that node as a whole, and it does not read
    /// `index` of a list that may have gaps. With gaps, the position of an item is known only once all items before it
    /// have ended.
    #[must_use]
    pub fn item_by_item<'n>(&self, node: &'n Node) -> Option<(&'n str, &'n str)> {
        let (from, port) = self.straight(node)?;
        let counts = node.expressions().into_iter().any(|(_, expression)| reads(expression, &[Root::Index]));
        (!counts || !self.may_have_gaps(self.nodes.get(from)?)).then_some((from, port))
    }

    /// Returns the node and the port if its `each` is exactly that port of a node with `each`, and nothing else of it waits
    /// for that node as a whole.
    fn straight<'n>(&self, node: &'n Node) -> Option<(&'n str, &'n str)> {
        let (from, port) = node.each.as_ref()?.straight()?;
        self.nodes.get(from)?.each.as_ref()?;
        // The status of an item is not a value of the item.
        let elsewhere = port == STATUS_PORT
            || node.needs.iter().any(|need| need == from)
            || node
                .references()
                .any(|(input, reference)| input != "each" && reference.root == Root::Node(from.to_owned()));
        (!elsewhere).then_some((from, port))
    }

    /// Returns whether items may be missing from the lists of a node that completes: dropped or skipped ones, its own or
    /// those of the nodes whose items it reads.
    fn may_have_gaps(&self, node: &Node) -> bool {
        let mut node = node;
        // There is no cycle in a workflow that passed its checks.
        for _ in 0..=self.nodes.len() {
            if may_leave_out(node) {
                return true;
            }
            let above = self.straight(node).and_then(|(from, _)| self.nodes.get(from));
            match above {
                Some(above) => node = above,
                None => return false,
            }
        }
        true
    }
}

/// Returns whether a node itself may drop or skip some of its items, but not all of them alike.
fn may_leave_out(node: &Node) -> bool {
    let skips = |(part, expression): (&str, &Expression)| {
        reads(expression, &[Root::Item, Root::Index]) && (part == "if" || !is_always_present(expression))
    };
    node.drop_failed_items || node.expressions().into_iter().any(skips)
}

/// Returns whether an expression has a value for each item: it is `index` or `item`. A part of an item may be absent.
fn is_always_present(expression: &Expression) -> bool {
    let whole = |it: &Reference| matches!(it.root, Root::Index | Root::Item) && it.port.is_none();
    expression.reference().is_some_and(whole)
}

fn reads(expression: &Expression, roots: &[Root]) -> bool {
    expression.references().iter().any(|it| roots.contains(&it.root))
}

#[cfg(test)]
mod tests {
    use crate::document::read;
    use crate::node_type::Catalogue;

    /// Returns whether `b` starts item by item over the items of `a`, which are so.
    fn streams(a: &str, b: &str) -> bool {
        let text = format!(
            "params: {{ names: {{ type: list<text>, default: [] }}, rows: {{ type: json, default: [] }} }}\n\
             nodes:\n  a: {{ run: 'echo', {a} }}\n  b: {{ run: 'echo', each: a.stdout, {b} }}\n"
        );
        let workflow = read(&text, &Catalogue::default()).unwrap().workflow;
        workflow.item_by_item(&workflow.nodes["b"]).is_some()
    }

    #[test]
    fn a_node_that_counts_waits_for_a_list_that_may_have_gaps() {
        let (counts, plain) = ("with: { i: '${{ index }}' }", "with: { n: '${{ item }}' }");
        for gapless in [
            "each: range(4), with: { n: '${{ item }}', i: 'at-${{ index }}' }",
            "each: '${{ params.names }}', with: { n: '${{ item }}' }",
            "each: [1, null], with: { n: '${{ item }}' }",
        ] {
            assert!(streams(gapless, counts) && streams(gapless, plain), "{gapless}");
        }
        for gaps in [
            "each: range(4), on_item_error: drop",
            "each: range(4), if: index != 2",
            "each: range(4), with: { n: '${{ [10, 20][index] }}' }",
            "each: [{ n: 1 }, {}], with: { n: '${{ item.n }}' }",
            "each: '${{ params.rows }}', with: { n: '${{ item.n }}' }",
        ] {
            assert!(!streams(gaps, counts) && streams(gaps, plain), "{gaps}");
        }
    }

    #[test]
    fn gaps_further_above_count_too() {
        let text = "nodes:\n  a: { run: 'echo', each: range(4), on_item_error: drop }\n\
                    \x20 b: { run: 'echo', each: a.stdout, with: { n: '${{ item }}' } }\n\
                    \x20 c: { run: 'echo', each: b.stdout, with: { i: '${{ index }}' } }\n";
        let workflow = read(text, &Catalogue::default()).unwrap().workflow;
        let streams = |name: &str| workflow.item_by_item(&workflow.nodes[name]).is_some();
        assert!(streams("b") && !streams("c"));
    }
}
