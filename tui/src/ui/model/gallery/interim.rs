//! Intermediate pictures of running runs.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::id::{AssetId, RunId};
use fanlight_shared::rpc::assets;
use fanlight_shared::time::Time;

use crate::ui::address::Address;
use crate::ui::effect::Effect;

/// How many pictures of a run are read, the newest first.
const PAGE: u32 = 100;
/// How long a run is in view before its pictures are read. Of many short runs that go by none is asked for.
const MIN_VIEW: Duration = Duration::from_millis(250);

/// The newest picture of each node of each running run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Interim {
    of: HashMap<RunId, HashMap<String, Picture>>,
    /// Since when each run has been in view.
    in_view: HashMap<RunId, Time>,
    asked: HashSet<RunId>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Picture {
    asset: AssetId,
    at: Time,
    ready: bool,
}

impl Interim {
    /// Requests the pictures that a run in view made before it was watched, once: if that fails, the model repeats it.
    pub fn want(&mut self, run: RunId, now: Time) -> Option<Effect> {
        let since = *self.in_view.entry(run).or_insert(now);
        (now.since(since) >= MIN_VIEW && self.asked.insert(run)).then(|| {
            let (run_id, kind, limit) = (Some(run), Some(AssetKind::Image), Some(PAGE));
            let list = assets::List { run_id, kind, limit, ..assets::List::default() };
            Effect::ListAssets { to: Address::LiveTile(run), list }
        })
    }

    /// Adds interim products of a run.
    pub fn response(&mut self, run: RunId, rows: &[Asset]) {
        if self.asked.contains(&run) {
            rows.iter().for_each(|asset| self.stored(asset));
        }
    }

    /// Handles a product that was stored or changed.
    pub fn stored(&mut self, asset: &Asset) {
        if asset.kind != AssetKind::Image || asset.preview == PreviewState::None {
            return;
        }
        let ready = asset.preview == PreviewState::Ready;
        let picture = Picture { asset: asset.id, at: asset.created_at, ready };
        let known = self.of.entry(asset.run_id).or_default().entry(asset.node.clone()).or_insert(picture);
        // The previous one stays until the new one can be fetched.
        if known.asset == asset.id || (known.at <= picture.at && (ready || !known.ready)) {
            *known = picture;
        }
    }

    /// Requests the pictures of the runs in view again, because changes were missed.
    pub fn missed(&mut self) {
        self.of.clear();
        self.asked.clear();
    }

    /// Handles the deletion of a product.
    pub fn deleted(&mut self, asset: AssetId) {
        for nodes in self.of.values_mut() {
            nodes.retain(|_, picture| picture.asset != asset);
        }
    }

    /// Returns the newest picture of a run that can be fetched, among those of the nodes that count.
    #[must_use]
    pub fn newest(&self, run: RunId, counts: impl Fn(&str) -> bool) -> Option<AssetId> {
        let pictures = self.of.get(&run)?.iter().filter(|(node, picture)| picture.ready && counts(node));
        pictures.max_by_key(|(_, picture)| (picture.at, picture.asset)).map(|(_, picture)| picture.asset)
    }

    /// Handles the end of a run.
    pub fn forget(&mut self, run: RunId) {
        self.of.remove(&run);
        self.in_view.remove(&run);
        self.asked.remove(&run);
    }
}
