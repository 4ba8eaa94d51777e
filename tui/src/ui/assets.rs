//! The assets of a run, for screens that show them: read once, then kept up to date.

use std::collections::HashSet;

use fanlight_shared::asset::Asset;
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::{AssetId, RunId};
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::rpc::{Page, assets};
use fanlight_shared::time::Time;

use super::address::Address;
use super::effect::Effect;

/// The most assets of a run that are read, the newest ones.
const MAX_ASSETS: u32 = 1_000;

/// Requests the assets of a run.
pub(in crate::ui) fn read(run: RunId, to: Address) -> Effect {
    let list = assets::List { run_id: Some(run), limit: Some(MAX_ASSETS), ..assets::List::default() };
    Effect::ListAssets { to, list }
}

/// Returns whether an asset that was made at a time is gone from a list, by its first page, which has the newest first.
pub(in crate::ui) fn gone(page: &Page<Asset>) -> impl Fn(AssetId, Time) -> bool + use<> {
    let there: HashSet<AssetId> = page.rows.iter().map(|asset| asset.id).collect();
    let last = page.rows.last().filter(|_| page.cursor.is_some()).map(|asset| asset.created_at);
    move |asset, made_at| !there.contains(&asset) && last.is_none_or(|last| made_at > last)
}

/// The assets of a run, in the order in which they were made.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::ui) struct AssetsOfRun {
    all: Vec<Asset>,
    /// Whether the others of the run are left out.
    only: bool,
    /// Those that may have been deleted unnoticed.
    doubtful: HashSet<AssetId>,
}

impl AssetsOfRun {
    /// Returns one asset of a run; the others are left out.
    pub(in crate::ui) fn only(asset: Asset) -> Self {
        Self { all: vec![asset], only: true, ..Self::default() }
    }

    /// Returns those that are known.
    pub(in crate::ui) fn all(&self) -> &[Asset] {
        &self.all
    }

    /// Returns the asset with this id.
    pub(in crate::ui) fn get(&self, id: AssetId) -> Option<&Asset> {
        self.all.iter().find(|asset| asset.id == id)
    }

    /// Takes them as they were read. What was stored since the request stays.
    pub(in crate::ui) fn take(&mut self, page: &Page<Asset>) {
        let (doubtful, gone) = (std::mem::take(&mut self.doubtful), gone(page));
        self.all.retain(|asset| !(doubtful.contains(&asset.id) && gone(asset.id, asset.created_at)));
        page.rows.iter().rev().for_each(|asset| self.put(asset));
        self.all.sort_by_key(|asset| asset.created_at);
    }

    /// Handles missed changes. The caller reads the assets again.
    pub(in crate::ui) fn missed(&mut self) {
        self.doubtful = self.all.iter().map(|asset| asset.id).collect();
    }

    /// Takes a notification; `run` is the run.
    pub(in crate::ui) fn notification(&mut self, run: RunId, notification: &Notification) {
        let Notification::Daemon { event, .. } = notification else { return };
        match event {
            DaemonEvent::AssetUpdate { asset } if asset.run_id == run => self.put(asset),
            DaemonEvent::AssetDelete { asset_id, .. } => self.all.retain(|asset| asset.id != *asset_id),
            DaemonEvent::RunDelete { run_id, .. } if *run_id == run => self.all.clear(),
            _ => {}
        }
    }

    fn put(&mut self, asset: &Asset) {
        self.doubtful.remove(&asset.id);
        match self.all.iter_mut().find(|it| it.id == asset.id) {
            Some(known) => known.clone_from(asset),
            None if self.only => {}
            None => self.all.push(asset.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::asset::AssetKind;
    use fanlight_shared::run::RunStatus;

    use super::*;
    use crate::ui::testing::{asset, asset_id, run};

    fn made(id: u32) -> Asset {
        let made = asset(id, &run(1, RunStatus::Completed), "sky", AssetKind::Image);
        Asset { created_at: Time(i64::from(id)), ..made }
    }

    fn page(ids: &[u32], more: bool) -> Page<Asset> {
        let rows = ids.iter().map(|id| made(*id)).collect();
        Page { rows, cursor: more.then(|| "next".to_owned()), limit: None }
    }

    fn stored(id: u32) -> Notification {
        Notification::Daemon { seq: 1, event: DaemonEvent::AssetUpdate { asset: Box::new(made(id)) } }
    }

    fn ids(assets: &AssetsOfRun) -> Vec<AssetId> {
        assets.all().iter().map(|asset| asset.id).collect()
    }

    #[test]
    fn what_was_deleted_unnoticed_goes_and_what_is_stored_meanwhile_stays() {
        let mut assets = AssetsOfRun::default();
        assets.take(&page(&[3, 2, 1], false));
        assert_eq!(ids(&assets), [1, 2, 3].map(asset_id));
        assets.missed();
        assert_eq!(ids(&assets), [1, 2, 3].map(asset_id), "nothing goes before it is known");
        assets.notification(made(1).run_id, &stored(5));
        assets.take(&page(&[4, 3, 1], false));
        assert_eq!(ids(&assets), [1, 3, 4, 5].map(asset_id));
    }

    #[test]
    fn what_the_first_page_does_not_reach_stays() {
        let mut assets = AssetsOfRun::default();
        assets.take(&page(&[4, 3, 2, 1], false));
        assets.missed();
        assets.take(&page(&[4, 2], true));
        assert_eq!(ids(&assets), [1, 2, 4].map(asset_id));
    }

    #[test]
    fn one_that_is_shown_alone_gets_no_company() {
        let mut assets = AssetsOfRun::only(made(2));
        assets.notification(made(1).run_id, &stored(3));
        assets.missed();
        assets.take(&page(&[3, 2], false));
        assert_eq!(ids(&assets), [asset_id(2)]);
        assets.missed();
        assets.take(&page(&[3], false));
        assert_eq!(ids(&assets), []);
    }
}
