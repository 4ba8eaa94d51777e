//! The products of the run in focus, for the pictures among inputs and outputs.

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::id::{AssetId, RunId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::watch::Notification;

use crate::ui::address::Address;
use crate::ui::assets::{self, AssetsOfRun};
use crate::ui::effect::Effect;

/// The products of the run in focus.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Products {
    of: Option<RunId>,
    assets: AssetsOfRun,
}

impl Products {
    /// Requests the products of a run, once.
    pub(super) fn follow(&mut self, run: RunId) -> Option<Effect> {
        if self.of == Some(run) {
            return None;
        }
        *self = Self { of: Some(run), assets: AssetsOfRun::default() };
        Some(assets::read(run, Address::Inspector(run)))
    }

    /// Requests them again, because changes were missed.
    pub(super) fn missed(&mut self) -> Option<Effect> {
        self.assets.missed();
        self.of.map(|run| assets::read(run, Address::Inspector(run)))
    }

    /// Handles the response.
    pub(super) fn response(&mut self, run: RunId, page: &Page<Asset>) {
        if self.of == Some(run) {
            self.assets.take(page);
        }
    }

    /// Handles a notification.
    pub(super) fn notification(&mut self, notification: &Notification) {
        if let Some(run) = self.of {
            self.assets.notification(run, notification);
        }
    }

    /// Returns the pictures of a port, in order, that can be fetched.
    pub(super) fn pictures(&self, node: &str, item: ItemPath, port: &str) -> Vec<AssetId> {
        let mut pictures: Vec<(ItemPath, u32, AssetId)> = self
            .assets
            .all()
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
