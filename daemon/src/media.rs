//! Turns bytes into media values. Their type is detected from the bytes, never from a name.

mod check;
mod folder;
mod import;
mod sniff;
mod uploaded;

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::types::Type;

use crate::file_error::FileError;
use crate::store::blob::{Blobs, Published, Referred};

pub use check::Checker;
pub use folder::manifest;
pub(crate) use folder::{publish_files, publish_folder};
pub use import::import;
pub use sniff::{Sniffed, sniff};
pub(crate) use uploaded::uploaded;

/// The longest file name, in bytes: common file systems accept it, with room for a number before it.
const MAX_NAME_BYTES: usize = 200;

/// Publishes an open regular file and describes it as media. Blocks.
///
/// # Errors
/// The file can't be read, or the disk is full.
pub fn publish(blobs: &Blobs, mut file: File, name: &str) -> Result<(Media, Published), FileError> {
    let executable = file.metadata().is_ok_and(|meta| is_executable(&meta));
    let sniffed =
        sniff(&mut file).map_err(|error| format!("`{}` can't be read: {error}", file_name(name)))?;
    let published = blobs.publish_file(file)?;
    let media = describe(sniffed, published.hash, published.bytes, name);
    Ok((Media { executable, ..media }, published))
}

/// Describes an open regular file of the user as media that refers to it: its bytes are hashed, not copied. A file whose
/// path is no UTF-8 can't be referred to and is published. Blocks.
///
/// # Errors
/// The file can't be read, or is written meanwhile; the disk is full.
pub fn refer(
    blobs: &Blobs,
    mut file: File,
    path: &Path,
    name: &str,
) -> Result<(Media, Option<Published>), FileError> {
    let Some(path) = path.to_str() else {
        return publish(blobs, file, name).map(|(media, published)| (media, Some(published)));
    };
    let executable = file.metadata().is_ok_and(|meta| is_executable(&meta));
    let sniffed = sniff(&mut file).map_err(|error| format!("{path} can't be read: {error}"))?;
    let Referred { hash, bytes, source } = blobs.refer(&file, path)?;
    let media = describe(sniffed, hash, bytes, name);
    Ok((Media { executable, source: Some(Box::new(source)), ..media }, None))
}

/// Returns whether the owner of a file may execute it.
fn is_executable(meta: &std::fs::Metadata) -> bool {
    meta.permissions().mode() & 0o100 != 0
}

/// Describes stored bytes as media. Blocks.
///
/// # Errors
/// A sentence: the bytes are gone.
pub fn stored(blobs: &Blobs, hash: BlobHash, bytes: u64, name: &str) -> Result<Media, String> {
    let head = blobs
        .open_part(hash, 0, sniff::HEAD_BYTES)
        .and_then(|mut head| head.next(sniff::HEAD_BYTES))
        .map_err(|error| error.to_string())?;
    Ok(describe(sniff::sniff_head(&head, bytes <= head.len() as u64), hash, bytes, name))
}

/// Describes published bytes as media.
#[must_use]
pub fn describe(sniffed: Sniffed, hash: BlobHash, bytes: u64, name: &str) -> Media {
    Media {
        kind: sniffed.kind,
        hash,
        mime: sniffed.mime,
        bytes,
        name: file_name(name),
        width: sniffed.width,
        height: sniffed.height,
        executable: false,
        source: None,
    }
}

/// Returns a name as [`Media::name`] holds it: without folders and control characters, never empty, not too long.
#[must_use]
pub fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut cleaned: String = last.chars().filter(|c| !c.is_control()).collect();
    if cleaned.len() > MAX_NAME_BYTES {
        let (stem, ext) = match cleaned.rsplit_once('.') {
            Some((stem, ext)) if ext.len() <= 16 => (stem, format!(".{ext}")),
            _ => (cleaned.as_str(), String::new()),
        };
        let mut end = MAX_NAME_BYTES - ext.len();
        while !stem.is_char_boundary(end) {
            end -= 1;
        }
        cleaned = format!("{}{ext}", &stem[..end]);
    }
    if cleaned.is_empty() || cleaned == "." || cleaned == ".." { "file".into() } else { cleaned }
}

/// Checks that media fits a declared type, and converts it: media declared as `file` becomes a file, whatever its bytes
/// are.
///
/// # Errors
/// A sentence that says what the bytes are.
pub fn check(media: Media, declared: &Type) -> Result<Media, String> {
    let fits = match declared {
        Type::Any => true,
        Type::Media(MediaKind::File) => media.kind != MediaKind::Dir,
        Type::Media(kind) => media.kind == *kind,
        _ => false,
    };
    if fits {
        return Ok(media);
    }
    let name = fanlight_shared::value::cut(&media.name, 60);
    let what = if media.bytes == 0 { "empty".to_owned() } else { media.mime };
    Err(format!("`{name}` is {what}, but {declared} is declared"))
}

#[cfg(test)]
mod tests;
