//! The files that a recipe needs.

use std::io::Read as _;
use std::path::Path;

use fanlight_shared::id::{BlobHash, BlobHasher};
use fanlight_shared::lineage::Lineage;

use crate::failure::Failure;

/// Checks that the files that nodes read where they are still hold what they held.
pub(super) fn check(lineage: &Lineage) -> Result<(), Failure> {
    for file in &lineage.files {
        let Some(path) = &file.path else { continue };
        check_one(Path::new(path), file.hash)
            .map_err(|why| Failure::failed(format!("`{path}`, which {} read, {why}", file.run)))?;
    }
    Ok(())
}

/// Checks a file.
///
/// # Errors
/// What is wrong with it, to follow its name.
pub(super) fn check_one(path: &Path, expected: BlobHash) -> Result<(), String> {
    match hash(path) {
        Ok(hash) if hash == expected => Ok(()),
        Ok(_) => Err("holds something else now; the product can't be made again from it".into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err("no longer exists".into()),
        Err(error) => Err(format!("can't be read: {error}")),
    }
}

fn hash(path: &Path) -> std::io::Result<BlobHash> {
    // To open a pipe would wait for ever.
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is not a regular file"));
    }
    let mut file = std::fs::File::open(path)?;
    let (mut hasher, mut piece) = (BlobHasher::default(), vec![0; 256 << 10]);
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(hasher.finish()),
            read => hasher.add(&piece[..read]),
        }
    }
}
