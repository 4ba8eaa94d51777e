//! What a folder holds, before it is copied.

use std::fs;
use std::io;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::super::folder::sentence;
use super::super::pattern::Pattern;
use super::super::text;
use crate::file_error::FileError;
use crate::store::blob::Blobs;

/// The most files of a folder that is copied.
const MAX_FILES: usize = 1_000_000;

/// What a folder holds. Paths are relative to it.
#[derive(Debug, Default)]
pub(in super::super) struct Listing {
    /// The folders, each after the one that it is in; the first is the folder itself.
    pub(in super::super) folders: Vec<(PathBuf, fs::Metadata)>,
    pub(in super::super) files: Vec<PathBuf>,
    pub(in super::super) links: Vec<PathBuf>,
    /// The length of all files together.
    pub(super) bytes: u64,
    /// What is left out although nobody asked for that.
    pub(super) notes: Vec<String>,
}

/// What is not copied.
pub(super) struct LeftOut<'a> {
    pub(super) patterns: Vec<Pattern>,
    /// Fanlight's own folders.
    pub(super) own: Vec<&'a Path>,
}

impl<'a> LeftOut<'a> {
    /// Leaves out what matches, the home, and another folder of Fanlight.
    pub(super) fn of(exclude: &[String], blobs: &'a Blobs, other: Option<&'a Path>) -> Result<Self, String> {
        let patterns = exclude.iter().map(|it| Pattern::parse(it)).collect::<Result<_, _>>()?;
        Ok(Self { patterns, own: blobs.own_folders().into_iter().chain(other).collect() })
    }
}

/// Lists what is in a folder, without following links.
///
/// # Errors
/// A folder can't be read, there are too many files, or the attempt was cancelled.
pub(super) fn list(
    from: &Path,
    left_out: &LeftOut<'_>,
    cancel: &CancellationToken,
) -> Result<Listing, FileError> {
    let own: Vec<(u64, u64)> = left_out
        .own
        .iter()
        .filter_map(|path| fs::metadata(path).ok())
        .map(|it| (it.dev(), it.ino()))
        .collect();
    let mut found = Listing::default();
    let top = fs::metadata(from).map_err(|error| unreadable(from, &error))?;
    let mut ahead = vec![(PathBuf::new(), top)];
    while let Some((inner, meta)) = ahead.pop() {
        if cancel.is_cancelled() {
            return Err("cancelled".into());
        }
        let folder = from.join(&inner);
        let entries = match fs::read_dir(&folder) {
            // It was removed meanwhile, like a file that is gone when its turn comes.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !inner.as_os_str().is_empty() => {
                continue;
            }
            entries => entries.map_err(|error| unreadable(&folder, &error))?,
        };
        found.folders.push((inner.clone(), meta));
        for entry in entries {
            let entry = entry.map_err(|error| unreadable(&folder, &error))?;
            let path = inner.join(entry.file_name());
            if left_out.patterns.iter().any(|pattern| pattern.matches(&path)) {
                continue;
            }
            let meta = match entry.metadata() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                meta => meta.map_err(|error| unreadable(&entry.path(), &error))?,
            };
            let kind = meta.file_type();
            if kind.is_dir() && own.contains(&(meta.dev(), meta.ino())) {
                found.notes.push(format!("`{}` is not copied: it is Fanlight's own", shown(&path)));
            } else if kind.is_dir() {
                ahead.push((path, meta));
            } else if kind.is_symlink() {
                found.links.push(path);
            } else if kind.is_file() {
                found.bytes = found.bytes.saturating_add(meta.len());
                found.files.push(path);
            } else {
                let what = if kind.is_fifo() {
                    "a fifo"
                } else if kind.is_socket() {
                    "a socket"
                } else {
                    "a device"
                };
                found.notes.push(format!("`{}` is not copied: it is {what}", shown(&path)));
            }
        }
        if found.files.len() + found.links.len() + found.folders.len() > MAX_FILES {
            let message = format!(
                "{} holds more than {MAX_FILES} files; leave some out by `exclude`, such as `exclude: [target, .git]`",
                from.display()
            );
            return Err(message.into());
        }
    }
    Ok(found)
}

/// Returns the error for something that can't be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> FileError {
    let of = sentence("can't copy", Path::new(&shown(path)), error);
    match (of, error.kind()) {
        (FileError::Other(why), io::ErrorKind::PermissionDenied) => {
            FileError::Other(format!("{why}; leave it out by `exclude` of `dir`"))
        }
        (of, _) => of,
    }
}

/// Returns a path as one line.
pub(in super::super) fn shown(path: &Path) -> String {
    text::line(&path.to_string_lossy())
}
