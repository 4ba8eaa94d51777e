//! One client: decodes its requests and queues its replies. Never waits for it.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;

use super::frame;
use super::message::{Reply, Request};

/// How many bytes a client may leave unread before it is disconnected.
const MAX_UNREAD: usize = 8 << 20;
/// How much of one client is read before the others get their turn.
const MAX_READ: usize = 64 << 10;
/// Above this many unread bytes, a client gets no notifications that newer ones will replace (backpressure).
const BACKPRESSURE_BYTES: usize = 64 << 10;

/// A connected client.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) stream: UnixStream,
    input: Vec<u8>,
    output: Vec<u8>,
    sent: usize,
    greeted: bool,
    /// It disconnected, or broke the protocol.
    pub(crate) gone: bool,
}

impl Peer {
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self { stream, input: Vec::new(), output: Vec::new(), sent: 0, greeted: false, gone: false }
    }

    /// Reads what is available, up to a limit, and returns how much that was; `None` if nothing was available.
    pub(crate) fn receive(&mut self, buffer: &mut [u8]) -> Option<usize> {
        let limit = buffer.len().min(MAX_READ);
        match self.stream.read(&mut buffer[..limit]) {
            Ok(0) => self.gone = true,
            Ok(length) => {
                self.input.extend_from_slice(&buffer[..length]);
                return Some(length);
            }
            Err(error) => {
                self.gone = !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
            }
        }
        None
    }

    /// Returns the next complete request. A client that breaks the protocol is dropped.
    pub(crate) fn next(&mut self) -> Option<Request> {
        if self.gone {
            return None;
        }
        let request = match frame::first(&self.input) {
            Ok(None) => return None,
            Ok(Some((body, used))) => Request::decode(body).map(|request| (request, used)),
            Err(malformed) => Err(malformed),
        };
        let hello = matches!(request, Ok((Request::Hello { .. }, _)));
        match request {
            Ok((request, used)) if hello != self.greeted => {
                self.greeted = true;
                self.input.drain(..used);
                if self.input.is_empty() && self.input.capacity() > MAX_READ {
                    self.input = Vec::new();
                }
                Some(request)
            }
            _ => {
                self.gone = true;
                None
            }
        }
    }

    /// Returns whether a complete request waits.
    pub(crate) fn has_more(&self) -> bool {
        !self.gone && !matches!(frame::first(&self.input), Ok(None))
    }

    /// Queues a message for it.
    pub(crate) fn send(&mut self, reply: &Reply) {
        match reply.encode() {
            Some(frame) if self.output.len() - self.sent + frame.len() <= MAX_UNREAD => {
                self.output.extend_from_slice(&frame);
            }
            _ => self.gone = true,
        }
    }

    /// Returns whether it may get notifications that newer ones will replace: it was greeted, and it reads.
    pub(crate) fn follows(&self) -> bool {
        self.greeted && !self.gone && self.output.len() - self.sent < BACKPRESSURE_BYTES
    }

    /// Returns whether it was greeted, so that it gets notifications.
    pub(crate) fn is_greeted(&self) -> bool {
        self.greeted && !self.gone
    }

    /// Returns whether something waits to be sent.
    pub(crate) fn has_output(&self) -> bool {
        self.sent < self.output.len()
    }

    /// Sends as much as possible without waiting.
    pub(crate) fn flush(&mut self) {
        while self.has_output() && !self.gone {
            match self.stream.write(&self.output[self.sent..]) {
                Ok(length) => self.sent += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => self.gone = true,
            }
        }
        if !self.has_output() {
            self.sent = 0;
            if self.output.capacity() > MAX_READ {
                self.output = Vec::new();
            }
            self.output.clear();
        } else if self.sent > MAX_READ {
            self.output.drain(..self.sent);
            self.sent = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (UnixStream, Peer) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.set_nonblocking(true).unwrap();
        (ours, Peer::new(theirs))
    }

    fn hello() -> Vec<u8> {
        Request::Hello { version: 1, build: "x".into() }.encode().unwrap()
    }

    #[test]
    fn requests_are_read_in_any_fragmentation() {
        let (mut ours, mut peer) = pair();
        let mut bytes = hello();
        bytes.extend(Request::List { request: 4 }.encode().unwrap());
        let mut requests = Vec::new();
        for byte in bytes {
            ours.write_all(&[byte]).unwrap();
            peer.receive(&mut [0; 100]);
            requests.extend(peer.next());
        }
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[1], Request::List { request: 4 });
    }

    #[test]
    fn garbage_or_a_missing_or_second_greeting_drops_the_client() {
        let twice = [hello(), hello()].concat();
        for (bytes, expected) in [
            (vec![0xFF; 40], 0),
            (Request::List { request: 4 }.encode().unwrap(), 0),
            (twice, 1),
            (vec![1, 0, 0, 0, 0x55], 0),
        ] {
            let (mut ours, mut peer) = pair();
            ours.write_all(&bytes).unwrap();
            peer.receive(&mut [0; 100]);
            let served = std::iter::from_fn(|| peer.next()).count();
            assert_eq!((served, peer.gone), (expected, true), "{bytes:?}");
        }
    }

    #[test]
    fn a_client_that_does_not_read_is_dropped() {
        let (ours, mut peer) = pair();
        let reply = Reply::NotStarted { request: 1, why: "x".repeat(1 << 20) };
        let mut sent = 0;
        while !peer.gone {
            peer.send(&reply);
            peer.flush();
            sent += 1;
            assert!(sent < 100, "dropped in time");
        }
        drop(ours);
    }
}
