//! Banners: messages that every client should show.

use std::path::PathBuf;
use std::sync::Weak;

use fanlight_shared::event::DaemonEvent;
use tokio::sync::watch::Receiver;

use crate::doctor;
use crate::hub::Hub;
use crate::store::{Store, Unknown};

/// The sources of banners.
pub(super) struct Sources {
    /// A supervisor of another version.
    supervisor: Receiver<Option<String>>,
    /// The reason why the store can't be written.
    outage: Receiver<Option<String>>,
    /// The reason why attempts wait for space.
    shortage: Receiver<Option<String>>,
    /// Files that the database does not know.
    unknown: Receiver<Unknown>,
    /// The folder of those files.
    blobs: PathBuf,
}

impl Sources {
    pub(super) fn new(supervisor: Receiver<Option<String>>, store: &Store) -> Self {
        Self {
            supervisor,
            outage: store.outage(),
            shortage: store.shortage(),
            unknown: store.unknown(),
            blobs: store.home().blobs(),
        }
    }

    fn banners(&mut self) -> Vec<String> {
        let unknown = *self.unknown.borrow_and_update();
        let unknown = (unknown.files > 0).then(|| doctor::unknown_files(&self.blobs, unknown));
        let shortage = self.shortage.borrow_and_update().clone();
        let texts = [
            self.supervisor.borrow_and_update().clone(),
            self.outage.borrow_and_update().clone(),
            shortage.map(|why| format!("attempts wait for space, and continue when there is some: {why}")),
            unknown,
        ];
        texts.into_iter().flatten().collect()
    }

    /// Waits for a change; returns `false` when there can't be any more.
    async fn changed(&mut self) -> bool {
        tokio::select! {
            changed = self.supervisor.changed() => changed.is_ok(),
            changed = self.outage.changed() => changed.is_ok(),
            changed = self.shortage.changed() => changed.is_ok(),
            // Counted once, at the start.
            Ok(()) = self.unknown.changed() => true,
        }
    }
}

/// Sends every change to the hub, as long as it exists.
pub(super) async fn publish(hub: Weak<Hub>, mut sources: Sources) {
    loop {
        let banners = sources.banners();
        let Some(hub) = hub.upgrade() else { return };
        hub.daemon(DaemonEvent::BannerUpdate { banners });
        drop(hub);
        if !sources.changed().await {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::watch;

    use super::*;

    #[tokio::test]
    async fn each_change_reaches_the_hub_until_the_end() {
        let hub = Arc::new(Hub::default());
        let (supervisor, older) = watch::channel(Some("an older supervisor".to_owned()));
        let (outage, outages) = watch::channel(None);
        let (short, shortage) = watch::channel(None);
        let (found, unknown) = watch::channel(Unknown::default());
        let sources = Sources {
            supervisor: older,
            outage: outages,
            shortage,
            unknown,
            blobs: PathBuf::from("/h/blobs"),
        };
        let publishing = tokio::spawn(publish(Arc::downgrade(&hub), sources));
        let until = async |wanted: &[&str]| {
            let reached = async {
                while !(hub.banners().len() == wanted.len()
                    && hub.banners().iter().zip(wanted).all(|(banner, wanted)| banner.contains(wanted)))
                {
                    tokio::task::yield_now().await;
                }
            };
            let reached = tokio::time::timeout(Duration::from_secs(10), reached).await;
            assert!(reached.is_ok(), "banners are {:?} instead of {wanted:?}", hub.banners());
        };
        until(&["an older supervisor"]).await;
        outage.send_replace(Some("the disk is full".to_owned()));
        until(&["an older supervisor", "the disk is full"]).await;
        short.send_replace(Some("no room for blobs".to_owned()));
        until(&["an older supervisor", "the disk is full", "attempts wait for space"]).await;
        short.send_replace(None);
        found.send_replace(Unknown { files: 3, bytes: 300 });
        until(&["an older supervisor", "the disk is full", "3 files (300 bytes)"]).await;
        drop(found);
        outage.send_replace(None);
        until(&["an older supervisor", "--repair"]).await;
        supervisor.send_replace(None);
        until(&["--repair"]).await;
        drop(outage);
        tokio::time::timeout(Duration::from_secs(10), publishing).await.unwrap().unwrap();
    }
}
