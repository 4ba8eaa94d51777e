//! Why something could not be done with files: a disk that is full is not the fault of whoever asked.

use std::fmt;

use crate::store::StoreError;

/// Why something could not be done, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Nothing more can be written for now. The same may work when there is space.
    Full(String),
    /// Another try makes no difference.
    Other(String),
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full(sentence) | Self::Other(sentence) => f.write_str(sentence),
        }
    }
}

impl From<String> for Problem {
    fn from(sentence: String) -> Self {
        Self::Other(sentence)
    }
}

impl From<&str> for Problem {
    fn from(sentence: &str) -> Self {
        Self::Other(sentence.to_owned())
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(_) => Self::Full(error.to_string()),
            other => Self::Other(other.to_string()),
        }
    }
}

/// For those who can't wait for space.
impl From<Problem> for String {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Full(sentence) | Problem::Other(sentence) => sentence,
        }
    }
}
