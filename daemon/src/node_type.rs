//! The native node types: a file each below `node_type/`, in a folder where a family has many, and the lists of them in
//! this file and in those of the families. Adding one touches nothing else.
//! What a daemon knows is its [registry](NodeTypes), to which types from elsewhere may be added.

mod agent_command;
#[cfg(feature = "archive")]
mod archive;
#[cfg(feature = "audio")]
mod audio;
mod bound;
mod build;
mod chart;
#[cfg(feature = "code")]
mod code;
mod compare;
mod contact_sheet;
mod control_switch;
mod csv;
mod decode;
mod dilate;
pub mod docs;
#[cfg(any(feature = "html", feature = "markdown", feature = "pdf"))]
mod document;
#[cfg(test)]
pub(crate) mod fake;
mod field;
mod file;
mod file_list;
mod file_read;
mod file_write;
#[cfg(test)]
mod fixture;
mod font;
#[cfg(feature = "http")]
mod http;
#[cfg(feature = "http")]
mod http_download;
#[cfg(feature = "http")]
mod http_request;
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
#[cfg(any(feature = "jq", feature = "json-schema"))]
mod json;
mod lettering;
mod list;
#[cfg(feature = "llm")]
mod llm;
mod off_loop;
mod registry;
#[cfg(feature = "http")]
mod retry;
mod runner;
mod table;
mod text;
mod typed_inputs;
mod util_fail;
mod util_sleep;
#[cfg(feature = "video")]
mod video;
mod workflow_run;
mod workspace;

pub use contact_sheet::ContactSheet;
pub use registry::{NodeTypeSet, NodeTypes};
pub use runner::{Making, NodeCall, NodeType, Runner, Safe};
pub(crate) use workflow_run::CHILDREN;
pub use workspace::Workspace;
pub(crate) use workspace::{MadeFiles, NewFile};

pub use crate::attempt::Made;

/// Returns the types that are compiled in, in the order of the docs.
fn built_in() -> Vec<NodeType> {
    let families = [
        text::node_types(),
        vec![file_list::node_type(), file_read::node_type(), file_write::node_type()],
        #[cfg(feature = "http")]
        vec![http_request::node_type(), http_download::node_type()],
        #[cfg(feature = "llm")]
        llm::node_types(),
        vec![agent_command::node_type()],
        list::node_types(),
        vec![control_switch::node_type(), workflow_run::node_type()],
        #[cfg(any(feature = "jq", feature = "json-schema"))]
        json::node_types(),
        #[cfg(feature = "code")]
        vec![code::node_type()],
        csv::node_types(),
        table::node_types(),
        chart::node_types(),
        #[cfg(any(feature = "html", feature = "markdown", feature = "pdf"))]
        document::node_types(),
        #[cfg(feature = "archive")]
        archive::node_types(),
        vec![
            image_generate::node_type(),
            image_load::node_type(),
            image_resize::node_type(),
            image_crop::node_type(),
            image_filter::node_type(),
            image_text::node_type(),
            image_blend::node_type(),
            image_tile::node_type(),
        ],
        #[cfg(feature = "audio")]
        audio::node_types(),
        #[cfg(feature = "video")]
        video::node_types(),
        vec![human_approve::node_type(), human_ask::node_type(), human_pick::node_type()],
        vec![util_sleep::node_type(), util_fail::node_type()],
    ];
    families.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests;
