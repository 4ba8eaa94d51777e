//! Reads the file on screen again whenever it changes: its folder is watched, and the file is polled where that can't
//! be relied on.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;

use super::folder_watch::FolderWatch;

/// The interval between two checks of a file that has to be polled.
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
    let (mut last, mut folder) = (None, None::<FolderWatch>);
    loop {
        let path = wanted.borrow_and_update().clone();
        let another = if let Some(path) = path {
            // The watch comes first: a change after it is noticed.
            if !folder.as_ref().is_some_and(|it| it.is_of(&path)) {
                folder = FolderWatch::new(&path);
            }
            let now = stamp(&path).await;
            if now.is_some() && now != last {
                last = now;
                changed(path);
            }
            tokio::select! {
                another = wanted.changed() => Some(another),
                () = may_have_changed(folder.as_ref(), interval) => None,
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

async fn may_have_changed(folder: Option<&FolderWatch>, interval: Duration) {
    match folder {
        Some(folder) => folder.changed().await,
        None => tokio::time::sleep(interval).await,
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

    #[tokio::test]
    async fn a_file_is_reported_after_its_folder_was_replaced() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("flows");
        let path = folder.join("poster.yaml");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(&path, "one").unwrap();
        let (want, wanted) = watch::channel(Some(path.clone()));
        let (out, mut reports) = tokio::sync::mpsc::unbounded_channel();
        let report = move |path| out.send(path).unwrap();
        let task = tokio::spawn(watch_file(wanted, Duration::from_millis(1), report));
        assert_eq!(reports.recv().await.as_ref(), Some(&path));
        std::fs::rename(&folder, parent.path().join("old")).unwrap();
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(&path, "another").unwrap();
        assert_eq!(reports.recv().await.as_ref(), Some(&path));
        drop(want);
        task.await.unwrap();
    }
}
