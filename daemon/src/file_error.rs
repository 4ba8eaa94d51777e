//! Why something could not be done with files: a disk that is full is not the fault of whoever asked.

use std::fmt;

/// Why something could not be done, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// Nothing more can be written for now. The same may work when there is space.
    Full(String),
    /// Another try makes no difference.
    Other(String),
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

/// For those who can't wait for space.
impl From<FileError> for String {
    fn from(problem: FileError) -> Self {
        match problem {
            FileError::Full(sentence) | FileError::Other(sentence) => sentence,
        }
    }
}
