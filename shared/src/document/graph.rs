//! Cycles.

use super::reading::Reading;
use super::workflow::Draft;
use crate::expression::Root;
use crate::problem::Span;
use crate::value::cut;

/// The source of an edge: the node it comes from, and the position where it is written.
type Source = (usize, Span);

/// Reports each cycle with its nodes in the order in which values would flow.
pub(super) fn check(reading: &mut Reading<'_>, draft: &Draft) {
    let nodes = &draft.workflow.nodes;
    let sources: Vec<Vec<Source>> = nodes
        .iter()
        .zip(&draft.places)
        .enumerate()
        .map(|(number, ((_, node), places))| {
            let read = node.references().filter_map(|(_, reference)| match &reference.root {
                Root::Node(name) => Some((nodes.get_index_of(name)?, reference.span)),
                _ => None,
            });
            let needed = node.needs.iter().zip(&places.needs);
            let needed = needed.filter_map(|(name, span)| Some((nodes.get_index_of(name)?, *span)));
            // A node that reads itself is reported by another check.
            read.chain(needed).filter(|(from, _)| *from != number).collect()
        })
        .collect();
    let left = in_cycles(&sources);
    let mut seen = vec![0usize; sources.len()];
    for start in 0..sources.len() {
        if !left[start] || seen[start] != 0 {
            continue;
        }
        // Walking backwards along the edges of the remaining nodes either returns to a node of this walk, or meets an
        // earlier walk, whose cycle is already reported.
        let mut path: Vec<Source> = Vec::new();
        let mut at = start;
        let mut written = Span::default();
        while left[at] && seen[at] == 0 {
            seen[at] = start + 1;
            path.push((at, written));
            let Some((from, span)) = sources[at].iter().find(|(from, _)| left[*from]) else { break };
            (at, written) = (*from, *span);
        }
        let Some(begin) = path.iter().position(|(node, _)| *node == at) else { continue };
        if seen[at] != start + 1 {
            continue;
        }
        report(reading, draft, &path[begin..], written);
    }
}

/// Returns the nodes that remain after repeatedly removing those without open sources.
fn in_cycles(sources: &[Vec<Source>]) -> Vec<bool> {
    let mut open: Vec<usize> = sources.iter().map(Vec::len).collect();
    let mut readers: Vec<Vec<usize>> = vec![Vec::new(); sources.len()];
    for (node, from) in sources.iter().enumerate() {
        for (source, _) in from {
            readers[*source].push(node);
        }
    }
    let mut free: Vec<usize> = (0..sources.len()).filter(|node| open[*node] == 0).collect();
    let mut left = vec![true; sources.len()];
    while let Some(node) = free.pop() {
        left[node] = false;
        for reader in &readers[node] {
            open[*reader] -= 1;
            if open[*reader] == 0 {
                free.push(*reader);
            }
        }
    }
    left
}

/// Reports one cycle. `walk` follows the edges backwards; `closing` is the position where its last node names its
/// first.
fn report(reading: &mut Reading<'_>, draft: &Draft, walk: &[Source], closing: Span) {
    const MAX_SHOWN: usize = 12;
    let name = |number: usize| draft.workflow.nodes.get_index(number).map_or("", |(name, _)| name.as_str());
    let mut names: Vec<&str> = walk.iter().rev().map(|(node, _)| name(*node)).collect();
    // Start with the node that comes first in the file.
    if let Some(first) = walk.iter().rev().enumerate().min_by_key(|(_, (node, _))| *node) {
        names.rotate_left(first.0);
    }
    let first = names.first().copied().unwrap_or_default();
    let count = names.len();
    let mut shown: Vec<String> = names.iter().take(MAX_SHOWN).map(|name| cut(name, 60)).collect();
    if count > MAX_SHOWN {
        shown.push(format!("… ({} more)", count - MAX_SHOWN));
    }
    shown.push(cut(first, 60));
    // A person who reads the file first meets the cycle at the edge into its first node.
    let into_first = walk
        .iter()
        .enumerate()
        .find(|(_, (node, _))| name(*node) == first)
        .map(|(at, _)| walk.get(at + 1).map_or(closing, |(_, span)| *span))
        .unwrap_or(closing);
    reading.node = Some(first.to_owned());
    reading.error_hint(
        "cycle",
        into_first,
        format!("these nodes wait for one another: {}", shown.join(" → ")),
        "remove one of these edges; a value can only flow forward",
    );
    reading.node = None;
}
