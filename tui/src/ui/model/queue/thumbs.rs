//! The picture of an ended run: its output, else its last product.

use std::collections::{HashMap, HashSet};

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::id::{AssetId, RunId, WorkflowId};
use fanlight_shared::rpc::assets;
use fanlight_shared::workflow::Template;
use indexmap::IndexMap;

use crate::ui::address::Address;
use crate::ui::effect::Effect;
use crate::ui::model::Model;

/// Columns and rows of a picture beside its card.
pub(in crate::ui) const CELLS: (u16, u16) = (8, 3);
/// How many products of a run are searched; its outputs are among the newest.
const MAX_ASSETS: u32 = 24;
/// The maximum number of runs whose picture is kept.
const MAX_RUNS: usize = 4_000;
/// The maximum number of concurrent requests; the rest follows after the next frame.
const MAX_CONCURRENT: usize = 8;
/// The number of runs without a picture after which the other runs of a workflow are skipped.
const MAX_BLANK: usize = 4;

/// The pictures of runs.
#[derive(Debug, Default)]
pub(in crate::ui) struct Thumbs {
    /// Those that were read last are at the end.
    of: IndexMap<RunId, Option<Thumb>>,
    asked: HashSet<RunId>,
    pictured: HashSet<WorkflowId>,
    blank: HashMap<WorkflowId, usize>,
    /// Whether the user hides them.
    pub(in crate::ui) hidden: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Thumb {
    asset: AssetId,
    ready: bool,
}

impl Thumbs {
    /// Returns whether runs of a workflow have pictures, so that their cards leave room for one.
    pub(in crate::ui) fn are_of(&self, workflow: WorkflowId) -> bool {
        !self.hidden && self.pictured.contains(&workflow)
    }

    /// Returns whether any run has a picture.
    pub(in crate::ui) fn any(&self) -> bool {
        !self.pictured.is_empty()
    }

    /// Returns whether any card has a picture.
    pub(in crate::ui) fn are_shown(&self) -> bool {
        !self.hidden && self.any()
    }

    /// Returns the picture of a run, once it can be fetched.
    pub(in crate::ui) fn of(&self, run: RunId) -> Option<AssetId> {
        self.of.get(&run).copied().flatten().filter(|thumb| thumb.ready).map(|thumb| thumb.asset)
    }

    /// Asks the picture of a run, unless that is known or on its way.
    pub(in crate::ui) fn want(&mut self, run: RunId, workflow: WorkflowId) -> Option<Effect> {
        let known = self.of.contains_key(&run) || self.asked.contains(&run);
        let blank = !self.pictured.contains(&workflow)
            && self.blank.get(&workflow).is_some_and(|count| *count >= MAX_BLANK);
        if known || blank || self.hidden || self.asked.len() >= MAX_CONCURRENT {
            return None;
        }
        self.asked.insert(run);
        let list = assets::List { run_id: Some(run), limit: Some(MAX_ASSETS), ..assets::List::default() };
        Some(Effect::ListAssets { to: Address::QueueThumbnail(run), list })
    }

    /// Adds the products of a run; `output` is the output of its workflow.
    pub(in crate::ui) fn response(
        &mut self,
        run: RunId,
        rows: &[Asset],
        workflow: Option<WorkflowId>,
        output: Option<&(String, String)>,
    ) {
        // A request that failed may have been repeated.
        if !self.asked.remove(&run) && self.of.get(&run) != Some(&None) {
            return;
        }
        let is_output =
            |asset: &&&Asset| output.is_some_and(|(node, port)| *node == asset.node && *port == asset.port);
        let pictures: Vec<&Asset> = rows.iter().filter(|asset| has_picture(asset)).collect();
        let best = pictures.iter().find(is_output).or_else(|| pictures.first());
        match (best, workflow) {
            (Some(best), _) => {
                self.pictured.insert(best.workflow_id);
            }
            (None, Some(workflow)) => *self.blank.entry(workflow).or_default() += 1,
            (None, None) => {}
        }
        self.put(run, best.map(|asset| thumb(asset)));
    }

    /// Handles a failed request: the run has no picture until the model repeats the request, or a product comes.
    pub(in crate::ui) fn failed(&mut self, run: RunId) {
        if self.asked.remove(&run) {
            self.put(run, None);
        }
    }

    /// Handles a product that was stored or changed.
    pub(in crate::ui) fn stored(&mut self, asset: &Asset) {
        if !has_picture(asset) {
            return;
        }
        self.pictured.insert(asset.workflow_id);
        match self.of.get_mut(&asset.run_id) {
            Some(Some(known)) if known.asset == asset.id => *known = thumb(asset),
            // The picture of the run may be another one now.
            Some(_) => {
                self.of.shift_remove(&asset.run_id);
            }
            None => {}
        }
    }

    /// Handles the deletion of a run, or of a product of it.
    pub(in crate::ui) fn forget(&mut self, run: RunId) {
        self.of.shift_remove(&run);
    }

    /// Forgets all pictures, because changes were missed; those in view are read again.
    pub(in crate::ui) fn missed(&mut self) {
        self.of.clear();
    }

    /// Handles the deletion of a product.
    pub(in crate::ui) fn deleted(&mut self, asset: AssetId) {
        self.of.retain(|_, thumb| thumb.is_none_or(|thumb| thumb.asset != asset));
    }

    fn put(&mut self, run: RunId, thumb: Option<Thumb>) {
        self.of.insert(run, thumb);
        while self.of.len() > MAX_RUNS {
            self.of.shift_remove_index(0);
        }
    }
}

/// Returns the node and port that make the first output of the workflow on screen.
pub(in crate::ui) fn output(model: &Model) -> Option<(String, String)> {
    let (workflow, _) = model.drawn()?;
    workflow.outputs.values().find_map(|output| match &output.value {
        Template::Expression(expression) => {
            expression.straight().map(|(node, port)| (node.to_owned(), port.to_owned()))
        }
        _ => None,
    })
}

fn has_picture(asset: &Asset) -> bool {
    matches!(asset.kind, AssetKind::Image | AssetKind::Video) && asset.preview != PreviewState::None
}

fn thumb(asset: &Asset) -> Thumb {
    Thumb { asset: asset.id, ready: asset.preview == PreviewState::Ready }
}
