//! Why an archive is not imported.

use std::io;

use crate::store::StoreError;

/// Why an archive is not imported.
#[derive(Debug)]
pub(super) enum Refused {
    /// A sentence to follow its name.
    Archive(String),
    /// The store, or the disk.
    Store(StoreError),
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Refused {
    /// Returns the error of reading the archive.
    pub(super) fn read(error: io::Error) -> Self {
        Self::Archive(match error.kind() {
            io::ErrorKind::UnexpectedEof => "is cut off".to_owned(),
            _ => format!("can't be read: {error}"),
        })
    }
}
