//! The native node types: a file each below `node_type/`, and the list in this file. Adding one touches nothing else.
//! What a daemon knows is its [registry](NodeTypes), to which types from elsewhere may be added.

mod build;
mod dilate;
pub mod docs;
#[cfg(test)]
pub(crate) mod fake;
mod file;
mod file_list;
mod file_read;
mod file_write;
mod human;
mod human_approve;
mod human_ask;
mod human_pick;
mod image_blend;
mod image_crop;
mod image_filter;
mod image_generate;
mod image_load;
mod image_resize;
mod image_text;
mod image_tile;
mod lettering;
mod list_best;
mod list_of;
mod list_range;
mod registry;
mod runner;
mod text_join;
mod text_template;
mod typed_inputs;
mod util_fail;
mod util_sleep;
mod workspace;

pub use registry::{NodeTypeSet, NodeTypes};
pub use runner::{Making, NodeCall, NodeType, Runner};
pub(crate) use workspace::NewFile;
pub use workspace::Workspace;

pub use crate::attempt::Made;

/// The types that are compiled in, in the order of the docs.
fn built_in() -> Vec<NodeType> {
    vec![
        text_template::node_type(),
        text_join::node_type(),
        file_list::node_type(),
        file_read::node_type(),
        file_write::node_type(),
        list_range::node_type(),
        list_of::node_type(),
        list_best::node_type(),
        image_generate::node_type(),
        image_load::node_type(),
        image_resize::node_type(),
        image_crop::node_type(),
        image_filter::node_type(),
        image_text::node_type(),
        image_blend::node_type(),
        image_tile::node_type(),
        human_approve::node_type(),
        human_ask::node_type(),
        human_pick::node_type(),
        util_sleep::node_type(),
        util_fail::node_type(),
    ]
}

#[cfg(test)]
mod tests;
