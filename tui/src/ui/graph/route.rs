//! Draws edges as cells: where two meet they form a junction, with the colour of the more important one.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::viewport::Viewport;
use super::{FlowDirection, Route};
use crate::ui::theme::Theme;

const UP: u8 = 1;
const DOWN: u8 = 2;
const LEFT: u8 = 4;
const RIGHT: u8 = 8;

/// The distance between moving cells of an edge.
const STRIDE: u64 = 6;

/// The activity of an edge; later variants are drawn over earlier ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub enum Tone {
    /// Nothing carries.
    #[default]
    Rest,
    /// Leads to a running node.
    Active,
    /// Of the selected node.
    Selected,
}

#[derive(Clone, Copy, Default)]
struct EdgeCell {
    arms: u8,
    tone: Tone,
    /// The bright cell of a moving edge.
    bright: bool,
    arrow: bool,
}

/// The edges in view.
pub struct EdgeCanvas<'a> {
    view: &'a Viewport,
    cells: Vec<EdgeCell>,
}

impl<'a> EdgeCanvas<'a> {
    /// Creates an empty canvas of this view.
    #[must_use]
    pub fn new(view: &'a Viewport) -> Self {
        let (width, height) = view.size;
        let cells = usize::try_from(width).unwrap_or(0) * usize::try_from(height).unwrap_or(0);
        Self { view, cells: vec![EdgeCell::default(); cells] }
    }

    fn at(&mut self, x: i32, y: i32) -> Option<&mut EdgeCell> {
        let (x, y) = (x - self.view.origin.0, y - self.view.origin.1);
        let (width, height) = self.view.size;
        if x < 0 || y < 0 || x >= width || y >= height {
            return None;
        }
        self.cells.get_mut(usize::try_from(y * width + x).ok()?)
    }

    /// Adds an edge. With a beat, its cells move.
    pub fn add(&mut self, route: &Route, tone: Tone, beat: Option<u64>) {
        let mut cells = Cells::of(&route.points);
        let (Some(mut before), Some(mut here)) = (cells.next(), cells.next()) else { return };
        let mut count = 0u64;
        for after in cells {
            if let Some(cell) = self.at(here.0, here.1) {
                let arms = arm(here, before) | arm(here, after);
                cell.arms |= arms;
                cell.tone = cell.tone.max(tone);
                let moves = beat.is_some_and(|beat| (count + STRIDE - beat % STRIDE).is_multiple_of(STRIDE));
                cell.bright |= moves;
            }
            count += 1;
            (before, here) = (here, after);
        }
        // `before` is now the last cell of the edge, `here` the border of the node it enters.
        if count > 0
            && let Some(cell) = self.at(before.0, before.1)
        {
            cell.arrow = true;
            cell.bright = false;
        }
    }

    /// Draws them.
    pub fn draw(&self, flow: FlowDirection, theme: &Theme, ascii: bool, area: Rect, buffer: &mut Buffer) {
        let width = usize::from(area.width).max(1);
        let columns = usize::try_from(self.view.size.0).unwrap_or(0).max(1);
        for (index, cell) in self.cells.iter().enumerate().filter(|(_, it)| it.arms != 0) {
            let (x, y) = (index % columns, index / columns);
            if x >= width || y >= usize::from(area.height) {
                continue;
            }
            let style = match (cell.bright, cell.tone) {
                (true, _) => theme.running,
                (_, Tone::Rest) => theme.edge,
                (_, Tone::Active) => theme.edge_active,
                (_, Tone::Selected) => theme.accent,
            };
            let (x, y) = (u16::try_from(x).unwrap_or(0), u16::try_from(y).unwrap_or(0));
            if let Some(drawn) = buffer.cell_mut((area.x + x, area.y + y)) {
                drawn.set_symbol(symbol(*cell, flow, ascii)).set_style(style);
            }
        }
    }
}

/// Every cell from the first point to the last, including both ends.
struct Cells<'a> {
    points: &'a [(i32, i32)],
    here: Option<(i32, i32)>,
}

impl<'a> Cells<'a> {
    fn of(points: &'a [(i32, i32)]) -> Self {
        Self { points: points.get(1..).unwrap_or(&[]), here: points.first().copied() }
    }
}

impl Iterator for Cells<'_> {
    type Item = (i32, i32);
    fn next(&mut self) -> Option<(i32, i32)> {
        let here = self.here?;
        while self.points.first() == Some(&here) {
            self.points = &self.points[1..];
        }
        self.here = self.points.first().map(|next| {
            let (x, y) = (next.0 - here.0, next.1 - here.1);
            // Two points share a column or a row; otherwise it walks the column first.
            if x != 0 { (here.0 + x.signum(), here.1) } else { (here.0, here.1 + y.signum()) }
        });
        Some(here)
    }
}

fn arm(here: (i32, i32), other: (i32, i32)) -> u8 {
    match (other.0 - here.0, other.1 - here.1) {
        (x, _) if x < 0 => LEFT,
        (x, _) if x > 0 => RIGHT,
        (_, y) if y < 0 => UP,
        _ => DOWN,
    }
}

fn symbol(cell: EdgeCell, flow: FlowDirection, ascii: bool) -> &'static str {
    const CROSS: u8 = UP | DOWN | LEFT | RIGHT;
    if cell.arrow {
        return match (flow, ascii) {
            (FlowDirection::Right, false) => "▸",
            (FlowDirection::Down, false) => "▾",
            (FlowDirection::Right, true) => ">",
            (FlowDirection::Down, true) => "v",
        };
    }
    let across = cell.arms & (LEFT | RIGHT) == cell.arms;
    let along = cell.arms & (UP | DOWN) == cell.arms;
    if ascii {
        return match (across, along, cell.bright) {
            (true, _, false) => "-",
            (true, _, true) => "=",
            (_, true, false) => "|",
            (_, true, true) => "!",
            _ => "+",
        };
    }
    match (cell.arms, cell.bright) {
        (_, true) if across => "━",
        (_, true) if along => "┃",
        _ if across => "─",
        _ if along => "│",
        (arms, _) if arms == UP | RIGHT => "╰",
        (arms, _) if arms == UP | LEFT => "╯",
        (arms, _) if arms == DOWN | RIGHT => "╭",
        (arms, _) if arms == DOWN | LEFT => "╮",
        (arms, _) if arms == CROSS => "┼",
        (arms, _) if arms & UP == 0 => "┬",
        (arms, _) if arms & DOWN == 0 => "┴",
        (arms, _) if arms & LEFT == 0 => "├",
        _ => "┤",
    }
}
