//! Checks blobs against their files.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use fanlight_shared::id::BlobHash;

use super::Report;
use crate::store::{Store, StoreError};

/// A temporary file older than this is a leftover of an interrupted write.
const STALE_AFTER: Duration = Duration::from_secs(3600);
/// The number of rows read at a time, so that transactions stay short.
const ROWS: i64 = 1000;

/// A row of the blobs.
struct Row {
    key: i64,
    hash: BlobHash,
    bytes: u64,
    inline: Option<u64>,
}

/// Checks that every row has its bytes: that they exist, have the right size, and if `deep`, the right hash.
pub(super) fn check(store: &Store, deep: bool, report: &mut Report) -> Result<(), StoreError> {
    let (mut after, mut count, mut bytes) = (0, 0_u64, 0_u64);
    let mut found = Vec::new();
    loop {
        let rows = rows(store, after)?;
        let Some(last) = rows.last() else { break };
        after = last.key;
        for row in rows {
            count += 1;
            bytes += row.bytes;
            if let Some(wrong) = wrong(store, &row, deep)
                && has_row(store, row.hash)?
            {
                // Finding the owner is slow, so do it only for the rows that are shown.
                let owner = if found.len() < super::SHOWN_LIMIT { store.owner_of(row.hash)? } else { None };
                found.push(match owner {
                    Some(owner) => format!("{owner}: {wrong}"),
                    None => wrong,
                });
            }
        }
    }
    let how = if deep { "read and compared" } else { "by size; `--deep` also compares the contents" };
    report.checked(format!("{count} blobs of {bytes} bytes, {how}"));
    report.problems(found, "damaged blobs");
    Ok(())
}

fn rows(store: &Store, after: i64) -> Result<Vec<Row>, StoreError> {
    store.read(|db| {
        let rows = db
            .prepare_cached(
                "SELECT key, hash, bytes, length(inline) FROM blob WHERE key > ?1 ORDER BY key LIMIT ?2",
            )?
            .query_map([after, ROWS], |row| {
                Ok(Row {
                    key: row.get(0)?,
                    hash: BlobHash::from_bytes(row.get(1)?),
                    bytes: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
                    inline: row.get::<_, Option<i64>>(3)?.map(|bytes| u64::try_from(bytes).unwrap_or(0)),
                })
            })?
            .collect::<Result<_, _>>()?;
        Ok(rows)
    })
}

/// Returns what is wrong with the bytes of a row.
fn wrong(store: &Store, row: &Row, deep: bool) -> Option<String> {
    let advice = "run it again to make them again, restore the file from a backup, or delete the asset";
    let path = store.blobs().path(row.hash);
    let place = if row.inline.is_some() { "the database".to_owned() } else { path.display().to_string() };
    let bytes = match row.inline {
        Some(bytes) => bytes,
        None => match std::fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_file() => meta.len(),
            Ok(_) => return Some(format!("{place} is not a file; {advice}")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Some(format!("{place} is missing; {advice}"));
            }
            Err(error) => return Some(format!("{place} can't be read: {error}")),
        },
    };
    if bytes != row.bytes {
        return Some(format!("{place} has {bytes} bytes instead of {}; {advice}", row.bytes));
    }
    if row.inline.is_none()
        && let Some(said) = super::modes::open_to_others(&path, 0o600)
    {
        return Some(said);
    }
    if !deep {
        return None;
    }
    match store.blobs().verify(row.hash) {
        Ok(()) => None,
        Err(StoreError::Damaged { what, .. }) => Some(format!("{what}; {advice}")),
        Err(error) => Some(format!("{place} can't be read: {error}")),
    }
}

/// Returns whether the row still exists: it may have been deleted while its bytes were checked.
fn has_row(store: &Store, hash: BlobHash) -> Result<bool, StoreError> {
    store.read(|db| Ok(db.prepare_cached("SELECT 1 FROM blob WHERE hash = ?1")?.exists([hash.as_bytes()])?))
}

/// Reports files that the database does not know, which stay, and removes leftovers of interrupted writes.
pub(super) fn unknown(store: &Store, report: &mut Report) -> Result<(), StoreError> {
    let mut found = Vec::new();
    let unknown = store.count_unknown()?;
    if unknown.files > 0 {
        found.push(super::unknown_files(&store.home().blobs(), unknown));
    }
    let mut stale = 0_u64;
    for entry in std::fs::read_dir(store.blobs().temporary_folder()).into_iter().flatten().flatten() {
        let Ok(meta) = entry.metadata() else { continue };
        let age = meta.modified().ok().and_then(|at| SystemTime::now().duration_since(at).ok());
        if age.is_none_or(|age| age < STALE_AFTER) || meta.uid() != rustix::process::geteuid().as_raw() {
            continue;
        }
        match std::fs::remove_file(entry.path()) {
            Ok(()) => stale += 1,
            Err(error) => found.push(format!(
                "{path} is a leftover and can't be removed ({error}); do `rm {path}`",
                path = entry.path().display()
            )),
        }
    }
    report.checked(format!(
        "files that the database does not know: {}; files of interrupted writes: {stale} removed",
        unknown.files
    ));
    report.problems(found, "left-over files");
    Ok(())
}
