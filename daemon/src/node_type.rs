//! The native node types: a file each below `node_type/`, and the list in this file. Adding one touches nothing else.

mod build;
mod dilate;
pub mod docs;
#[cfg(test)]
mod fake;
mod file;
mod file_list;
mod file_read;
mod file_write;
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
mod text_join;
mod text_template;
mod typed_inputs;
mod util_fail;
mod util_sleep;

pub(crate) use image_resize::scaled;

use std::collections::HashMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::LazyLock;

use fanlight_shared::node_type::{Catalogue, NodeTypeSpec};
use fanlight_shared::value::{Value, Values};

use crate::attempt::Attempt;
use crate::content::{self, TextOutput};
use crate::services::NodeServices;
use crate::store::blob::{Blobs, Published};

/// A node type: what it is and what runs it.
#[derive(Clone, Debug)]
pub struct NodeType {
    /// As data.
    pub spec: NodeTypeSpec,
    /// What runs it.
    pub run: Runner,
}

impl NodeType {
    /// Runs a type that is computed at once; `None` where it must run beside the engine's loop, because values are large.
    pub(crate) fn run_at_once(&self, inputs: &Values, limit: usize) -> Option<Result<Values, String>> {
        let made = match self.run {
            Runner::Inline(run) if !content::needs_reading(inputs, &self.spec, false) => run(inputs.clone()),
            Runner::Handles(run) if !content::needs_reading(inputs, &self.spec, true) => run(inputs.clone()),
            Runner::Text(run) => {
                let mut output = TextOutput::short(self.spec.max_bytes, limit);
                match run(&mut output, inputs.clone()) {
                    Err(_) if output.was_too_long() => return None,
                    Err(error) => Err(error),
                    Ok(()) => output.finish().map(|(text, _)| self.only_output(text)),
                }
            }
            _ => return None,
        };
        let made = made.and_then(|values| content::check_bound(values, &self.spec));
        let long = made.as_ref().is_ok_and(|values| values.values().any(|it| content::is_long(it, limit)));
        if long { None } else { Some(made) }
    }

    /// Runs such a type beside the engine's loop. Blocks.
    pub(crate) fn run_aside(&self, inputs: Values, blobs: &Blobs) -> Made {
        let made = match self.run {
            Runner::Inline(run) => run(content::read_inputs(inputs, &self.spec, false, blobs)?)?,
            Runner::Handles(run) => run(content::read_inputs(inputs, &self.spec, true, blobs)?)?,
            Runner::Text(run) => {
                let mut output = TextOutput::stored(self.spec.max_bytes, blobs);
                run(&mut output, inputs)?;
                let (text, published) = output.finish()?;
                return Ok((self.only_output(text), published.into_iter().collect()));
            }
            Runner::Daemon(_) | Runner::Worker(_) => return Err("this type does not run here".into()),
        };
        Ok((content::check_bound(made, &self.spec)?, Vec::new()))
    }

    fn only_output(&self, value: Value) -> Values {
        self.spec.outputs.keys().take(1).map(|name| (name.clone(), value.clone())).collect()
    }
}

/// The values a node made and the blobs they refer to.
pub type Made = Result<(Values, Vec<Published>), String>;

/// What a node type that runs in the daemon gives back at once.
pub type Making = Pin<Box<dyn Future<Output = Made> + Send>>;

/// What runs a node type. Inputs are converted and checked against the spec, defaults filled in.
#[derive(Clone, Copy, Debug)]
pub enum Runner {
    /// At once, in the engine: pure and quick. Beside its loop where values are large.
    Inline(fn(Values) -> Result<Values, String>),
    /// As `Inline`, but it moves large values without looking into them.
    Handles(fn(Values) -> Result<Values, String>),
    /// As `Inline`, for a type that makes one text, which may be longer than memory.
    Text(fn(&mut TextOutput, Values) -> Result<(), String>),
    /// In the daemon, off its loop. Stops when the attempt's token is cancelled.
    Daemon(fn(NodeCall) -> Making),
    /// In a worker process: see [`crate::worker`].
    Worker(fn(&mut crate::worker::Workspace, Values) -> Result<Values, String>),
}

/// What a node that runs in the daemon is given.
pub struct NodeCall {
    /// The attempt.
    pub attempt: Attempt,
    /// What it may do while it runs.
    pub services: NodeServices,
    /// The inputs.
    pub inputs: Values,
    /// For reading and publishing bytes.
    pub blobs: Blobs,
    /// Folders that `file.write` may write below.
    pub writable: Vec<PathBuf>,
}

/// The list: the order of the docs.
static TYPES: LazyLock<Vec<NodeType>> = LazyLock::new(|| {
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
        util_sleep::node_type(),
        util_fail::node_type(),
    ]
});

static BY_NAME: LazyLock<HashMap<&'static str, &'static NodeType>> =
    LazyLock::new(|| TYPES.iter().map(|it| (it.spec.name.as_str(), it)).collect());

/// All node types, in the order of the docs.
#[must_use]
pub fn all() -> Vec<NodeType> {
    TYPES.clone()
}

/// The node type of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static NodeType> {
    let found = BY_NAME.get(name).copied();
    #[cfg(test)]
    let found = found.or_else(|| fake::TYPES.iter().find(|it| it.spec.name == name));
    found
}

/// All node types as data.
#[must_use]
pub fn catalogue() -> Catalogue {
    let types = TYPES.iter();
    #[cfg(test)]
    let types = types.chain(fake::TYPES.iter());
    types.map(|it| it.spec.clone()).collect()
}

#[cfg(test)]
mod tests;
