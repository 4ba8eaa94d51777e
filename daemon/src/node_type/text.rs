//! `text.*`: texts made from texts, and what is known of them.

mod count;
mod diff;
mod hash;
mod join;
mod pieces;
mod regex;
mod replace;
mod split;
mod template;

use super::NodeType;

/// Returns the types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![
        template::node_type(),
        join::node_type(),
        split::node_type(),
        replace::node_type(),
        regex::node_type(),
        diff::node_type(),
        hash::node_type(),
        count::node_type(),
    ]
}
