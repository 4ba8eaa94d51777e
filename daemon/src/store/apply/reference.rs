//! Reference counts of blobs, and the removal of unreferenced ones.

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::DirManifest;
use fanlight_shared::value::Value;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Apply, Done, Failure, Work};
use crate::store::blob::Published;
use crate::store::{StoreError, code};

impl Apply {
    /// Adds the row of a blob, which need not be referenced yet. Bytes that were damaged in the database are replaced, as damaged
    /// files are when they are published.
    pub(super) fn store_blob(&self, db: &Connection, work: &mut Work, published: &Published) -> Done {
        db.prepare_cached(
            "INSERT INTO blob (hash, bytes, inline) VALUES (?1, ?2, ?3) ON CONFLICT (hash) DO UPDATE \
             SET inline = excluded.inline, bytes = excluded.bytes WHERE inline IS NOT excluded.inline",
        )?
        .execute(params![
            published.hash.as_bytes(),
            code::signed(published.bytes),
            published.inline
        ])?;
        work.published.push((published.hash, published.guard()));
        Ok(())
    }

    /// Adds a reference to all blobs of a value.
    pub(super) fn reference_value(&self, db: &Connection, work: &mut Work, value: &Value) -> Done {
        for (hash, folder) in value.blobs() {
            self.reference(db, work, hash, folder)?;
        }
        Ok(())
    }

    /// Adds a reference to a blob.
    pub(super) fn reference(&self, db: &Connection, work: &mut Work, hash: BlobHash, folder: bool) -> Done {
        let counted: Option<bool> = db
            .prepare_cached("UPDATE blob SET refs = refs + 1 WHERE hash = ?1 RETURNING folder")?
            .query_row([hash.as_bytes()], |row| row.get(0))
            .optional()?;
        let Some(counted) = counted else {
            return Err(Failure::Batch(StoreError::Other(format!(
                "a value refers to the bytes {hash}, which are not stored"
            ))));
        };
        work.claimed.insert(hash);
        if folder && !counted {
            // The blob is used as a folder for the first time: from now on it references its files.
            for entry in self.manifest(db, hash)?.files {
                self.reference(db, work, entry.hash, false)?;
            }
            db.prepare_cached("UPDATE blob SET folder = 1 WHERE hash = ?1")?.execute([hash.as_bytes()])?;
        }
        Ok(())
    }

    /// Drops the references of a value to its blobs.
    pub(super) fn release_value(&self, db: &Connection, work: &mut Work, value: &Value) -> Done {
        for (hash, _) in value.blobs() {
            self.release(db, work, hash)?;
        }
        Ok(())
    }

    /// Drops a reference to a blob.
    pub(super) fn release(&self, db: &Connection, work: &mut Work, hash: BlobHash) -> Done {
        let left: Option<i64> = db
            .prepare_cached("UPDATE blob SET refs = refs - 1 WHERE hash = ?1 AND refs > 0 RETURNING refs")?
            .query_row([hash.as_bytes()], |row| row.get(0))
            .optional()?;
        if left == Some(0) {
            work.loose.push(hash);
        }
        Ok(())
    }

    /// Deletes the blobs that lost their last reference in this batch, unless they are being published.
    pub(super) fn drop_unreferenced(&self, db: &Connection, work: &mut Work) -> Done {
        while let Some(hash) = work.loose.pop() {
            let row: Option<(bool, bool, i64)> = db
                .prepare_cached(
                    "SELECT folder, inline IS NULL, bytes FROM blob WHERE hash = ?1 AND refs = 0",
                )?
                .query_row([hash.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let Some((folder, file, bytes)) = row else { continue };
            if self.blobs.registry().is_open(hash) {
                continue;
            }
            if folder {
                match self.manifest(db, hash) {
                    Ok(manifest) => {
                        for entry in manifest.files {
                            self.release(db, work, entry.hash)?;
                        }
                    }
                    Err(Failure::Batch(error)) => tracing::warn!("files of a folder stay: {error}"),
                    Err(error) => return Err(error),
                }
            }
            db.prepare_cached("DELETE FROM blob WHERE hash = ?1")?.execute([hash.as_bytes()])?;
            work.committed.freed_bytes += code::unsigned(bytes);
            if file {
                work.unlink.push(hash);
            }
        }
        Ok(())
    }

    /// Returns whether a row refers to this blob.
    pub(in crate::store) fn is_referenced(
        &self,
        db: &Connection,
        hash: BlobHash,
    ) -> Result<bool, StoreError> {
        let refs: Option<i64> = db
            .prepare_cached("SELECT refs FROM blob WHERE hash = ?1")?
            .query_row([hash.as_bytes()], |row| row.get(0))
            .optional()?;
        Ok(refs.is_some_and(|refs| refs > 0))
    }

    /// Deletes unreferenced blobs and returns their files. A file without a row is included only if this daemon `made`
    /// it.
    pub(in crate::store) fn sweep(
        &self,
        db: &Connection,
        hash: BlobHash,
        made: bool,
    ) -> Result<Vec<BlobHash>, StoreError> {
        let known = db.prepare_cached("SELECT 1 FROM blob WHERE hash = ?1")?.exists([hash.as_bytes()])?;
        if !known {
            return Ok(if made { vec![hash] } else { Vec::new() });
        }
        let mut work = Work { loose: vec![hash], ..Work::default() };
        match self.drop_unreferenced(db, &mut work) {
            Ok(()) => Ok(work.unlink),
            Err(Failure::Batch(error) | Failure::Store(error)) => Err(error),
        }
    }

    fn manifest(&self, db: &Connection, hash: BlobHash) -> Done<DirManifest> {
        Ok(serde_json::from_slice(&self.bytes(db, hash)?)?)
    }

    /// Returns bytes as the transaction sees them.
    pub(super) fn bytes(&self, db: &Connection, hash: BlobHash) -> Done<Vec<u8>> {
        Ok(self.blobs.read_in(db, hash)?)
    }
}
