//! What a process prints: its standard output, or its standard error.

use std::os::fd::AsFd as _;
use std::sync::{Mutex, PoisonError};

use tokio::net::unix::pipe;

/// How much is read at once, in bytes: as much as a pipe holds.
const CHUNK: usize = 64 << 10;

/// The daemon's end of a pipe with text.
pub(super) struct Printed {
    pipe: pipe::Receiver,
    /// The beginning of a character whose end was not read yet. Locked while text is read and passed on.
    rest: Mutex<Vec<u8>>,
}

impl Printed {
    pub(super) fn new(pipe: pipe::Receiver) -> Self {
        Self { pipe, rest: Mutex::default() }
    }

    /// Waits for text and passes it on. Returns how many bytes that was; `None` at the end.
    pub(super) async fn next(&self, take: impl Fn(&str)) -> Option<usize> {
        loop {
            self.pipe.readable().await.ok()?;
            let mut buffer = vec![0; CHUNK];
            let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
            match self.pipe.try_read(&mut buffer) {
                Ok(0) => {
                    flush(&mut rest, true, &take);
                    return None;
                }
                Ok(count) => {
                    rest.extend_from_slice(&buffer[..count]);
                    flush(&mut rest, false, &take);
                    return Some(count);
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => return None,
            }
        }
    }

    /// Passes on what is in the pipe at this moment.
    pub(super) fn drain(&self, take: impl Fn(&str)) {
        let mut buffer = vec![0; CHUNK];
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        // The runtime may not know of it yet, so the pipe itself is polled.
        if let Ok(count @ 1..) = rustix::io::read(self.pipe.as_fd(), &mut buffer) {
            rest.extend_from_slice(&buffer[..count]);
            flush(&mut rest, false, &take);
        }
    }
}

/// Passes on whole characters; at the end, everything.
fn flush(rest: &mut Vec<u8>, end: bool, take: &impl Fn(&str)) {
    let whole = match std::str::from_utf8(rest) {
        Err(error) if error.error_len().is_none() && !end => error.valid_up_to(),
        _ => rest.len(),
    };
    if whole > 0 {
        take(&String::from_utf8_lossy(&rest[..whole]));
        rest.drain(..whole);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Write as _;

    use super::*;

    #[tokio::test]
    async fn text_is_passed_on_in_whole_characters_and_completely() {
        let (read, write) = crate::supervisor::output_pipe().unwrap();
        let printed = Printed::new(pipe::Receiver::from_owned_fd(read).unwrap());
        let mut write = std::fs::File::from(write);
        let heard = RefCell::new(Vec::new());
        let take = |text: &str| heard.borrow_mut().push(text.to_owned());
        write.write_all("one gr\u{fc}".as_bytes().split_last().unwrap().1).unwrap();
        printed.drain(take);
        printed.drain(take);
        write.write_all(&[0xbc, b'n', 0xc3]).unwrap();
        assert_eq!(printed.next(take).await, Some(3));
        drop(write);
        assert_eq!(printed.next(take).await, None);
        assert_eq!(*heard.borrow(), ["one gr", "\u{fc}n", "\u{fffd}"]);
    }
}
