//! Media whose bytes a client has sent: only their hash and name are taken from it.

use std::path::{Component, Path};

use fanlight_shared::media::{DirManifest, Media, MediaKind};
use fanlight_shared::types::Type;

use super::folder::{MAX_FILES, describe_folder};
use super::{check, stored};
use crate::store::blob::{Blobs, Published};

/// The most bytes of the manifest of a folder.
const MAX_MANIFEST_BYTES: u64 = 16 * 1024 * 1024;

/// Describes media of this kind by its bytes, which are being published. Returns `None` if they are not. Blocks.
///
/// # Errors
/// A sentence: it is something else, or the folder is not whole.
pub(crate) fn uploaded(
    given: &Media,
    kind: MediaKind,
    blobs: &Blobs,
) -> Result<Option<(Media, Vec<Published>)>, String> {
    let Some(published) = blobs.published(given.hash) else { return Ok(None) };
    if kind != MediaKind::Dir {
        let media = stored(blobs, published.hash, published.bytes, &given.name)?;
        let media = check(Media { executable: given.executable, ..media }, &Type::Media(kind))?;
        return Ok(Some((media, vec![published])));
    }
    let (manifest, mut files) = folder(blobs, &published)?;
    let media = describe_folder(&manifest, published.hash, &given.name);
    files.push(published);
    Ok(Some((media, files)))
}

/// Reads the manifest of a folder, and returns it with its files.
fn folder(blobs: &Blobs, published: &Published) -> Result<(DirManifest, Vec<Published>), String> {
    if published.bytes > MAX_MANIFEST_BYTES {
        return Err("the list of files of the folder is too long".to_owned());
    }
    let json = blobs.open_blob(published.hash).and_then(|mut blob| blob.next(MAX_MANIFEST_BYTES));
    let json = json.map_err(|error| error.to_string())?;
    let manifest: DirManifest =
        serde_json::from_slice(&json).map_err(|error| format!("it is not a folder: {error}"))?;
    if manifest.files.len() > MAX_FILES {
        return Err(format!("the folder holds more than {MAX_FILES} files"));
    }
    if manifest.folders.len() > MAX_FILES {
        return Err(format!("the folder holds more than {MAX_FILES} empty folders"));
    }
    check_paths(manifest.files.iter().map(|entry| entry.path.as_str()))?;
    check_paths(manifest.folders.iter().map(String::as_str))?;
    let mut files = Vec::with_capacity(manifest.files.len());
    for entry in &manifest.files {
        let file = blobs.published(entry.hash).filter(|file| file.bytes == entry.bytes);
        files.push(file.ok_or_else(|| {
            format!("the file `{}` of the folder did not arrive", entry.path.escape_debug())
        })?);
    }
    Ok((manifest, files))
}

/// Checks that paths stay below a folder, and that each is listed once, in order.
fn check_paths<'p>(paths: impl Iterator<Item = &'p str>) -> Result<(), String> {
    let mut last: Option<&Path> = None;
    for text in paths {
        let path = Path::new(text);
        let is_inner = path.components().all(|part| matches!(part, Component::Normal(_)));
        if !is_inner || text.split('/').any(|part| part.is_empty() || part == ".") {
            return Err(format!("`{}` is not a path below a folder", text.escape_debug()));
        }
        if last.is_some_and(|last| last >= path) {
            return Err(format!("`{}` is listed twice or out of order", text.escape_debug()));
        }
        last = Some(path);
    }
    Ok(())
}
