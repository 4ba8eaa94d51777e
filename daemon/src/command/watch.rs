//! One watcher for the events files of all running attempts: it sleeps until a file is written.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::event::{AccessKind, EventKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use rustix::fs::OFlags;
use tokio::sync::Notify;

type Watched = Arc<Mutex<HashMap<PathBuf, Arc<Notify>>>>;

/// The watcher; its thread starts with the first watched file.
#[derive(Default)]
pub(super) struct Watcher {
    watcher: Mutex<Option<RecommendedWatcher>>,
    watched: Watched,
}

/// A file that is watched, until dropped.
pub(super) struct Watch {
    of: Arc<Watcher>,
    path: PathBuf,
    written: Arc<Notify>,
}

impl Watcher {
    /// Watches a file, which is created if it does not exist. Blocks briefly.
    ///
    /// # Errors
    /// The system has run out of watches; the file is then read less often.
    pub(super) fn watch(self: &Arc<Self>, path: &Path) -> Result<Watch, notify::Error> {
        open_options().open(path).map_err(notify::Error::io)?;
        let mut watcher = lock(&self.watcher);
        let watcher = match &mut *watcher {
            Some(it) => it,
            none => none.insert(start(Arc::clone(&self.watched))?),
        };
        let written = Arc::new(Notify::new());
        lock(&self.watched).insert(path.to_owned(), Arc::clone(&written));
        if let Err(error) = watcher.watch(path, RecursiveMode::NonRecursive) {
            lock(&self.watched).remove(path);
            return Err(error);
        }
        Ok(Watch { of: Arc::clone(self), path: path.to_owned(), written })
    }
}

impl Watch {
    /// Waits until the file was written since the last call.
    pub(super) async fn written(&self) {
        self.written.notified().await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        lock(&self.of.watched).remove(&self.path);
        if let Some(watcher) = &mut *lock(&self.of.watcher) {
            // A file that is gone is no longer watched anyway.
            let _ = watcher.unwatch(&self.path);
        }
    }
}

/// Returns the options to open the file. The command may be creating it at this moment: it isn't truncated, and links
/// aren't followed.
fn open_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600);
    options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    options
}

fn start(watched: Watched) -> Result<RecommendedWatcher, notify::Error> {
    notify::recommended_watcher(move |event: Result<notify::Event, notify::Error>| {
        let Ok(event) = event else { return };
        // Our own reads open and close the file too.
        let reading = matches!(event.kind, EventKind::Access(it) if it != AccessKind::Close(notify::event::AccessMode::Write));
        if reading {
            return;
        }
        let watched = lock(&watched);
        for written in event.paths.iter().filter_map(|path| watched.get(path)) {
            written.notify_one();
        }
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future as _;
    use std::io::Write as _;

    #[tokio::test]
    async fn a_written_file_wakes_only_its_own_reader() {
        let temp = tempfile::tempdir().unwrap();
        let watcher = Arc::new(Watcher::default());
        let paths = ["a", "b"].map(|it| temp.path().join(it));
        std::fs::write(&paths[0], "before").unwrap();
        let watches = paths.clone().map(|it| watcher.watch(&it).unwrap());
        // The second one did not exist.
        std::fs::File::options().append(true).open(&paths[1]).unwrap().write_all(b"x").unwrap();
        watches[1].written().await;
        let woken = {
            let first = std::pin::pin!(watches[0].written());
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            first.poll(&mut context).is_ready()
        };
        assert!(!woken);
        assert_eq!(std::fs::read_to_string(&paths[0]).unwrap(), "before");
        drop(watches);
        assert!(lock(&watcher.watched).is_empty());
    }
}
