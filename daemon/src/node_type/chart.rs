//! `chart.*`: tables as pictures. A chart is laid out once as a [`scene`], which is then written as SVG and painted.

mod axis;
mod bar;
mod color;
mod data;
mod frame;
mod heatmap;
mod histogram;
mod line;
mod look;
mod paint;
mod scatter;
mod scene;
mod svg;
mod ticks;
mod time;
mod typeset;

use super::NodeType;

/// Returns the types, in the order of the docs.
pub(super) fn node_types() -> Vec<NodeType> {
    vec![
        line::node_type(),
        bar::node_type(),
        scatter::node_type(),
        histogram::node_type(),
        heatmap::node_type(),
    ]
}

#[cfg(test)]
mod tests;
