//! Leftovers of a crash, which are found at the next start and removed by the writer.
//!
//! Only leftovers of this database are removed: rows without a reference, and files that it was publishing when its
//! daemon died. Files that it does not know at all (next to a new or restored database) are counted and stay.

use std::collections::HashSet;
use std::fs::DirEntry;
use std::path::Path;
use std::sync::mpsc::Sender;

use fanlight_shared::id::BlobHash;
use rusqlite::Connection;
use tokio::sync::watch;

use super::StoreError;
use super::blob::Blobs;
use super::writer::Message;

/// Files in the store's folder that the database does not know.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Unknown {
    /// How many.
    pub files: u64,
    /// Their total size in bytes.
    pub bytes: u64,
}

/// Removes what was being written when the last daemon ended: temporary files, and files that it had published but not
/// committed. Call it before publishing anything.
pub(super) fn interrupted(blobs: &Blobs, db: &Connection, marks: &Path) -> Result<(), StoreError> {
    for entry in entries(&blobs.temporary_folder()) {
        remove(&entry.path());
    }
    let marks: Vec<DirEntry> = entries(marks).collect();
    let mut unknown = Vec::new();
    for mark in &marks {
        if let Some(hash) = mark.file_name().to_str().and_then(|name| name.parse::<BlobHash>().ok()) {
            let known = db.prepare_cached("SELECT 1 FROM blob WHERE hash = ?1")?.exists([hash.as_bytes()])?;
            if !known {
                unknown.push(hash);
            }
        }
    }
    // The files go before their marks.
    unknown.iter().for_each(|hash| blobs.unlink(*hash));
    if let Err(error) = blobs.sync_unlinked(&unknown) {
        tracing::warn!("the next start removes what was being written again: {error}");
        return Ok(());
    }
    marks.iter().for_each(|mark| remove(&mark.path()));
    Ok(())
}

fn remove(path: &Path) {
    if let Err(error) = std::fs::remove_file(path) {
        tracing::warn!("{} can't be removed: {error}", path.display());
    }
}

/// Searches in the background for unreferenced rows, and counts the files without a row.
pub(super) fn start(blobs: Blobs, writer: Sender<Message>, found: watch::Sender<Unknown>) {
    let look = move || {
        match unreferenced(&blobs) {
            // The writer checks again: by then some may have been published again.
            Ok(hashes) => hashes.into_iter().for_each(|hash| {
                let _ = writer.send(Message::Released { hash, made: false });
            }),
            Err(error) => tracing::debug!("the sweep ended early: {error}"),
        }
        match count_unknown(&blobs) {
            Ok(unknown) => {
                if unknown.files > 0 {
                    tracing::warn!(
                        "{} files of {} bytes below {} are not known to the database; they stay where they are",
                        unknown.files,
                        unknown.bytes,
                        blobs.folder().display()
                    );
                }
                found.send_replace(unknown);
            }
            Err(error) => tracing::debug!("the store's files could not be listed: {error}"),
        }
    };
    if let Err(error) = std::thread::Builder::new().name("sweep".into()).spawn(look) {
        tracing::debug!("no sweep: {error}");
    }
}

/// Returns the unreferenced rows.
fn unreferenced(blobs: &Blobs) -> Result<Vec<BlobHash>, StoreError> {
    blobs.readers().read(|db| {
        let found = db
            .prepare_cached("SELECT hash FROM blob WHERE refs = 0")?
            .query_map([], |row| row.get(0).map(BlobHash::from_bytes))?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(found)
    })
}

/// Counts the files that the database does not know.
pub(super) fn count_unknown(blobs: &Blobs) -> Result<Unknown, StoreError> {
    let mut unknown = Unknown::default();
    for_each_unknown(blobs, |hash| {
        if let Ok(meta) = std::fs::symlink_metadata(blobs.path(hash)) {
            unknown.files += 1;
            unknown.bytes += meta.len();
        }
    })?;
    Ok(unknown)
}

/// Calls `found` with each file that has no row and is not being published.
pub(super) fn for_each_unknown(blobs: &Blobs, mut found: impl FnMut(BlobHash)) -> Result<(), StoreError> {
    for folder in entries(blobs.folder()) {
        let name = folder.file_name();
        let Some(start) = name.to_str().filter(|name| name.len() == 2) else { continue };
        let Ok(first) = u8::from_str_radix(start, 16) else { continue };
        // List the files before reading the rows, so that one published meanwhile has its row or its guard.
        let files: Vec<BlobHash> = entries(&folder.path())
            .filter_map(|file| format!("{start}{}", file.file_name().to_str()?).parse().ok())
            .collect();
        let known: HashSet<BlobHash> = blobs.readers().read(|db| {
            let known = db
                .prepare_cached("SELECT hash FROM blob WHERE hash >= ?1 AND hash <= ?2 AND inline IS NULL")?
                .query_map(bounds(first), |row| row.get(0).map(BlobHash::from_bytes))?
                .collect::<Result<_, _>>()?;
            Ok(known)
        })?;
        files
            .into_iter()
            .filter(|hash| !known.contains(hash) && !blobs.registry().is_open(*hash))
            .for_each(&mut found);
    }
    Ok(())
}

/// Returns the first and last hash that begin with this byte.
fn bounds(first: u8) -> [[u8; 32]; 2] {
    let (mut low, mut high) = ([0; 32], [0xff; 32]);
    low[0] = first;
    high[0] = first;
    [low, high]
}

fn entries(folder: &Path) -> impl Iterator<Item = DirEntry> {
    std::fs::read_dir(folder).into_iter().flatten().flatten()
}
