//! Checks that an archive has all bytes that its new runs refer to.

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::DirManifest;
use fanlight_shared::sanitise;
use fanlight_shared::value::Value;

use super::super::limit::MAX_WHOLE_BYTES;
use super::super::place::Place;
use super::{Reading, Refused};

impl Reading<'_> {
    pub(super) fn check_blobs(&mut self) -> Result<(), Refused> {
        for hash in std::mem::take(&mut self.long) {
            let json = self.whole(hash, "value")?;
            let take = |hash, folder| *self.wanted.entry(hash).or_default() |= folder;
            Value::each_blob(&json, take).map_err(|error| {
                Refused::Archive(format!(
                    "is damaged: the value in `{}` can't be read: {error}",
                    Place::Blob(hash)
                ))
            })?;
        }
        for (hash, folder) in &self.wanted {
            if !self.blobs.contains_key(hash) {
                return Err(lacks(*hash));
            }
            if *folder {
                self.check_folder(*hash)?;
            }
        }
        Ok(())
    }

    fn check_folder(&self, hash: BlobHash) -> Result<(), Refused> {
        let manifest: DirManifest =
            serde_json::from_slice(&self.whole(hash, "list of files")?).map_err(|error| {
                Refused::Archive(format!("is damaged: the folder {hash} can't be read: {error}"))
            })?;
        for file in &manifest.files {
            let is_name = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
            if !file.path.split('/').all(is_name) {
                let path = sanitise::line(&file.path);
                return Err(Refused::Archive(format!(
                    "holds a folder with the path `{path}`, which leads out of it"
                )));
            }
            if self.blobs.get(&file.hash).is_none_or(|blob| blob.bytes != file.bytes) {
                return Err(lacks(file.hash));
            }
        }
        Ok(())
    }

    /// Reads all bytes of a blob of the archive.
    fn whole(&self, hash: BlobHash, what: &str) -> Result<Vec<u8>, Refused> {
        let blob = self.blobs.get(&hash).ok_or_else(|| lacks(hash))?;
        if blob.bytes > MAX_WHOLE_BYTES {
            return Err(Refused::Archive(format!(
                "is damaged: the {what} in `{}` has {} MB, and at most {} MB are read",
                Place::Blob(hash),
                blob.bytes / 1_000_000,
                MAX_WHOLE_BYTES / 1_000_000
            )));
        }
        Ok(self.store.blobs().read(hash)?)
    }
}

fn lacks(hash: BlobHash) -> Refused {
    Refused::Archive(format!("is damaged: it lacks the bytes {hash}"))
}
