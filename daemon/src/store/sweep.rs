//! What a crash left behind: found at the next start, in the background, and removed by the writer.

use std::collections::HashSet;
use std::fs::DirEntry;
use std::path::Path;
use std::sync::mpsc::Sender;

use fanlight_shared::id::BlobHash;

use super::StoreError;
use super::blob::Blobs;
use super::writer::Message;

/// Removes what was being written when the last daemon ended. To be called before anything is published.
pub(super) fn temporary(blobs: &Blobs) {
    for entry in entries(&blobs.temporary_folder()) {
        if let Err(error) = std::fs::remove_file(entry.path()) {
            tracing::warn!("{} can't be removed: {error}", entry.path().display());
        }
    }
}

/// Looks for bytes that nothing names, beside everything else.
pub(super) fn start(blobs: Blobs, writer: Sender<Message>) {
    let look = move || {
        let found = unreferenced(&blobs).and_then(|mut found| {
            orphans(&blobs, |hash| found.push(hash))?;
            Ok(found)
        });
        match found {
            // The writer looks again: by then some may have been published anew.
            Ok(found) => found.into_iter().for_each(|hash| {
                let _ = writer.send(Message::Released(hash));
            }),
            Err(error) => tracing::debug!("the sweep ended early: {error}"),
        }
    };
    if let Err(error) = std::thread::Builder::new().name("sweep".into()).spawn(look) {
        tracing::debug!("no sweep: {error}");
    }
}

/// Rows that nothing names.
fn unreferenced(blobs: &Blobs) -> Result<Vec<BlobHash>, StoreError> {
    blobs.readers().read(|db| {
        let found = db
            .prepare_cached("SELECT hash FROM blob WHERE refs = 0")?
            .query_map([], |row| row.get(0).map(BlobHash::from_bytes))?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(found)
    })
}

/// Files that no row names and nobody publishes.
pub(super) fn orphans(blobs: &Blobs, mut found: impl FnMut(BlobHash)) -> Result<(), StoreError> {
    for folder in entries(blobs.folder()) {
        let name = folder.file_name();
        let Some(start) = name.to_str().filter(|name| name.len() == 2) else { continue };
        let Ok(first) = u8::from_str_radix(start, 16) else { continue };
        // The files are listed before the rows are read, so that one published meanwhile has its row or its guard.
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

/// The first and last hash that begin with this byte.
fn bounds(first: u8) -> [[u8; 32]; 2] {
    let (mut low, mut high) = ([0; 32], [0xff; 32]);
    low[0] = first;
    high[0] = first;
    [low, high]
}

pub(super) fn entries(folder: &Path) -> impl Iterator<Item = DirEntry> {
    std::fs::read_dir(folder).into_iter().flatten().flatten()
}
