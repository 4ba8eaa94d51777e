//! The tiles and their layout.

use fanlight_shared::id::RunId;
use fanlight_shared::run::Run;
use ratatui::layout::Rect;

use crate::ui::model::Model;
use crate::ui::model::gallery::{Scope, Tile};
use crate::ui::pane::Pane;

/// The layout of a pane: rows of equal tiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Tiles a row.
    pub columns: usize,
    /// Rows in view.
    pub rows: usize,
    /// Cells of a tile.
    pub width: u16,
    /// Cells of a tile.
    pub height: u16,
    area: Rect,
}

/// The default height of a tile in rows.
const DEFAULT_HEIGHT: u16 = 11;
/// Columns for `+123`.
const MORE_WIDTH: u16 = 6;

impl Layout {
    /// Returns the layout of `count` tiles in this area.
    #[must_use]
    pub fn of(area: Rect, count: usize) -> Self {
        let rows = (area.height / DEFAULT_HEIGHT).max(1);
        let height = (area.height / rows).max(1);
        // Pictures are usually 4:3, and a cell is half as wide as it is high.
        let wanted = (height.saturating_sub(2) * 8 / 3 + 2).clamp(16, 40).min(area.width.max(1));
        let fits = (area.width / wanted).max(1);
        // A single row shows at its end how many tiles don't fit. They get a little narrower if one more fits then.
        let shared = |columns: u16| {
            let more = if count > usize::from(columns) && columns > 1 { MORE_WIDTH } else { 0 };
            area.width.saturating_sub(more) / columns
        };
        let squeezed = rows == 1 && count > usize::from(fits) && shared(fits + 1) >= wanted * 4 / 5;
        let columns = if squeezed { fits + 1 } else { fits };
        let width = if rows == 1 { wanted.min(shared(columns)) } else { area.width / columns };
        Self { columns: columns.into(), rows: rows.into(), width: width.max(1), height, area }
    }

    /// Returns the area of the tile with this index after the first one in view.
    #[must_use]
    pub fn place(&self, index: usize) -> Option<Rect> {
        if index >= self.columns * self.rows {
            return None;
        }
        let cells = |count: usize, each: u16| u16::try_from(count).unwrap_or(u16::MAX).saturating_mul(each);
        let x = self.area.x + cells(index % self.columns, self.width);
        let y = self.area.y + cells(index / self.columns, self.height);
        Some(Rect { x, y, width: self.width, height: self.height }.intersection(self.area))
    }

    /// Returns the area for `+5`, after a single row.
    #[must_use]
    pub fn more(&self) -> Option<Rect> {
        let taken = self.width.saturating_mul(u16::try_from(self.columns).unwrap_or(u16::MAX));
        let free = self.area.width.saturating_sub(taken);
        let place = Rect { x: self.area.x + taken.min(self.area.width), width: free, ..self.area };
        (self.rows == 1 && free >= 3).then_some(place)
    }
}

/// Returns the running runs that have no product in the list yet, the newest first.
#[must_use]
pub fn live(model: &Model) -> Vec<&Run> {
    let gallery = &model.gallery;
    if gallery.filter.kind.is_some() || gallery.filter.starred || !gallery.filter.text.is_empty() {
        return Vec::new();
    }
    let workflow = model.workflow_id();
    let mut runs: Vec<&Run> = model
        .projection
        .active()
        .filter(|run| match gallery.filter.scope {
            Scope::Node => Some(run.workflow_id) == workflow && !gallery.landed.contains(&run.id),
            Scope::Workflow => Some(run.workflow_id) == workflow,
            Scope::Everything => true,
        })
        .collect();
    runs.sort_by_key(|run| std::cmp::Reverse((run.start_order, run.number)));
    runs
}

/// Returns how many tiles there are in the pages read so far.
#[must_use]
pub fn count(model: &Model) -> usize {
    live(model).len() + model.gallery.assets.len()
}

/// Returns the tile of this number.
#[must_use]
pub fn tile(model: &Model, live: &[&Run], index: usize) -> Option<Tile> {
    match live.get(index) {
        Some(run) => Some(Tile::Live(run.id)),
        None => model.gallery.assets.get(index - live.len()).map(|asset| Tile::Asset(asset.id)),
    }
}

/// Returns the index of the tile under the cursor, which is on the run in focus until the user moves it. A live tile
/// becomes the tile of its product.
#[must_use]
pub fn at(model: &Model) -> usize {
    let live = live(model);
    let assets = &model.gallery.assets;
    let of_run = |run: RunId| {
        let landed = || assets.iter().position(|asset| asset.run_id == run).map(|it| it + live.len());
        live.iter().position(|it| it.id == run).or_else(landed)
    };
    let place = match model.gallery.at {
        None => model.focus().and_then(of_run),
        Some(Tile::Live(run)) => of_run(run),
        Some(Tile::Asset(id)) => assets.iter().position(|asset| asset.id == id).map(|it| it + live.len()),
    };
    place.unwrap_or(0)
}

/// Returns the run of the tile under the cursor.
#[must_use]
pub fn run_at(model: &Model) -> Option<RunId> {
    match tile(model, &live(model), at(model))? {
        Tile::Live(run) => Some(run),
        Tile::Asset(id) => model.gallery.asset(id).map(|asset| asset.run_id),
    }
}

/// Returns the index of the tile that must be in view: the one under the cursor while the gallery has the focus, else
/// that of the run in focus.
fn watched(model: &Model) -> usize {
    let cursor = at(model);
    if model.pane == Pane::Gallery {
        return cursor;
    }
    let Some(focus) = model.focus() else { return cursor };
    let live = live(model);
    let landed = || model.gallery.assets.iter().position(|asset| asset.run_id == focus);
    let place = live.iter().position(|run| run.id == focus);
    place.or_else(|| landed().map(|it| it + live.len())).unwrap_or(cursor)
}

/// Returns the first row in view, such that the watched tile is visible.
#[must_use]
pub fn top(model: &Model, layout: &Layout) -> usize {
    let row = watched(model) / layout.columns;
    let least = (row + 1).saturating_sub(layout.rows);
    model.gallery.top.clamp(least, row)
}

/// Returns the first tile in view; a single row is full if there are enough tiles.
#[must_use]
pub fn first(model: &Model, layout: &Layout, count: usize) -> usize {
    let first = top(model, layout) * layout.columns;
    if layout.rows == 1 { first.min(count.saturating_sub(layout.columns)) } else { first }
}
