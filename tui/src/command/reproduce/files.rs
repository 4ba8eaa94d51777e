//! The files that a recipe needs.

use std::path::Path;

use fanlight_shared::id::BlobHash;
use fanlight_shared::lineage::Lineage;
use fanlight_shared::sanitise;

use crate::failure::Failure;

/// Checks that the files that nodes read where they are still hold what they held. Those of a daemon that is `elsewhere`
/// can't be read here.
pub(super) fn check(lineage: &Lineage, elsewhere: bool) -> Result<(), Failure> {
    for file in &lineage.files {
        let Some(path) = &file.path else { continue };
        if elsewhere {
            let path = sanitise::line(path);
            return Err(Failure::failed(format!(
                "`{path}`, which {} read, is on the computer with the home",
                file.run
            ))
            .hint("run `fanlight reproduce` there, which can compare it"));
        }
        check_one(Path::new(path), file.hash)
            .map_err(|why| Failure::failed(format!("`{path}`, which {} read, {why}", file.run)))?;
    }
    Ok(())
}

/// Checks a file.
///
/// # Errors
/// What is wrong with it, to follow its name.
pub(in crate::command) fn check_one(path: &Path, expected: BlobHash) -> Result<(), String> {
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
    BlobHash::of_reader(std::fs::File::open(path)?).map(|(hash, _)| hash)
}
