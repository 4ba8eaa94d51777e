//! What goes through the pipes of a process: requests, messages, and what it prints.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncBufRead, AsyncWriteExt as _};
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

use super::{Failure, Shared};
use crate::plugin::message::{self, MAX_LINE, Message};
use crate::plugin::pace::Pace;
use crate::plugin::printed::Printed;

/// The most unknown requests of one process, and the longest request in bytes.
const MAX_REFUSED: u32 = 1000;
const MAX_REQUEST_BYTES: u64 = 64 << 10;
/// The most lines that wait until the process reads them when it asks for one more.
const MAX_UNREAD: usize = 1000;

/// Writes requests until there are no more, and closes the pipe.
pub(super) async fn write(
    mut pipe: pipe::Sender,
    mut lines: mpsc::UnboundedReceiver<Vec<u8>>,
    shared: Arc<Shared>,
) {
    while let Some(line) = lines.recv().await {
        if pipe.write_all(&line).await.is_err() {
            return;
        }
        shared.state().unread -= 1;
    }
}

/// Reads messages until the process closes its end; returns what is wrong with it otherwise.
pub(super) async fn listen(
    mut input: impl AsyncBufRead + Unpin,
    printed: &[Arc<Printed>; 2],
    shared: &Shared,
) -> Option<String> {
    let mut pace = Pace::new();
    loop {
        let line = match message::next_line(&mut input, MAX_LINE).await {
            Ok(Some(line)) => line,
            Ok(None) => return None,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Some(format!("it wrote a message of more than {} MiB", MAX_LINE >> 20));
            }
            Err(error) => return Some(format!("its messages can't be read: {error}")),
        };
        if pace.take(line.len()).await {
            shared.state().slowed = true;
        }
        match Message::read(&line) {
            Ok(message) => {
                if matches!(message, Message::Response { .. }) {
                    // What was printed before belongs to the attempt that ends.
                    printed.iter().for_each(|pipe| pipe.drain(|text| shared.print(text)));
                }
                if let Err(fault) = take(message, line.len() as u64, shared) {
                    return Some(fault);
                }
            }
            Err(what) => return Some(format!("it wrote {what}")),
        }
    }
}

/// Takes a message.
///
/// # Errors
/// A sentence: it answers what it was not asked.
fn take(message: Message, bytes: u64, shared: &Shared) -> Result<(), String> {
    match message {
        Message::Response { id, result } => {
            let mut state = shared.state();
            let call = state.calls.remove(&id);
            if call.is_none() {
                return Err(format!("it answered a request {id}, which does not wait for an answer"));
            }
            drop(state);
            // Who asked may have given up.
            let _ = call.map(|call| call.answer.send(result.map_err(Failure::Refused)));
        }
        Message::Notification { method, mut params } => {
            let id = params.remove("id").and_then(|id| id.as_u64());
            let notifications =
                id.and_then(|id| shared.state().calls.get(&id).and_then(|call| call.notifications.clone()));
            // What it says of an ended attempt comes too late.
            if let Some(notifications) = notifications {
                notifications.notify(&method, params, bytes);
            }
        }
        Message::Request { id, method } => {
            if bytes > MAX_REQUEST_BYTES {
                return Err(format!("it sent a request of more than {} KiB", MAX_REQUEST_BYTES >> 10));
            }
            let mut state = shared.state();
            if state.unread > MAX_UNREAD {
                return Err("it keeps sending requests and does not read the answers".to_owned());
            }
            if method == "ping" {
                drop(state);
                shared.say(message::empty_result(&id));
                return Ok(());
            }
            state.refused += 1;
            if state.refused > MAX_REFUSED {
                return Err("it keeps sending requests that this version does not know".to_owned());
            }
            drop(state);
            shared.say(message::unknown_method(&id, &method));
        }
    }
    Ok(())
}

/// Reads what the process prints until it has ended.
pub(super) async fn print(pipe: Arc<Printed>, shared: Arc<Shared>) {
    let mut pace = Pace::new();
    while let Some(count) = pipe.next(|text| shared.print(text)).await {
        if pace.take(count).await {
            shared.state().slowed = true;
        }
    }
}
