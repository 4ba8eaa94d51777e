//! The layout of a question: its text, choices, attachments, editor and foot.

use fanlight_shared::question::{Question, QuestionKind};
use fanlight_shared::value::Value;
use ratatui::layout::Rect;

use crate::ui::wrap::wrap;

/// The minimum size of a tile.
const MIN_TILE: (u16, u16) = (20, 8);
/// The width from which attachments are beside the rest.
const MIN_WIDTH_BESIDE: u16 = 72;
/// Rows of the editor, with its frame.
const EDITOR_HEIGHT: u16 = 7;

/// The layout of a question.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Layout {
    pub(super) text: Rect,
    /// The choices that are tiles and in view.
    pub(super) tiles: Vec<(usize, Rect)>,
    /// The area of choices that are lines.
    pub(super) list: Rect,
    /// The attachments, by index.
    pub(super) show: Vec<(usize, Rect)>,
    /// The editor with its frame, or the line with yes and no.
    pub(super) input: Rect,
    pub(super) foot: Rect,
    /// How many choices are in a row.
    pub(super) columns: usize,
}

/// Returns the inside of a tile.
pub(super) fn inner(tile: Rect) -> Rect {
    Rect {
        x: tile.x.saturating_add(1),
        y: tile.y.saturating_add(1),
        width: tile.width.saturating_sub(2),
        height: tile.height.saturating_sub(2),
    }
}

/// Lays out a question; `cursor` is the choice that stays in view.
pub(super) fn layout(question: &Question, cursor: usize, inside: Rect) -> Layout {
    let lines = u16::try_from(wrap(&question.text, inside.width).len()).unwrap_or(u16::MAX);
    let text = Rect { height: lines.clamp(1, (inside.height / 3).max(1)), ..inside };
    let foot_rows = if question.deadline.is_some() { 2 } else { 1 };
    let foot_rows = foot_rows.min(inside.height.saturating_sub(text.height));
    let foot = Rect { y: inside.bottom() - foot_rows, height: foot_rows, ..inside };
    let top = (text.bottom() + 1).min(foot.y);
    let middle = Rect { y: top, height: foot.y.saturating_sub(top + 1), ..inside };
    let mut layout = Layout { text, foot, columns: 1, ..Layout::default() };
    let shown = question.show.len();
    match &question.kind {
        QuestionKind::YesNo => {
            let above = Rect { height: middle.height.saturating_sub(2), ..middle };
            layout.show = grid(above, shown, 0).1;
            let y = if layout.show.is_empty() { middle.y } else { middle.bottom().saturating_sub(1) };
            layout.input = Rect { y, height: 1.min(middle.height), ..middle };
        }
        QuestionKind::Value { .. } => {
            let (left, right) = beside(middle, shown > 0);
            let height = EDITOR_HEIGHT.min(left.height);
            if right.is_empty() && shown > 0 {
                // Above it, if there is room.
                layout.input = Rect { y: left.bottom() - height, height, ..left };
                let above = Rect { height: left.height - height, ..left };
                layout.show = grid(above, shown, 0).1;
            } else {
                layout.input = Rect { height, ..left };
                layout.show = grid(right, shown, 0).1;
            }
        }
        QuestionKind::Choice { choices, .. } => {
            let (left, right) = beside(middle, shown > 0);
            layout.show = grid(right, shown, 0).1;
            if choices.iter().any(Value::has_media) {
                (layout.columns, layout.tiles) = grid(left, choices.len(), cursor);
            } else {
                layout.list = left;
            }
        }
    }
    layout
}

/// Returns two halves if there are attachments and room for them beside the rest.
fn beside(area: Rect, split: bool) -> (Rect, Rect) {
    if !split || area.width < MIN_WIDTH_BESIDE {
        return (area, Rect::default());
    }
    let half = area.width / 2;
    let right = Rect { x: area.x + half + 1, width: area.width - half - 1, ..area };
    (Rect { width: half, ..area }, right)
}

/// Returns how many tiles are in a row, and the areas of tiles as large as possible, with the one at `cursor` in view.
fn grid(area: Rect, count: usize, cursor: usize) -> (usize, Vec<(usize, Rect)>) {
    if area.height < 3 || area.width < 3 || count == 0 {
        return (1, Vec::new());
    }
    let most = usize::from((area.width / MIN_TILE.0).max(1)).min(count);
    let visible = |columns: usize| {
        let rows = u16::try_from(count.div_ceil(columns)).unwrap_or(u16::MAX);
        rows.min((area.height / MIN_TILE.1).max(1))
    };
    let size = |columns: usize| {
        let wide = area.width / u16::try_from(columns).unwrap_or(1);
        (wide, area.height / visible(columns))
    };
    // The width of a picture of the usual shape: a cell is about twice as high as it is wide.
    let side = |columns: &usize| {
        let (wide, high) = size(*columns);
        wide.saturating_sub(2).min(high.saturating_sub(2).saturating_mul(8) / 3)
    };
    let columns = (1..=most).rev().max_by_key(side).unwrap_or(1);
    let ((wide, high), rows) = (size(columns), usize::from(visible(columns)));
    let last_first = count.div_ceil(columns).saturating_sub(rows);
    let first = (cursor / columns).saturating_sub(rows / 2).min(last_first);
    let place = |at: usize| {
        let (row, column) = (at / columns - first, at % columns);
        let offset = |number: usize| u16::try_from(number).unwrap_or(0);
        Rect { x: area.x + offset(column) * wide, y: area.y + offset(row) * high, width: wide, height: high }
    };
    let in_view = (first * columns)..((first + rows) * columns).min(count);
    (columns, in_view.map(|at| (at, place(at))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSIDE: Rect = Rect { x: 1, y: 1, width: 100, height: 30 };

    #[test]
    fn tiles_are_within_their_area_and_the_selected_one_is_in_view() {
        for (count, cursor) in [(1, 0), (4, 3), (12, 0), (100, 99), (100, 50)] {
            let (columns, tiles) = grid(INSIDE, count, cursor);
            assert!(columns >= 1 && tiles.iter().any(|(at, _)| *at == cursor), "{count} {cursor}");
            assert!(tiles.iter().all(|(_, tile)| INSIDE.intersection(*tile) == *tile), "{tiles:?}");
            let overlap = tiles.iter().enumerate().any(|(at, (_, one))| {
                tiles.iter().skip(at + 1).any(|(_, other)| !one.intersection(*other).is_empty())
            });
            assert!(!overlap, "{tiles:?}");
        }
        assert_eq!(grid(Rect { width: 2, ..INSIDE }, 3, 0).1, []);
    }

    #[test]
    fn no_part_is_off_screen_however_small_it_is() {
        let shown = vec![Value::from("x"); 3];
        for question in [
            Question { show: shown.clone(), ..Question::yes_no(&"long ".repeat(200)) },
            Question { show: shown.clone(), ..Question::value("?", fanlight_shared::types::Type::Text) },
            Question { show: shown, ..Question::choice("?", vec![Value::from("a"); 40], true) },
        ] {
            for (width, height) in [(1, 1), (38, 7), (80, 20), (200, 60)] {
                let inside = Rect { x: 1, y: 1, width, height };
                let layout = layout(&question, 0, inside);
                let parts = [layout.text, layout.list, layout.input, layout.foot];
                let all = parts.into_iter().chain(layout.show.iter().map(|it| it.1));
                for part in all.filter(|part| !part.is_empty()) {
                    assert_eq!(inside.intersection(part), part, "{width}×{height}");
                }
            }
        }
    }
}
