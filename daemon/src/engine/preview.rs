//! Previews: made once, after the asset's commit.

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::AssetId;
use fanlight_shared::media::Media;

use super::context::{After, Context};
use crate::executor::Previewer;
use crate::hub::Hub;
use crate::store::{Op, Store};

impl Context {
    /// Requests the preview of an asset once the asset is committed.
    pub(super) fn preview_later(&mut self, asset: AssetId, media: Media) {
        let (previewer, store, hub, runtime) =
            (self.previewer.clone(), self.store.clone(), self.hub.clone(), self.runtime.clone());
        self.after(After::Do(Box::new(move || {
            runtime.spawn(async move { make(&*previewer, &store, &hub, asset, media).await });
        })));
    }
}

/// Makes the preview of a stored asset, and stores it.
pub(crate) async fn make(previewer: &dyn Previewer, store: &Store, hub: &Hub, asset: AssetId, media: Media) {
    let preview = previewer.preview(media).await;
    match store.commit(vec![Op::Preview { asset, preview }]).await {
        Ok(committed) => committed
            .changed_assets
            .into_iter()
            .for_each(|asset| hub.daemon(DaemonEvent::AssetUpdate { asset: Box::new(asset) })),
        // It is still pending in the store, so it is made at the next start.
        Err(error) => tracing::warn!("the preview of asset {asset} could not be stored: {error}"),
    }
}
