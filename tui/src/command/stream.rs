//! The text that nodes of a run write, on stdout while they write it: one node after the other, in the order in which they
//! began, so that no text is mixed with another.

use std::collections::HashSet;

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::ErrorCode;
use fanlight_shared::rpc::logs::{Part, Read, Stream};
use fanlight_shared::run_state::{InstanceState, RunState};
use fanlight_shared::sanitise;
use fanlight_shared::time::Time;

use crate::failure::Failure;
use crate::output::Out;

/// The most bytes of a log that are read at once.
const MAX_PART: u32 = 256 * 1024;

/// An attempt whose text is printed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
struct Speaker {
    node: String,
    item: ItemPath,
    attempt: u32,
}

/// Prints what the nodes of a run write.
pub(super) struct Streamer {
    run_id: RunId,
    out: Out,
    /// The one that is printed.
    current: Option<Speaker>,
    /// How far its log was read.
    offset: u64,
    /// Whether the last character was the end of a line.
    at_line_start: bool,
    done: HashSet<Speaker>,
}

impl Streamer {
    pub(super) fn new(run_id: RunId) -> Self {
        let (out, done) = (Out::new(), HashSet::new());
        Self { run_id, out, current: None, offset: 0, at_line_start: true, done }
    }

    /// Prints what is new. Returns `false` if the connection was lost.
    pub(super) async fn advance(&mut self, client: &Client, state: &RunState) -> Result<bool, Failure> {
        while let Some(speaker) = self.current.clone().or_else(|| self.next(state)) {
            self.current = Some(speaker.clone());
            let known = state.instance(&speaker.node, speaker.item);
            let ended = known.is_none_or(|it| it.attempt() > speaker.attempt || !it.is_live());
            let end = known.filter(|it| it.attempt() == speaker.attempt).map_or(u64::MAX, |it| it.log_end);
            if end > self.offset && !self.read(client, &speaker).await? {
                self.out.flush()?;
                return Ok(false);
            }
            if !ended {
                break;
            }
            if !self.at_line_start {
                self.out.bytes(b"\n")?;
                self.at_line_start = true;
            }
            self.done.insert(speaker);
            (self.current, self.offset) = (None, 0);
        }
        self.out.flush()?;
        Ok(true)
    }

    /// Returns the attempt that began first among those that wrote something and were not printed.
    fn next(&self, state: &RunState) -> Option<Speaker> {
        let mut first: Option<(Time, Speaker)> = None;
        for (name, node) in &state.nodes {
            let items = node.items.iter().map(|(index, item)| (ItemPath::item(*index), item));
            for (item, instance) in std::iter::once((ItemPath::WHOLE, &node.whole)).chain(items) {
                let Some(began) = wrote(instance) else { continue };
                if first.as_ref().is_some_and(|(earliest, _)| *earliest <= began) {
                    continue;
                }
                let speaker = Speaker { node: name.clone(), item, attempt: instance.attempt() };
                if !self.done.contains(&speaker) {
                    first = Some((began, speaker));
                }
            }
        }
        first.map(|(_, speaker)| speaker)
    }

    /// Prints the log of an attempt up to its end. Returns `false` if the connection was lost.
    async fn read(&mut self, client: &Client, speaker: &Speaker) -> Result<bool, Failure> {
        loop {
            let read = Read {
                run_id: self.run_id,
                node: speaker.node.clone(),
                item: speaker.item,
                attempt: Some(speaker.attempt),
                offset: self.offset,
                limit: Some(MAX_PART),
            };
            let part: Part = match client.call(read).await {
                Ok(part) => part,
                // The log of a deleted attempt is gone.
                Err(ClientError::Rpc(error)) if error.is(ErrorCode::NotFound) => return Ok(true),
                Err(ClientError::Disconnected(_)) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            if part.offset > self.offset {
                let left_out = part.offset - self.offset;
                self.print(&format!("\n… {left_out} bytes were not kept …\n"))?;
            }
            for piece in part.pieces.iter().filter(|piece| piece.stream == Stream::Stdout) {
                self.print(&piece.text)?;
            }
            let moved = part.next > self.offset;
            self.offset = part.next;
            if !moved || part.next >= part.end {
                return Ok(true);
            }
        }
    }

    fn print(&mut self, text: &str) -> Result<(), Failure> {
        let safe = sanitise::plain(text);
        if let Some(last) = safe.chars().next_back() {
            self.at_line_start = last == '\n';
        }
        self.out.bytes(safe.as_bytes())
    }
}

/// Returns when the attempt of an instance began, if it left the daemon's loop and wrote something.
fn wrote(instance: &InstanceState) -> Option<Time> {
    let attempt = instance.attempts.last().filter(|attempt| attempt.id.is_some())?;
    (instance.log_end > 0).then_some(attempt.started_at)
}
