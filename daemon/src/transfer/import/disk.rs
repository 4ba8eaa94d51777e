//! The free space that an import needs.

use fanlight_shared::home::Home;

use super::Refused;
use crate::store::StoreError;

/// Checks that the disk of a home has room for this many bytes. What an archive holds is compressed, so that a short one may
/// fill any disk.
pub(super) fn check(home: &Home, bytes: u64) -> Result<(), Refused> {
    // If the free space is unknown, writing says when there is none left.
    let Ok(disk) = rustix::fs::statvfs(&home.data) else { return Ok(()) };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    if bytes <= free {
        return Ok(());
    }
    Err(Refused::Store(StoreError::Disk(format!(
        "the archive holds {} MB, and the disk with {} has {} MB left",
        bytes / 1_000_000,
        home.data.display(),
        free / 1_000_000
    ))))
}
