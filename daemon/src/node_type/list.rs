//! `list.*`: lists made from lists.

mod best;
mod chunk;
mod cross;
mod filter;
mod flatten;
mod of;
mod range;
mod sample;
mod sort;
mod unique;
mod zip;

use super::NodeType;

/// The most items of a list that is made from several: as many as a run may have instances.
const MAX_ITEMS: usize = 100_000;

/// Returns the types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![
        range::node_type(),
        of::node_type(),
        best::node_type(),
        zip::node_type(),
        cross::node_type(),
        flatten::node_type(),
        filter::node_type(),
        sort::node_type(),
        unique::node_type(),
        chunk::node_type(),
        sample::node_type(),
    ]
}
