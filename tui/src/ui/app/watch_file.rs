//! Reads the file on screen again whenever it changes. It is polled once a second, because editors replace files and
//! network file systems don't report changes.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;

/// The interval between two checks of a file.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// The metadata that changes when a file is written or replaced.
#[derive(PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    length: u64,
    changed: (i64, i64),
}

async fn stamp(path: &Path) -> Option<Stamp> {
    let of = tokio::fs::metadata(path).await.ok()?;
    Some(Stamp { file: (of.dev(), of.ino()), length: of.len(), changed: (of.ctime(), of.ctime_nsec()) })
}

/// Calls `changed` with the wanted file once and after every change, until the sender is dropped. A missing file isn't
/// a change: it may be about to be replaced.
pub(super) async fn watch_file(
    mut wanted: watch::Receiver<Option<PathBuf>>,
    interval: Duration,
    changed: impl Fn(PathBuf),
) {
    let mut last = None;
    loop {
        let path = wanted.borrow_and_update().clone();
        let another = if let Some(path) = path {
            let now = stamp(&path).await;
            if now.is_some() && now != last {
                last = now;
                changed(path);
            }
            tokio::select! {
                another = wanted.changed() => Some(another),
                () = tokio::time::sleep(interval) => None,
            }
        } else {
            Some(wanted.changed().await)
        };
        match another {
            Some(Ok(())) => last = None,
            Some(Err(_)) => return,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_reported_at_first_and_whenever_it_was_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("poster.yaml");
        let save = |text: &str| {
            let new = folder.path().join("new");
            std::fs::write(&new, text).unwrap();
            std::fs::rename(&new, &path).unwrap();
        };
        save("one");
        let (want, wanted) = watch::channel(Some(path.clone()));
        let (out, mut reports) = tokio::sync::mpsc::unbounded_channel();
        let report = move |path| out.send(path).unwrap();
        let task = tokio::spawn(watch_file(wanted, Duration::from_millis(1), report));
        assert_eq!(reports.recv().await.as_ref(), Some(&path));
        save("two");
        assert_eq!(reports.recv().await.as_ref(), Some(&path));
        std::fs::remove_file(&path).unwrap();
        save("six");
        assert_eq!(reports.recv().await.as_ref(), Some(&path));
        drop(want);
        task.await.unwrap();
    }
}
