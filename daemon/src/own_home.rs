//! The home of a daemon, which may be removed, replaced or moved away while the daemon runs.
//!
//! What such a daemon stores is lost, and what it writes by name may land in the home of another daemon, so it ends.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::home::Home;
use notify::event::ModifyKind;
use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio_util::sync::CancellationToken;

use crate::own_file::OwnFile;

/// How often the home is checked where the system has no watch for it.
const CHECK_INTERVAL: Duration = Duration::from_secs(10);

/// The home that this daemon has opened.
#[derive(Debug)]
pub struct OwnHome {
    name: PathBuf,
    /// The folders, and files that stay open while the daemon lives: no other file gets their inodes.
    files: Vec<OwnFile>,
    socket: OwnFile,
    /// Quiet places: every change there is worth a check.
    watched: Vec<PathBuf>,
    gone: CancellationToken,
}

impl OwnHome {
    /// Records the home of a daemon that has its lock, has opened its database and listens on its socket.
    ///
    /// # Errors
    /// A part of it is already gone.
    pub fn of(home: &Home) -> io::Result<Self> {
        let (lock, database) = (home.lock_file(), home.database());
        let files = [&home.data, &home.state, &lock, &home.state_lock_file(), &database]
            .map(|path| OwnFile::of(path));
        let files = files.into_iter().collect::<io::Result<_>>()?;
        let mut watched = vec![lock, database];
        watched.extend(home.root().map(Into::into));
        Ok(Self {
            name: home.name.clone(),
            files,
            socket: OwnFile::of(&home.socket)?,
            watched,
            gone: CancellationToken::new(),
        })
    }

    /// Returns whether a part of it was removed or replaced, which also ends the wait for that.
    pub fn is_gone(&self) -> bool {
        if !self.gone.is_cancelled() && self.files.iter().any(OwnFile::is_gone) {
            self.gone.cancel();
        }
        self.gone.is_cancelled()
    }

    /// Waits until a part of it is removed or replaced, and returns a sentence that says so.
    pub async fn gone(self: &Arc<Self>) -> String {
        let watcher = self.watch();
        if let Err(error) = &watcher {
            tracing::warn!(%error, "the home can't be watched, and is checked now and then");
        }
        // It may have changed before the watch began.
        while !self.is_gone() {
            tokio::select! {
                () = self.gone.cancelled() => {}
                () = tokio::time::sleep(CHECK_INTERVAL), if watcher.is_err() => {}
            }
        }
        format!("the home {} was removed or replaced while the daemon ran", self.name.display())
    }

    /// Checks it whenever it may have changed, until the watcher is dropped.
    fn watch(self: &Arc<Self>) -> notify::Result<RecommendedWatcher> {
        let own = Arc::clone(self);
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let content = |kind: EventKind| {
                matches!(kind, EventKind::Access(_) | EventKind::Modify(ModifyKind::Data(_)))
            };
            // An error may stand for any event.
            if !event.is_ok_and(|event| content(event.kind)) {
                own.is_gone();
            }
        })?;
        for path in &self.watched {
            watcher.watch(path, RecursiveMode::NonRecursive)?;
        }
        Ok(watcher)
    }

    /// Removes the daemon's socket if it is still its own. When the home is gone, this must happen while the daemon
    /// listens: only so long no other socket has the same inode.
    pub fn remove_socket(&self) {
        self.socket.remove();
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn a_home_that_is_removed_replaced_or_moved_away_is_gone() {
        let removed = |home: &Home| std::fs::remove_dir_all(&home.name).unwrap();
        let replaced = |home: &Home| {
            std::fs::remove_file(home.database()).unwrap();
            std::fs::write(home.database(), "another one").unwrap();
        };
        let moved = |home: &Home| std::fs::rename(&home.name, home.name.with_extension("old")).unwrap();
        for change in [removed as fn(&Home), replaced, moved] {
            let folder = tempfile::tempdir().unwrap();
            let mut home = Home::below(&folder.path().join("home")).unwrap();
            home.make().unwrap();
            home.socket = folder.path().join("socket");
            let _open = [home.lock_file(), home.state_lock_file(), home.database()]
                .map(|path| File::create(path).unwrap());
            let _listener = UnixListener::bind(&home.socket).unwrap();
            let own = Arc::new(OwnHome::of(&home).unwrap());
            std::fs::write(home.database(), "more of the same").unwrap();
            assert!(!own.is_gone());
            let (gone, ()) = tokio::join!(own.gone(), async {
                // The other side watches first.
                tokio::task::yield_now().await;
                change(&home);
            });
            assert!(gone.contains("was removed or replaced"), "{gone}");
            own.remove_socket();
            assert!(!home.socket.exists());
        }
    }
}
