//! The products of the runs of a sheet, and which of them is shown.

use std::collections::{HashMap, HashSet};

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::id::{AssetId, RunId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::assets;

use crate::ui::address::Address;
use crate::ui::effect::Effect;
use crate::ui::model::Model;
use crate::ui::model::queue::thumbs;

/// The maximum number of concurrent requests; the rest follows after the next frame.
const MAX_CONCURRENT: usize = 8;

/// Where a product is made: node, item, port, ordinal.
type Place = (String, ItemPath, String, u32);

/// The products of runs.
#[derive(Debug, Default)]
pub(super) struct Products {
    /// In the order in which they were made.
    of: HashMap<RunId, Vec<Asset>>,
    asked: HashSet<RunId>,
    shown: Option<Place>,
}

fn place(asset: &Asset) -> Place {
    (asset.node.clone(), asset.item, asset.port.clone(), asset.ordinal)
}

impl Products {
    /// Requests the products of a run, unless they are known or on their way.
    pub(super) fn want(&mut self, run: RunId) -> Option<Effect> {
        if self.of.contains_key(&run) || self.asked.len() >= MAX_CONCURRENT || !self.asked.insert(run) {
            return None;
        }
        let list = assets::List { run_id: Some(run), limit: Some(1_000), ..assets::List::default() };
        Some(Effect::ListAssets { to: Address::Sheet(run), list })
    }

    /// Adds the products of a run, the newest first. The first ones decide what is shown: the output of the workflow, else the
    /// last picture, else the last product.
    pub(super) fn take(&mut self, run: RunId, rows: &[Asset], model: &Model) {
        self.asked.remove(&run);
        if self.shown.is_none() {
            let output = thumbs::output(model);
            let is_output = |it: &&Asset| {
                output.as_ref().is_some_and(|(node, port)| *node == it.node && *port == it.port)
            };
            let is_picture = |it: &&Asset| matches!(it.kind, AssetKind::Image | AssetKind::Video);
            let best = rows.iter().find(is_output).or_else(|| rows.iter().find(is_picture));
            self.shown = best.or(rows.first()).map(place);
        }
        self.of.insert(run, rows.iter().rev().cloned().collect());
    }

    /// Returns whether the products of a run are known.
    pub(super) fn are_known(&self, run: RunId) -> bool {
        self.of.contains_key(&run)
    }

    /// Returns the shown product of a run.
    pub(super) fn of(&self, run: RunId) -> Option<&Asset> {
        let shown = self.shown.as_ref()?;
        self.of.get(&run)?.iter().find(|asset| place(asset) == *shown)
    }

    /// Shows the next product. Returns `false` if there is no other.
    pub(super) fn turn(&mut self) -> bool {
        let mut runs: Vec<&RunId> = self.of.keys().collect();
        runs.sort_unstable();
        let mut places: Vec<Place> = Vec::new();
        for asset in runs.into_iter().filter_map(|run| self.of.get(run)).flatten() {
            if !places.iter().any(|it| *it == place(asset)) {
                places.push(place(asset));
            }
        }
        let at = places.iter().position(|it| Some(it) == self.shown.as_ref()).unwrap_or(0);
        let next = places.get((at + 1) % places.len().max(1)).cloned();
        if next == self.shown {
            return false;
        }
        self.shown = next;
        true
    }

    /// Returns the name of what is shown.
    pub(super) fn title(&self) -> Option<String> {
        let (node, item, port, ordinal) = self.shown.as_ref()?;
        let ordinal = if *ordinal > 0 { format!("·{ordinal}") } else { String::new() };
        Some(if node.is_empty() { port.clone() } else { format!("{node}{item}.{port}{ordinal}") })
    }

    /// Handles a product that was stored or changed.
    pub(super) fn changed(&mut self, asset: &Asset) {
        let of_run = self.of.get_mut(&asset.run_id);
        if let Some(known) = of_run.and_then(|all| all.iter_mut().find(|it| it.id == asset.id)) {
            known.clone_from(asset);
        }
    }

    /// Handles the deletion of a product.
    pub(super) fn deleted(&mut self, asset: AssetId) {
        self.of.values_mut().for_each(|all| all.retain(|it| it.id != asset));
    }
}
