//! Checking files from outside.

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use fanlight_shared::media::Media;

use crate::file_error::FileError;

/// Checks that stored media are whole.
pub trait Checker: Send + Sync {
    /// Reads pictures, sounds and videos to their end. Other files pass.
    ///
    /// # Errors
    /// It is damaged or cut, or can't be checked.
    fn check(&self, media: Media, cancel: CancellationToken) -> BoxFuture<'_, Result<(), FileError>>;
}
