//! Reads logs part by part and writes them line by line, each line safe to show.

use std::collections::HashMap;

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::logs::{Read, Stream};
use fanlight_shared::rpc::{ErrorCode, logs};
use fanlight_shared::sanitise;

use crate::failure::Failure;
use crate::output::Out;
use crate::output::style::{Paint, Role};

/// A longer line is written in pieces of about this many bytes.
const MAX_LINE: usize = 64 * 1024;

/// A log as the telemetry knows it.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// The node.
    pub(super) node: String,
    /// The item.
    pub(super) item: ItemPath,
    /// Its newest attempt, from 1.
    pub(super) attempt: u32,
    /// The end of that attempt's log, as last reported.
    pub(super) log_end: u64,
    /// Whether it was the last attempt.
    pub(super) ended: bool,
}

impl Place {
    fn key(&self) -> (String, ItemPath) {
        (self.node.clone(), self.item)
    }
}

/// How far one log was read.
#[derive(Debug, Default)]
struct Position {
    attempt: u32,
    offset: u64,
    /// Incomplete lines, by stream.
    open: [String; 4],
    /// Nothing more comes.
    done: bool,
    /// The prefix of its lines.
    name: String,
}

/// All logs that are read.
pub(super) struct Readers {
    client: Client,
    run_id: RunId,
    prefixed: bool,
    raw: bool,
    /// Whether reasoning is written too.
    reasoning: bool,
    colours: bool,
    positions: HashMap<(String, ItemPath), Position>,
    found: bool,
}

impl Readers {
    /// Creates the readers of a run; `prefixed` puts the node before each line.
    pub(super) fn new(client: Client, run_id: RunId, prefixed: bool, raw: bool, reasoning: bool) -> Self {
        let colours = Paint::stdout().is_on();
        Self { client, run_id, prefixed, raw, reasoning, colours, positions: HashMap::new(), found: false }
    }

    /// Returns whether there was no log at all.
    pub(super) fn found_nothing(&self) -> bool {
        !self.found
    }

    /// Returns whether more may be there than was read.
    pub(super) fn is_behind(&self, place: &Place) -> bool {
        self.positions.get(&place.key()).is_none_or(|position| {
            position.attempt != place.attempt
                || !position.done && (place.ended || place.log_end > position.offset)
        })
    }

    /// Continues over another connection, from the position of each log.
    pub(super) fn reconnect(&mut self, client: Client) {
        self.client = client;
    }

    /// Writes new output up to this attempt, and first the rest of an earlier one. Returns `false` if the connection
    /// was lost.
    pub(super) async fn read(&mut self, place: &Place, out: &mut Out) -> Result<bool, Failure> {
        let mut position = self.positions.remove(&place.key()).unwrap_or_default();
        let first = if position.attempt == 0 { place.attempt } else { position.attempt };
        let mut connected = true;
        for number in first..=place.attempt {
            if position.attempt != number {
                self.close(&mut position, out)?;
                let name = format!("{}{}", place.node, place.item);
                position = Position { attempt: number, name, ..Position::default() };
            }
            connected = self.read_attempt(place, &mut position, out).await?;
            if !connected {
                break;
            }
        }
        self.positions.insert(place.key(), position);
        Ok(connected)
    }

    async fn read_attempt(
        &mut self,
        place: &Place,
        position: &mut Position,
        out: &mut Out,
    ) -> Result<bool, Failure> {
        loop {
            let read = Read {
                run_id: self.run_id,
                node: place.node.clone(),
                item: place.item,
                attempt: Some(position.attempt),
                offset: position.offset,
                limit: Some(1024 * 1024),
            };
            let part: logs::Part = match self.client.call(read).await {
                Ok(part) => part,
                // A native node has no log, and the log of a deleted attempt is gone.
                Err(ClientError::Rpc(error)) if error.is(ErrorCode::NotFound) => {
                    position.done = place.ended;
                    return Ok(true);
                }
                Err(ClientError::Disconnected(_)) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            if part.offset > position.offset {
                let left_out = part.offset - position.offset;
                self.close(position, out)?;
                self.line(&position.name, &format!("… {left_out} bytes were not kept …"), out)?;
            }
            for piece in &part.pieces {
                self.found = true;
                if piece.stream == Stream::Reasoning && !self.reasoning {
                    continue;
                }
                self.text(position, piece.stream, &piece.text, out)?;
            }
            let moved = part.next > position.offset;
            position.offset = part.next;
            position.done = part.ended && part.next >= part.end;
            if !moved || part.next >= part.end {
                return Ok(true);
            }
        }
    }

    fn text(
        &self,
        position: &mut Position,
        stream: Stream,
        text: &str,
        out: &mut Out,
    ) -> Result<(), Failure> {
        if self.raw && !self.prefixed {
            return out.bytes(text.as_bytes());
        }
        let open = &mut position.open[stream as usize];
        for piece in text.split_inclusive('\n') {
            open.push_str(piece);
            if open.ends_with('\n') || open.len() >= MAX_LINE {
                self.line(&position.name, open.trim_end_matches(['\n', '\r']), out)?;
                open.clear();
            }
        }
        Ok(())
    }

    fn line(&self, name: &str, line: &str, out: &mut Out) -> Result<(), Failure> {
        let safe = match (self.raw, self.colours) {
            (true, _) => line.to_owned(),
            (_, true) => sanitise::colours(line),
            (_, false) => sanitise::plain(line),
        };
        if self.prefixed {
            let name = Paint::stdout().apply(Role::Dim, &format!("{name} |"));
            return out.line(&format!("{name} {safe}"));
        }
        out.line(&safe)
    }

    fn close(&self, position: &mut Position, out: &mut Out) -> Result<(), Failure> {
        for open in &mut position.open {
            if !open.is_empty() {
                self.line(&position.name, open, out)?;
                open.clear();
            }
        }
        Ok(())
    }

    /// Writes the incomplete lines.
    pub(super) fn finish(&mut self, out: &mut Out) -> Result<(), Failure> {
        let mut positions: Vec<_> = self.positions.drain().collect();
        positions.sort_by(|a, b| a.0.cmp(&b.0));
        for (_, position) in &mut positions {
            self.close(position, out)?;
        }
        Ok(())
    }
}
