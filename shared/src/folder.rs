//! Folders that survive a power loss: the name of a folder is on the disk before anything in it counts as stored.

use std::fs::{DirBuilder, File};
use std::io;
use std::path::Path;

/// Creates a folder and its missing parents for the owner only, and syncs their names.
///
/// # Errors
/// The error of the file system.
pub fn create_private(folder: &Path) -> io::Result<()> {
    create(folder, 0o700)
}

/// Creates a folder and its missing parents with a mode, of which the umask takes away, and syncs their names.
///
/// # Errors
/// The error of the file system.
pub fn create(folder: &Path, mode: u32) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|it| !it.as_os_str().is_empty());
    if let Some(parent) = parent {
        create(parent, mode)?;
    }
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, mode);
    match builder.create(folder) {
        // Another process was faster, and may not have synced it yet.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => {}
        created => created?,
    }
    settle(parent.unwrap_or(Path::new(".")))
}

/// Syncs the names in a folder, if it may be read and its file system knows of such a thing.
///
/// # Errors
/// The error of the disk.
pub fn settle(folder: &Path) -> io::Result<()> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    match sync(folder) {
        Err(error) if matches!(error.kind(), InvalidInput | PermissionDenied | Unsupported) => Ok(()),
        synced => synced,
    }
}

/// Syncs the names in a folder as [`settle`] does. One that does not exist has none.
///
/// # Errors
/// The error of the disk.
pub fn settle_existing(folder: &Path) -> io::Result<()> {
    match settle(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        settled => settled,
    }
}

/// Syncs the names in a folder.
///
/// # Errors
/// The error of the file system.
pub fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn missing_parents_are_private_too_and_what_is_there_stays_as_it_is() {
        let temp = tempfile::tempdir().unwrap();
        let inner = temp.path().join("a/b/c");
        create_private(&inner).unwrap();
        create_private(&inner).unwrap();
        for folder in [&inner, &temp.path().join("a")] {
            assert_eq!(std::fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700);
        }
        std::fs::write(temp.path().join("file"), "").unwrap();
        for path in ["file", "file/below"] {
            assert!(create_private(&temp.path().join(path)).is_err(), "{path}");
        }
    }

    #[test]
    fn a_folder_that_is_missing_or_can_not_be_synced_counts_as_settled() {
        let temp = tempfile::tempdir().unwrap();
        let missing = temp.path().join("missing");
        assert!(settle(&missing).is_err());
        settle_existing(&missing).unwrap();
        let around = temp.path().join("around");
        std::os::unix::fs::symlink(&around, &around).unwrap();
        assert!(settle_existing(&around).is_err(), "any other error is reported");
        // Its file system refuses the sync.
        #[cfg(target_os = "linux")]
        {
            assert_eq!(sync(Path::new("/proc")).unwrap_err().kind(), io::ErrorKind::InvalidInput);
            settle_existing(Path::new("/proc")).unwrap();
        }
    }
}
