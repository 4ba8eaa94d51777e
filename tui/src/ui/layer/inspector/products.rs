//! The products of the run in focus, for the pictures among inputs and outputs.

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::id::{AssetId, RunId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::assets;

use crate::ui::address::Address;
use crate::ui::effect::Effect;

/// The maximum number of products that are read.
const MAX_PRODUCTS: u32 = 1_000;

/// The products of the run in focus.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Products {
    of: Option<RunId>,
    assets: Vec<Asset>,
}

impl Products {
    /// Requests the products of a run, once.
    pub(super) fn follow(&mut self, run: RunId) -> Option<Effect> {
        if self.of == Some(run) {
            return None;
        }
        *self = Self { of: Some(run), assets: Vec::new() };
        let list = assets::List { run_id: Some(run), limit: Some(MAX_PRODUCTS), ..assets::List::default() };
        Some(Effect::ListAssets { to: Address::Inspector(run), list })
    }

    /// Handles the response.
    pub(super) fn response(&mut self, run: RunId, rows: &[Asset]) {
        if self.of == Some(run) {
            rows.iter().for_each(|asset| self.stored(asset));
        }
    }

    /// Handles a product that was stored or changed.
    pub(super) fn stored(&mut self, asset: &Asset) {
        if self.of != Some(asset.run_id) {
            return;
        }
        match self.assets.iter_mut().find(|it| it.id == asset.id) {
            Some(known) => *known = asset.clone(),
            None => self.assets.push(asset.clone()),
        }
    }

    /// Returns the pictures of a port, in order, that can be fetched.
    pub(super) fn pictures(&self, node: &str, item: ItemPath, port: &str) -> Vec<AssetId> {
        let mut pictures: Vec<(ItemPath, u32, AssetId)> = self
            .assets
            .iter()
            .filter(|asset| {
                asset.node == node && asset.port == port && (item.is_whole() || asset.item == item)
            })
            .filter(|asset| matches!(asset.kind, AssetKind::Image | AssetKind::Video))
            .filter(|asset| asset.preview == PreviewState::Ready)
            .map(|asset| (asset.item, asset.ordinal, asset.id))
            .collect();
        pictures.sort_by_key(|(item, ordinal, _)| (item.0, *ordinal));
        pictures.into_iter().map(|(_, _, asset)| asset).collect()
    }
}
