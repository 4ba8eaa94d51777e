//! Why an op could not be applied.

use rusqlite::ErrorCode;

use super::StoreError;

/// Why an op could not be applied.
#[derive(Debug)]
pub(super) enum Failure {
    /// The batch is at fault; its neighbours are not.
    Batch(StoreError),
    /// The store can't be written at the moment.
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory,
            ) => Self::Store(StoreError::from(error)),
            _ => Self::Batch(StoreError::from(error)),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Batch(StoreError::from(error))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(_) | StoreError::Disk(_) => Self::Store(error),
            _ => Self::Batch(error),
        }
    }
}
