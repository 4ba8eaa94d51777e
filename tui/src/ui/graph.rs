//! The graph of a workflow laid out in layers, in cells. Depends on topology and the width of labels only: computed once
//! per version, off the loop. PLACEHOLDER: `graph/layout.rs` is the only file that names the layout library.

/// Where every node and edge lies at one zoom.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Layout {}
