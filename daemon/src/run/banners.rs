//! What every client should show, from whoever has something to say.

use std::sync::Weak;

use fanlight_shared::event::DaemonEvent;
use tokio::sync::watch::Receiver;

use crate::hub::Hub;

/// Tells the hub of each change, while there is one.
pub(super) async fn tell(
    hub: Weak<Hub>,
    mut supervisor: Receiver<Option<String>>,
    mut store: Receiver<Option<String>>,
) {
    loop {
        let said = [supervisor.borrow_and_update().clone(), store.borrow_and_update().clone()];
        let Some(hub) = hub.upgrade() else { return };
        hub.daemon(DaemonEvent::BannerUpdate { banners: said.into_iter().flatten().collect() });
        drop(hub);
        tokio::select! {
            changed = supervisor.changed() => if changed.is_err() { return },
            changed = store.changed() => if changed.is_err() { return },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::watch;

    use super::*;

    #[tokio::test]
    async fn each_change_reaches_the_hub() {
        let hub = Arc::new(Hub::default());
        let (_supervisor, older) = watch::channel(Some("an older supervisor".to_owned()));
        let (store, trouble) = watch::channel(None);
        let telling = tokio::spawn(tell(Arc::downgrade(&hub), older, trouble));
        let until = async |wanted: &[&str]| {
            while hub.banners() != wanted {
                tokio::task::yield_now().await;
            }
        };
        until(&["an older supervisor"]).await;
        store.send_replace(Some("the disk is full".to_owned()));
        until(&["an older supervisor", "the disk is full"]).await;
        store.send_replace(None);
        until(&["an older supervisor"]).await;
        drop(store);
        telling.await.unwrap();
    }
}
