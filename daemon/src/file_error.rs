//! Errors of work with files. A full disk is a separate case, because the same work may succeed later.

use std::{fmt, io};

/// Why work with files failed, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// The disk is full. The same work may succeed when there is space.
    Full(String),
    /// Anything else; trying again makes no difference.
    Other(String),
}

impl FileError {
    /// Returns an error of the file system, with the operation that failed.
    pub(crate) fn of(what: &str, error: &io::Error) -> Self {
        let sentence = format!("{what}: {error}");
        if is_full(error) { Self::Full(sentence) } else { Self::Other(sentence) }
    }
}

/// Returns whether an error of the file system means that nothing more can be written for now.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::ReadOnlyFilesystem
    )
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(sentence) | Self::Other(sentence) => f.write_str(sentence),
        }
    }
}

impl From<String> for FileError {
    fn from(sentence: String) -> Self {
        Self::Other(sentence)
    }
}

impl From<&str> for FileError {
    fn from(sentence: &str) -> Self {
        Self::Other(sentence.to_owned())
    }
}

/// For callers that can't wait for space.
impl From<FileError> for String {
    fn from(problem: FileError) -> Self {
        match problem {
            FileError::Full(sentence) | FileError::Other(sentence) => sentence,
        }
    }
}
