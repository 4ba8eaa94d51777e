//! `table.*`: tables, which are lists of objects. A row is an object, a cell one of its fields, and the columns are the
//! fields of all rows in the order in which they first appear.

mod filter;
mod group;
mod join;
mod measure;
pub(super) mod rows;
mod select;
mod sort;

use super::NodeType;

/// Returns the types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![select::node_type(), filter::node_type(), sort::node_type(), join::node_type(), group::node_type()]
}
