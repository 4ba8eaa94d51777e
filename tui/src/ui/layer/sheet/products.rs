//! The products of the runs of a sheet, and which of them is shown.

use std::collections::{HashMap, HashSet};

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::watch::Notification;

use crate::ui::address::Address;
use crate::ui::assets::{self, AssetsOfRun};
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
    of: HashMap<RunId, AssetsOfRun>,
    asked: HashSet<RunId>,
    /// Runs whose products must be read again.
    stale: HashSet<RunId>,
    shown: Option<Place>,
}

fn place(asset: &Asset) -> Place {
    (asset.node.clone(), asset.item, asset.port.clone(), asset.ordinal)
}

impl Products {
    /// Requests the products of a run, unless they are known or on their way.
    pub(super) fn want(&mut self, run: RunId) -> Option<Effect> {
        let known = self.of.contains_key(&run) && !self.stale.contains(&run);
        if known || self.asked.len() >= MAX_CONCURRENT || !self.asked.insert(run) {
            return None;
        }
        if self.stale.remove(&run)
            && let Some(known) = self.of.get_mut(&run)
        {
            known.missed();
        }
        Some(assets::read(run, Address::Sheet(run)))
    }

    /// Adds the products of a run, the newest first. The first ones decide what is shown: the output of the workflow, else the
    /// last picture, else the last product.
    pub(super) fn take(&mut self, run: RunId, page: &Page<Asset>, model: &Model) {
        self.asked.remove(&run);
        let rows = &page.rows;
        if self.shown.is_none() {
            let output = thumbs::output(model);
            let is_output = |it: &&Asset| {
                output.as_ref().is_some_and(|(node, port)| *node == it.node && *port == it.port)
            };
            let is_picture = |it: &&Asset| matches!(it.kind, AssetKind::Image | AssetKind::Video);
            let best = rows.iter().find(is_output).or_else(|| rows.iter().find(is_picture));
            self.shown = best.or(rows.first()).map(place);
        }
        self.of.entry(run).or_default().take(page);
    }

    /// Handles a failed request: the run has no products until they are read again.
    pub(super) fn failed(&mut self, run: RunId) {
        self.asked.remove(&run);
        self.of.insert(run, AssetsOfRun::default());
    }

    /// Reads those in view again, because changes were missed.
    pub(super) fn missed(&mut self) {
        self.stale = self.of.keys().copied().collect();
        self.asked.clear();
    }

    /// Returns whether the products of a run are known.
    pub(super) fn are_known(&self, run: RunId) -> bool {
        self.of.contains_key(&run)
    }

    /// Returns the shown product of a run.
    pub(super) fn of(&self, run: RunId) -> Option<&Asset> {
        let shown = self.shown.as_ref()?;
        self.of.get(&run)?.all().iter().find(|asset| place(asset) == *shown)
    }

    /// Shows the next product. Returns `false` if there is no other.
    pub(super) fn turn(&mut self) -> bool {
        let mut runs: Vec<&RunId> = self.of.keys().collect();
        runs.sort_unstable();
        let mut places: Vec<Place> = Vec::new();
        for asset in runs.into_iter().filter_map(|run| self.of.get(run)).flat_map(AssetsOfRun::all) {
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

    /// Handles a notification.
    pub(super) fn notification(&mut self, notification: &Notification) {
        match notification {
            Notification::Daemon { event: DaemonEvent::AssetUpdate { asset }, .. } => {
                if let Some(of_run) = self.of.get_mut(&asset.run_id) {
                    of_run.notification(asset.run_id, notification);
                }
            }
            Notification::Daemon { event: DaemonEvent::RunDelete { run_id, .. }, .. } => {
                self.of.remove(run_id);
            }
            Notification::Daemon { event: DaemonEvent::AssetDelete { .. }, .. } => {
                self.of.iter_mut().for_each(|(run, of_run)| of_run.notification(*run, notification));
            }
            _ => {}
        }
    }
}
