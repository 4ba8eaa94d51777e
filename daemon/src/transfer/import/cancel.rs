//! Ends an import whose client went away.

use std::io::{self, Read};

use tokio_util::sync::CancellationToken;

use super::Refused;
use crate::store::StoreError;

/// Fails once an import is cancelled.
pub(super) fn check(cancel: &CancellationToken) -> Result<(), Refused> {
    match cancel.is_cancelled() {
        true => Err(cancelled().into()),
        false => Ok(()),
    }
}

/// Returns the error of an import that was cancelled.
pub(super) fn cancelled() -> StoreError {
    StoreError::Other("the import was cancelled".into())
}

/// A file whose reading fails once the import is cancelled: what an entry holds may be read for long.
pub(super) struct Cancellable<R> {
    pub(super) from: R,
    pub(super) cancel: CancellationToken,
}

impl<R: Read> Read for Cancellable<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_cancelled() {
            return Err(io::Error::other("the import was cancelled"));
        }
        self.from.read(buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_end_is_read_until_the_import_is_cancelled() {
        let mut file = Cancellable { from: io::repeat(7), cancel: CancellationToken::new() };
        assert_eq!(file.read(&mut [0; 9]).unwrap(), 9);
        file.cancel.cancel();
        assert!(io::copy(&mut file, &mut io::sink()).is_err());
    }
}
