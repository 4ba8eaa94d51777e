//! The state of the gallery pane: the list of products, its filter, the cursor, the marks.

pub mod interim;
pub mod list;
pub mod preview;

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::id::{AssetId, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::value::Value;

use interim::Interim;
use list::Paging;
use preview::Previews;

/// Whose products are shown.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Scope {
    /// One node of the workflow on screen.
    #[default]
    Node,
    /// The workflow on screen.
    Workflow,
    /// Everything there is.
    Everything,
}

/// Which products are shown.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Filter {
    /// Whose.
    pub scope: Scope,
    /// Of this node; `None` is the one that makes the workflow's first output.
    pub node: Option<String>,
    /// Of this kind only.
    pub kind: Option<AssetKind>,
    /// Starred ones only.
    pub starred: bool,
    /// Whose name or text has this.
    pub text: String,
}

/// A tile.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Tile {
    /// A run whose product doesn't exist yet.
    Live(RunId),
    /// A product.
    Asset(AssetId),
}

/// An intermediate value of a running run.
#[derive(Clone, PartialEq, Debug)]
pub struct InterimValue {
    /// The run.
    pub run: RunId,
    /// The node.
    pub node: String,
    /// The item.
    pub item: ItemPath,
    /// Its value so far.
    pub value: Value,
}

/// The state of the gallery pane.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Gallery {
    /// Which products are shown.
    pub filter: Filter,
    /// The scope of the list that was read last.
    pub of: Option<(Option<WorkflowId>, Option<String>, Filter)>,
    /// The products read so far, the newest first.
    pub assets: Vec<Asset>,
    /// How far the list has been read.
    pub paging: Paging,
    /// Counts lists; responses to older ones are dropped.
    pub generation: u64,
    /// Products that were stored while the first page was being read.
    pub arrived: Vec<AssetId>,
    /// Runs that have a product in the list.
    pub landed: std::collections::HashSet<RunId>,
    /// The intermediate values of running runs.
    pub interim_values: Vec<InterimValue>,
    /// The pictures that running runs have made so far.
    pub interim: Interim,
    /// The tile under the cursor; `None` is the first.
    pub at: Option<Tile>,
    /// The first row in view.
    pub top: usize,
    /// The marked products, in the order of marking.
    pub marked: Vec<AssetId>,
    /// Previews that are text: beginnings of texts, peaks of sounds.
    pub previews: Previews,
}

impl Gallery {
    /// Returns a product that was read.
    #[must_use]
    pub fn asset(&self, id: AssetId) -> Option<&Asset> {
        self.assets.iter().find(|asset| asset.id == id)
    }
}
