//! Whether a file is still the one that was read.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::store::StoreError;

/// The facts about a file that change whenever it is written or replaced.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Stamp([i64; 7]);

impl Stamp {
    pub(super) fn of(file: &File) -> io::Result<Self> {
        file.metadata().map(|meta| Self::from(&meta))
    }
}

impl From<&Metadata> for Stamp {
    fn from(meta: &Metadata) -> Self {
        let number = |number: u64| i64::try_from(number).unwrap_or(-1);
        Self([
            number(meta.dev()),
            number(meta.ino()),
            number(meta.len()),
            meta.mtime(),
            meta.mtime_nsec(),
            meta.ctime(),
            meta.ctime_nsec(),
        ])
    }
}

/// Returns the error about a file of the user that has changed.
pub(super) fn changed(path: &Path, what: &str) -> StoreError {
    StoreError::SourceChanged { path: path.to_owned(), what: what.to_owned() }
}

/// Returns the error about a file of the user that can't be read.
pub(super) fn unreadable(path: &Path, error: &io::Error) -> StoreError {
    let path = path.display();
    StoreError::Other(match error.kind() {
        io::ErrorKind::PermissionDenied => format!("{path} may not be read by this user"),
        _ => format!("{path} can't be read: {error}"),
    })
}
