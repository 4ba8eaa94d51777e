//! Watches the folder of a file, so that a change is noticed without polling. Editors replace files, so it is the folder
//! that counts.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

/// A watch of the folder of one file.
pub(super) struct FolderWatch {
    file: PathBuf,
    changed: Arc<Notify>,
    lost: Arc<AtomicBool>,
    /// Watches until it is dropped.
    _watcher: RecommendedWatcher,
}

impl FolderWatch {
    /// Watches the folder of a file. Returns `None` where changes would go unnoticed: the file is a link, whose target
    /// lies elsewhere, or its file system may be written by other hosts.
    pub(super) fn new(file: &Path) -> Option<Self> {
        let folder = file.parent()?;
        if file.is_symlink() || !is_local(folder) {
            return None;
        }
        let (changed, lost) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let (wake, lose) = (changed.clone(), lost.clone());
        let (of, within) = (file.file_name()?.to_owned(), folder.to_owned());
        let mut watcher = notify::recommended_watcher(move |event: Result<notify::Event, notify::Error>| {
            let Ok(event) = event else { return };
            // Reading the file opens and closes it too.
            let reads =
                matches!(event.kind, EventKind::Access(it) if it != AccessKind::Close(AccessMode::Write));
            let moved = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)))
                && event.paths.contains(&within);
            if moved {
                lose.store(true, Ordering::Relaxed);
            }
            if moved || !reads && event.paths.iter().any(|path| path.file_name() == Some(&of)) {
                wake.notify_one();
            }
        })
        .ok()?;
        watcher.watch(folder, RecursiveMode::NonRecursive).ok()?;
        Some(Self { file: file.to_owned(), changed, lost, _watcher: watcher })
    }

    /// Returns whether it still watches the folder of this file, which has been neither removed nor renamed.
    pub(super) fn is_of(&self, file: &Path) -> bool {
        self.file == file && !self.lost.load(Ordering::Relaxed)
    }

    /// Waits until the file may have changed.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }
}

/// Returns whether all changes of a folder are made by this host. Network file systems report their own changes only.
#[cfg(target_os = "linux")]
fn is_local(folder: &Path) -> bool {
    // From `linux/magic.h`: ext2 to ext4, XFS, Btrfs, F2FS, tmpfs, overlayfs, ZFS, bcachefs.
    const LOCAL: [i128; 8] =
        [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x0102_1994, 0x794c_7630, 0x2fc1_2fc1, 0xca45_1a4e];
    rustix::fs::statfs(folder).is_ok_and(|it| LOCAL.contains(&i128::from(it.f_type)))
}

#[cfg(not(target_os = "linux"))]
fn is_local(_folder: &Path) -> bool {
    false
}
