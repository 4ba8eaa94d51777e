//! Sends bytes to a daemon that can't read them where they are.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::{Client, ClientError};
use crate::id::BlobHash;
use crate::rpc::frame::CHUNK;
use crate::rpc::uploads::{Check, End, Start};

/// How many frames are sent before the daemon is asked whether they have arrived.
const WINDOW: usize = 8;

impl Client {
    /// Sends bytes, unless the daemon has them. They stay until the connection ends, or as long as a run refers to them.
    /// `arrived` is called with the number of bytes that the daemon has.
    ///
    /// # Errors
    /// They can't be read, or are not those of the hash; the daemon can't store them, or the connection was lost.
    pub async fn upload<R: AsyncRead + Unpin>(
        &self,
        hash: BlobHash,
        bytes: u64,
        from: &mut R,
        arrived: &mut (dyn FnMut(u64) + Send),
    ) -> Result<(), ClientError> {
        let Some(stream) = self.call(Start { hash, bytes }).await?.stream else {
            arrived(bytes);
            return Ok(());
        };
        let mut buffer = vec![0; CHUNK];
        let mut left = bytes;
        for sent in 1_usize.. {
            let want = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let mut filled = 0;
            while filled < want {
                match from.read(&mut buffer[filled..want]).await {
                    Ok(0) => break,
                    Ok(read) => filled += read,
                    Err(error) => return Err(ClientError::Read(error.to_string())),
                }
            }
            if filled == 0 {
                break;
            }
            left -= filled as u64;
            self.connection.send_bytes(stream, &buffer[..filled]).await?;
            if sent.is_multiple_of(WINDOW) {
                arrived(self.call(Check { stream }).await?.bytes);
            }
        }
        // Whether all of them came, and are the right ones, is found out there.
        arrived(self.call(End { stream }).await?.bytes);
        Ok(())
    }
}
