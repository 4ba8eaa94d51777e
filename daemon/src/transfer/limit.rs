//! How much an archive may hold.

use super::manifest::ManifestRun;

/// The most bytes of a file that is read as a whole: of the records that runs share, of a long value, and of the list of the
/// files of a folder.
pub(super) const MAX_WHOLE_BYTES: u64 = if cfg!(test) { 1 << 20 } else { 256 << 20 };
/// The most parts of runs in an archive, such as events and values. An import stores them at once, and other runs wait for it.
pub(super) const MAX_PARTS: u64 = if cfg!(test) { 2_000 } else { 2_000_000 };

/// Checks the number of parts that a manifest announces.
///
/// # Errors
/// A sentence to follow the name of the archive.
pub(super) fn check_announced(runs: &[ManifestRun]) -> Result<(), String> {
    let parts = runs.iter().flat_map(|run| [1, run.events, run.values, run.assets, run.series]);
    check_parts(parts.fold(0, u64::saturating_add))
}

/// Checks a number of parts.
///
/// # Errors
/// A sentence to follow the name of the archive.
pub(super) fn check_parts(parts: u64) -> Result<(), String> {
    if parts <= MAX_PARTS {
        return Ok(());
    }
    Err(format!(
        "holds more events, values and other parts of runs than an archive may, which are {MAX_PARTS}; export the runs in \
         several archives"
    ))
}
