//! Reads logs part by part and writes them line by line, each line safe to show.

use std::collections::HashMap;

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::logs::{Read, Stream};
use fanlight_shared::rpc::{ErrorCode, logs};
use fanlight_shared::run_state::Instance;
use fanlight_shared::sanitise;

use crate::failure::Failure;
use crate::output::Out;
use crate::output::style::{Paint, Role};

/// A line that is longer is written in pieces of about so many bytes.
const LONGEST: usize = 64 * 1024;

/// Whose log it is.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Place {
    /// The node.
    pub(super) node: String,
    /// The item.
    pub(super) item: ItemPath,
}

/// How far one log was read.
#[derive(Debug, Default)]
struct Position {
    attempt: u32,
    offset: u64,
    /// Lines that have no end yet, by stream.
    open: [String; 3],
}

/// All logs that are read.
pub(super) struct Readers {
    client: Client,
    run_id: RunId,
    prefixed: bool,
    raw: bool,
    colours: bool,
    positions: HashMap<Place, Position>,
    found: bool,
}

impl Readers {
    /// Of this run; `prefixed` puts the node before each line.
    pub(super) fn new(client: Client, run_id: RunId, prefixed: bool, raw: bool) -> Self {
        let colours = Paint::stdout().is_on();
        Self { client, run_id, prefixed, raw, colours, positions: HashMap::new(), found: false }
    }

    /// Whether no log was there at all.
    pub(super) fn found_nothing(&self) -> bool {
        !self.found
    }

    /// Whether more may be there than was read.
    pub(super) fn is_behind(&self, place: &Place, attempt: u32, instance: Option<&Instance>) -> bool {
        match self.positions.get(place) {
            None => true,
            Some(position) => {
                position.attempt != attempt
                    || instance.is_some_and(|it| it.log_end > position.offset || it.status.is_ended())
            }
        }
    }

    /// Writes what came since, up to this attempt: the rest of an earlier one first.
    pub(super) async fn read(&mut self, place: &Place, attempt: u32, out: &mut Out) -> Result<(), Failure> {
        let mut position = self.positions.remove(place).unwrap_or_default();
        let first = if position.attempt == 0 { attempt } else { position.attempt };
        for number in first..=attempt {
            if position.attempt != number {
                self.close(place, &mut position, out)?;
                position = Position { attempt: number, ..Position::default() };
            }
            self.read_attempt(place, &mut position, out).await?;
        }
        self.positions.insert(place.clone(), position);
        Ok(())
    }

    async fn read_attempt(
        &mut self,
        place: &Place,
        position: &mut Position,
        out: &mut Out,
    ) -> Result<(), Failure> {
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
                // A native node has none, and that of a deleted attempt is gone.
                Err(ClientError::Rpc(error)) if error.is(ErrorCode::NotFound) => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            if part.offset > position.offset {
                let left_out = part.offset - position.offset;
                self.close(place, position, out)?;
                self.line(place, &format!("… {left_out} bytes were not kept …"), out)?;
            }
            for piece in &part.pieces {
                self.found = true;
                self.text(place, position, piece.stream, &piece.text, out)?;
            }
            let moved = part.next > position.offset;
            position.offset = part.next;
            if !moved || part.next >= part.end {
                return Ok(());
            }
        }
    }

    fn text(
        &self,
        place: &Place,
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
            if open.ends_with('\n') || open.len() >= LONGEST {
                self.line(place, open.trim_end_matches(['\n', '\r']), out)?;
                open.clear();
            }
        }
        Ok(())
    }

    fn line(&self, place: &Place, line: &str, out: &mut Out) -> Result<(), Failure> {
        let safe = match (self.raw, self.colours) {
            (true, _) => line.to_owned(),
            (_, true) => sanitise::colours(line),
            (_, false) => sanitise::plain(line),
        };
        if self.prefixed {
            let name = format!("{}{}", place.node, place.item);
            let name = Paint::stdout().apply(Role::Dim, &format!("{name} |"));
            return out.line(&format!("{name} {safe}"));
        }
        out.line(&safe)
    }

    fn close(&self, place: &Place, position: &mut Position, out: &mut Out) -> Result<(), Failure> {
        for open in &mut position.open {
            if !open.is_empty() {
                self.line(place, open, out)?;
                open.clear();
            }
        }
        Ok(())
    }

    /// Writes lines that never got an end.
    pub(super) fn finish(&mut self, out: &mut Out) -> Result<(), Failure> {
        let mut positions: Vec<(Place, Position)> = self.positions.drain().collect();
        positions.sort_by(|a, b| (&a.0.node, a.0.item).cmp(&(&b.0.node, b.0.item)));
        for (place, position) in &mut positions {
            self.close(place, position, out)?;
        }
        Ok(())
    }
}
