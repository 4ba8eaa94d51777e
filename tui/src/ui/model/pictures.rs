//! A cache of pictures that are ready to be drawn, bounded in bytes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::effect::Effect;
use crate::ui::picture::PictureMode;
use crate::ui::picture::difference::Difference;
use crate::ui::picture::probe::{Drawing, GraphicsProtocol};
use crate::ui::picture::{DROPPED, Frame, Painted, PictureOf, PictureRequest};

/// How many bytes of ready pictures are kept.
const MAX_BYTES: usize = 64 * 1024 * 1024;

/// The pictures that are ready to be drawn, by request. The update maintains them, the view draws them.
#[derive(Debug, Default)]
pub struct Pictures {
    /// Whether pictures are switched off.
    off: bool,
    drawing: Drawing,
    /// Set while the terminal is being queried about how they are drawn.
    waiting: bool,
    ready: HashMap<PictureOf, Vec<Entry>>,
    /// Requested and not ready yet.
    asked: HashSet<Key>,
    failed: HashMap<PictureOf, String>,
    bytes: usize,
    /// Counts uses, so that the least recently used is dropped first.
    clock: u64,
    /// Image ids that the terminal must delete once the next frame no longer shows them.
    leaving: Vec<u32>,
}

#[derive(Debug)]
struct Entry {
    wanted: PictureRequest,
    frame: Arc<Frame>,
    bytes: usize,
    used: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct Key {
    of: PictureOf,
    cells: (u16, u16),
    thumbnail: bool,
    part: [u32; 4],
    dimmed: bool,
}

impl From<&PictureRequest> for Key {
    fn from(wanted: &PictureRequest) -> Self {
        let part = wanted.part.map(f32::to_bits);
        let PictureRequest { of, cells, thumbnail, dimmed, .. } = *wanted;
        Self { of, cells, thumbnail, part, dimmed }
    }
}

impl Pictures {
    /// Creates an empty cache; [`crate::ui::picture::probe::drawing`] determines how pictures are drawn.
    #[must_use]
    pub fn new(mode: PictureMode, drawing: Drawing) -> Self {
        Self { off: mode == PictureMode::Off, drawing, ..Self::default() }
    }

    /// Stops requests until it is known how pictures are drawn.
    pub fn wait(&mut self) {
        self.waiting = true;
    }

    /// Sets how pictures are drawn from now on.
    pub fn begin(&mut self, drawing: Drawing) {
        self.drawing = drawing;
        self.waiting = false;
    }

    /// Returns how they are drawn.
    #[must_use]
    pub fn drawing(&self) -> Drawing {
        self.drawing
    }

    /// Returns whether pictures are switched off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.off
    }

    /// Called after each frame: makes the terminal forget the pictures that are no longer shown. Everything that shows
    /// pictures then calls [`want`](Self::want), which also keeps them in the cache.
    pub fn shown(&mut self) -> Option<Effect> {
        self.clock += 1;
        self.dismiss()
    }

    /// Requests those of these pictures that are neither ready nor requested.
    pub fn want(&mut self, wanted: impl IntoIterator<Item = PictureRequest>) -> Vec<Effect> {
        let mut effects = Vec::new();
        if self.off || self.waiting {
            return effects;
        }
        for wanted in wanted {
            if wanted.cells.0 == 0 || wanted.cells.1 == 0 || self.failed.contains_key(&wanted.of) {
                continue;
            }
            let key = Key::from(&wanted);
            let there = self
                .ready
                .get_mut(&wanted.of)
                .and_then(|of| of.iter_mut().find(|entry| Key::from(&entry.wanted) == key));
            if let Some(entry) = there {
                entry.used = self.clock;
            } else if self.asked.insert(key) {
                if !key.thumbnail {
                    // The painter leaves out all but the newest part of a zoomed picture.
                    let is_older =
                        |it: &Key| *it != key && !it.thumbnail && (it.of, it.cells) == (key.of, key.cells);
                    self.asked.retain(|it| !is_older(it));
                }
                effects.push(Effect::Paint(wanted));
            }
        }
        effects
    }

    /// Adds a picture. Returns the sequence to send to the terminal before it is shown.
    pub fn painted(&mut self, painted: &Painted) -> Vec<Effect> {
        let Painted { wanted, frame } = painted;
        let key = Key::from(wanted);
        self.asked.remove(&key);
        let bytes = frame.bytes();
        let of = self.ready.entry(wanted.of).or_default();
        // Of a zoomed picture only the visible part is kept, and the previous part until this one is shown.
        let old = of.iter().position(|entry| {
            !wanted.thumbnail && !entry.wanted.thumbnail && entry.wanted.cells == wanted.cells
                || Key::from(&entry.wanted) == key
        });
        if let Some(old) = old {
            let entry = of.remove(old);
            self.bytes -= entry.bytes;
            self.leaving.extend(entry.frame.id);
        }
        of.push(Entry { wanted: *wanted, frame: frame.clone(), bytes, used: self.clock });
        self.bytes += bytes;
        self.shrink();
        frame.transmit.clone().map(Effect::Terminal).into_iter().collect()
    }

    /// Handles a picture that can't be shown, or that was dropped in favour of newer requests.
    pub fn not_painted(&mut self, of: PictureOf, why: &str) {
        self.asked.retain(|key| key.of != of);
        if why != DROPPED {
            self.failed.insert(of, why.to_owned());
        }
    }

    /// Returns whether a picture can't be shown.
    #[must_use]
    pub fn any_failed(&self) -> bool {
        !self.failed.is_empty()
    }

    /// Forgets errors, after a reconnection or by hand: they may have been caused by a lost connection.
    pub fn try_again(&mut self) {
        self.failed.clear();
    }

    /// Drops a picture that was deleted or changed.
    pub fn forget(&mut self, of: impl Into<PictureOf>) {
        let of = of.into();
        self.failed.remove(&of);
        self.asked.retain(|key| key.of != of);
        for entry in self.ready.remove(&of).unwrap_or_default() {
            self.bytes -= entry.bytes;
            self.leaving.extend(entry.frame.id);
        }
    }

    /// Returns why there is no picture.
    #[must_use]
    pub fn error(&self, of: impl Into<PictureOf>) -> Option<&str> {
        self.failed.get(&of.into()).map(String::as_str)
    }

    /// Returns width and height of the original picture in pixels, if it was decoded.
    #[must_use]
    pub fn pixels(&self, of: impl Into<PictureOf>) -> Option<(u32, u32)> {
        let of = self.ready.get(&of.into())?;
        of.iter().find(|entry| !entry.wanted.thumbnail).map(|entry| entry.frame.pixels)
    }

    /// Returns how much two pictures differ, once that was computed.
    #[must_use]
    pub fn difference(&self, of: PictureOf) -> Option<Difference> {
        self.ready.get(&of)?.iter().find_map(|entry| entry.frame.difference)
    }

    /// Draws the columns of `left` before `at`, counted from the left of the area, and the columns of `right` from there on.
    /// Returns `false` if one of them is not there yet, or can only be drawn in full.
    pub fn draw_beside(
        &self,
        (left, right): (&PictureRequest, &PictureRequest),
        at: u16,
        area: Rect,
        buffer: &mut Buffer,
    ) -> bool {
        let (Some(left), Some(right)) = (self.frame(left, area), self.frame(right, area)) else {
            return false;
        };
        if left.in_one_piece || right.in_one_piece {
            return false;
        }
        copy(&right.cells, area.intersection(buffer.area), buffer);
        // Drawn apart, because a picture is in the middle of its area.
        let mut whole = Buffer::empty(area);
        copy(&left.cells, area, &mut whole);
        for position in (Rect { width: at.min(area.width), ..area }).intersection(buffer.area).positions() {
            if let (Some(from), Some(to)) = (whole.cell(position), buffer.cell_mut(position)) {
                *to = from.clone();
            }
        }
        true
    }

    /// Draws a picture in the middle of an area. Returns `false` if there is none yet. If there are several sizes, it
    /// takes the one for this area, else the newest, so that nothing is blank meanwhile.
    pub fn draw(&self, of: impl Into<PictureOf>, area: Rect, buffer: &mut Buffer) -> bool {
        self.draw_request(&PictureRequest::thumbnail(of, (area.width, area.height)), area, buffer)
    }

    /// Like [`draw`](Self::draw), for this request.
    pub fn draw_request(&self, wanted: &PictureRequest, area: Rect, buffer: &mut Buffer) -> bool {
        let Some(frame) = self.frame(wanted, area) else { return false };
        copy(&frame.cells, area.intersection(buffer.area), buffer);
        true
    }

    /// Like [`draw`](Self::draw), at the left of the area.
    pub fn draw_left(&self, of: impl Into<PictureOf>, area: Rect, buffer: &mut Buffer) -> bool {
        let wanted = PictureRequest::thumbnail(of, (area.width, area.height));
        let Some(frame) = self.frame(&wanted, area) else { return false };
        let place = Rect { width: area.width.min(frame.cells.area.width), ..area };
        copy(&frame.cells, place.intersection(buffer.area), buffer);
        true
    }

    fn frame(&self, wanted: &PictureRequest, area: Rect) -> Option<&Frame> {
        if self.off {
            return None;
        }
        let of = self.ready.get(&wanted.of)?;
        let fits = |entry: &&Entry| {
            let cells = entry.frame.cells.area;
            !entry.frame.in_one_piece || cells.width <= area.width && cells.height <= area.height
        };
        // A dark one may stand in for a bright one, which is a product; never the other way round.
        let right = |entry: &&Entry| entry.wanted.dimmed || !wanted.dimmed;
        let key = Key::from(wanted);
        let nearness = |entry: &&Entry| {
            let same = Key::from(&entry.wanted) == key;
            let (cells, kind) =
                (entry.wanted.cells == wanted.cells, entry.wanted.thumbnail == wanted.thumbnail);
            (same, entry.wanted.dimmed == wanted.dimmed, cells && kind, cells, kind, entry.used)
        };
        of.iter().filter(fits).filter(right).max_by_key(nearness).map(|entry| &*entry.frame)
    }

    /// Returns the sequences that send the terminal all its pictures again, after it was cleared or another program
    /// used it.
    #[must_use]
    pub fn again(&self) -> Option<Arc<str>> {
        let frames = self.ready.values().flatten();
        let all: String = frames.filter_map(|entry| entry.frame.transmit.as_deref()).collect();
        (!all.is_empty()).then(|| all.into())
    }

    /// Returns the sequence that makes the terminal forget all pictures of this program.
    #[must_use]
    pub fn farewell(&self) -> Option<Arc<str>> {
        let shown = self.ready.values().flatten().filter_map(|entry| entry.frame.id);
        self.deletes(shown.chain(self.leaving.iter().copied()))
    }

    fn dismiss(&mut self) -> Option<Effect> {
        let leaving = std::mem::take(&mut self.leaving);
        self.deletes(leaving.into_iter()).map(Effect::Terminal)
    }

    fn deletes(&self, ids: impl Iterator<Item = u32>) -> Option<Arc<str>> {
        if self.drawing.protocol != GraphicsProtocol::Kitty {
            return None;
        }
        let (start, escape, end) =
            if self.drawing.tmux { ("\u{1b}Ptmux;", "\u{1b}\u{1b}", "\u{1b}\\") } else { ("", "\u{1b}", "") };
        let all: String =
            ids.map(|id| format!("{start}{escape}_Ga=d,d=I,i={id},q=2{escape}\\{end}")).collect();
        (!all.is_empty()).then(|| all.into())
    }

    /// Drops the least recently used pictures until the rest fits, but never those in the newest frame.
    fn shrink(&mut self) {
        while self.bytes > MAX_BYTES {
            let entries = self.ready.values().flatten().filter(|entry| entry.used < self.clock);
            let Some(oldest) = entries.min_by_key(|entry| entry.used) else { return };
            let (whose, key) = (oldest.wanted.of, Key::from(&oldest.wanted));
            let Some(of) = self.ready.get_mut(&whose) else { return };
            let Some(place) = of.iter().position(|entry| Key::from(&entry.wanted) == key) else { return };
            let entry = of.remove(place);
            if of.is_empty() {
                self.ready.remove(&whose);
            }
            self.bytes -= entry.bytes;
            self.leaving.extend(entry.frame.id);
        }
    }
}

fn copy(cells: &Buffer, area: Rect, buffer: &mut Buffer) {
    let (width, height) = (cells.area.width.min(area.width), cells.area.height.min(area.height));
    let (left, top) = (area.x + (area.width - width) / 2, area.y + (area.height - height) / 2);
    for y in 0..height {
        for x in 0..width {
            if let (Some(from), Some(to)) = (cells.cell((x, y)), buffer.cell_mut((left + x, top + y))) {
                *to = from.clone();
            }
        }
    }
}

#[cfg(test)]
mod tests;
