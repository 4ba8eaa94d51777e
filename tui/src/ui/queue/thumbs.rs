//! Which picture stands for an ended run: what it put out, else the last thing that it made.

use std::collections::{HashMap, HashSet, VecDeque};

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::id::{AssetId, RunId, WorkflowId};
use fanlight_shared::rpc::assets;
use fanlight_shared::workflow::Template;

use crate::ui::address::Address;
use crate::ui::effect::Effect;
use crate::ui::model::Model;

/// Columns and rows of a picture beside its card.
pub(super) const CELLS: (u16, u16) = (8, 3);
/// Products of a run that are looked at; what it put out is among the newest.
const MAX_ASSETS: u32 = 24;
/// Runs whose picture is known.
const MAX_RUNS: usize = 4_000;
/// Requests that are under way at most; the rest is asked for after the next frame.
const MAX_CONCURRENT: usize = 8;
/// Runs of a workflow without a picture after which the others are not asked for.
const MAX_BLANK: usize = 4;

/// Which picture stands for which run.
#[derive(Debug, Default)]
pub(crate) struct Thumbs {
    of: HashMap<RunId, Option<Thumb>>,
    order: VecDeque<RunId>,
    asked: HashSet<RunId>,
    pictured: HashSet<WorkflowId>,
    blank: HashMap<WorkflowId, usize>,
    /// Whether a person folded them away.
    pub(super) hidden: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Thumb {
    asset: AssetId,
    ready: bool,
}

impl Thumbs {
    /// Whether runs of a workflow have pictures, so that their cards leave room for one.
    pub(super) fn are_of(&self, workflow: WorkflowId) -> bool {
        !self.hidden && self.pictured.contains(&workflow)
    }

    /// Whether any run has a picture.
    pub(super) fn any(&self) -> bool {
        !self.pictured.is_empty()
    }

    /// Whether any card has a picture.
    pub(super) fn are_shown(&self) -> bool {
        !self.hidden && self.any()
    }

    /// The picture of a run, once it can be fetched.
    pub(super) fn of(&self, run: RunId) -> Option<AssetId> {
        self.of.get(&run).copied().flatten().filter(|thumb| thumb.ready).map(|thumb| thumb.asset)
    }

    /// Asks which picture stands for a run, unless that is known or on its way.
    pub(super) fn want(&mut self, run: RunId, workflow: WorkflowId) -> Option<Effect> {
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

    /// The products of a run came; `output` is what its workflow puts out.
    pub(super) fn response(
        &mut self,
        run: RunId,
        rows: &[Asset],
        workflow: Option<WorkflowId>,
        output: Option<&(String, String)>,
    ) {
        if !self.asked.remove(&run) {
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

    /// Handles an empty response: it is asked for again when it is seen again.
    pub(super) fn failed(&mut self, run: RunId) {
        self.asked.remove(&run);
    }

    /// A product was stored or changed.
    pub(super) fn stored(&mut self, asset: &Asset) {
        if !has_picture(asset) {
            return;
        }
        self.pictured.insert(asset.workflow_id);
        match self.of.get_mut(&asset.run_id) {
            Some(Some(known)) if known.asset == asset.id => *known = thumb(asset),
            // Another one may stand for the run now.
            Some(_) => {
                self.of.remove(&asset.run_id);
            }
            None => {}
        }
    }

    /// A run was deleted, or a product of it.
    pub(super) fn forget(&mut self, run: RunId) {
        self.of.remove(&run);
    }

    /// A product was deleted.
    pub(super) fn deleted(&mut self, asset: AssetId) {
        self.of.retain(|_, thumb| thumb.is_none_or(|thumb| thumb.asset != asset));
    }

    fn put(&mut self, run: RunId, thumb: Option<Thumb>) {
        if self.of.insert(run, thumb).is_none() {
            self.order.push_back(run);
        }
        while self.order.len() > MAX_RUNS {
            if let Some(oldest) = self.order.pop_front() {
                self.of.remove(&oldest);
            }
        }
    }
}

/// The node and port that make the first output of the workflow on screen.
pub(super) fn output(model: &Model) -> Option<(String, String)> {
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
