//! A page of the inspector as rows. Rows of a log are read one by one as they are drawn, because there may be tens of
//! thousands.

use std::borrow::Cow;

use fanlight_shared::id::AssetId;
use fanlight_shared::rpc::logs::Stream;
use fanlight_shared::sanitise::width;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::ui::content::json;
use crate::ui::fit::fit;
use crate::ui::model::Model;
use crate::ui::theme::Theme;
use crate::ui::wrap::wrap;

/// A line with its style.
pub(super) type Text = (String, Style);

/// Rows of a picture among other rows: half the page, within these limits.
const PICTURE_HEIGHT: (u16, u16) = (8, 24);

/// One row of a page; a long text takes several lines if it is wrapped.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Row {
    /// Text.
    Text(String, Style),
    /// A line of JSON.
    Json(String),
    /// A picture.
    Picture(AssetId),
}

/// How rows are drawn.
#[derive(Debug)]
pub(super) struct DrawContext<'a> {
    pub(super) model: &'a Model,
    pub(super) theme: &'a Theme,
    /// The search text, in lower case.
    pub(super) wanted: &'a str,
}

/// All rows of a page.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Page<'a> {
    /// The rows of the page.
    pub(super) rows: Vec<Row>,
    /// The log that follows them.
    pub(super) log: &'a [(Stream, String)],
}

impl Page<'_> {
    /// Returns how many rows.
    pub(super) fn len(&self) -> usize {
        self.rows.len() + self.log.len()
    }

    /// Returns the text of a row.
    pub(super) fn text(&self, row: usize) -> Cow<'_, str> {
        match self.rows.get(row) {
            Some(Row::Text(text, _) | Row::Json(text)) => Cow::Borrowed(text),
            Some(Row::Picture(_)) => Cow::Borrowed(""),
            None => self.log.get(row - self.rows.len()).map_or(Cow::Borrowed(""), |it| Cow::Borrowed(&it.1)),
        }
    }

    /// Returns how many lines a row takes in an area.
    pub(super) fn height(&self, row: usize, place: Rect, wraps: bool) -> usize {
        match self.rows.get(row) {
            Some(Row::Picture(_)) => usize::from(picture(place).height),
            _ if wraps => wrapped(&self.text(row), place.width).len(),
            _ => 1,
        }
    }

    /// Returns the first row in view if the last row is in view.
    pub(super) fn ending(&self, place: Rect, wraps: bool) -> usize {
        let mut left = usize::from(place.height);
        for row in (0..self.len()).rev() {
            let height = self.height(row, place, wraps);
            if height > left {
                return (row + 1).min(self.len().saturating_sub(1));
            }
            left -= height;
        }
        0
    }

    /// Returns the pictures on the page.
    pub(super) fn pictures(&self) -> impl Iterator<Item = AssetId> + '_ {
        self.rows.iter().filter_map(|row| match row {
            Row::Picture(asset) => Some(*asset),
            _ => None,
        })
    }

    /// Draws one row at `y`. Returns the first free line below it.
    pub(super) fn draw(
        &self,
        row: usize,
        y: u16,
        place: Rect,
        wraps: bool,
        context: &DrawContext<'_>,
        buffer: &mut Buffer,
    ) -> u16 {
        let DrawContext { model, theme, wanted } = context;
        let below = Rect { y, height: place.bottom().saturating_sub(y), ..place };
        if let Some(Row::Picture(asset)) = self.rows.get(row) {
            let of = Rect { y, ..picture(place) };
            if of.bottom() > place.bottom() || !model.pictures.draw_left(*asset, of, buffer) {
                let words = if of.bottom() > place.bottom() { "" } else { "the picture is on its way" };
                Line::styled(words, theme.dim).render(Rect { height: 1, ..below }, buffer);
            }
            return of.bottom();
        }
        let text = self.text(row);
        let lines =
            if wraps { wrapped(&text, place.width) } else { vec![fit(&text, usize::from(place.width))] };
        for (line, y) in lines.iter().zip(below.top()..below.bottom()) {
            let at = Rect { y, height: 1, ..below };
            match self.rows.get(row) {
                Some(Row::Json(_)) => Line::from(json::spans(line, theme)).render(at, buffer),
                Some(Row::Text(_, style)) => Span::styled(line.as_str(), *style).render(at, buffer),
                _ => {
                    let stream = self.log.get(row - self.rows.len()).map(|it| it.0);
                    Span::styled(line.as_str(), of_stream(stream, theme)).render(at, buffer);
                }
            }
            mark(line, wanted, at, theme, buffer);
        }
        y + u16::try_from(lines.len()).unwrap_or(u16::MAX).min(below.height)
    }
}

/// Returns the area of a picture, at the left of the page.
pub(super) fn picture(place: Rect) -> Rect {
    let height = (place.height / 2)
        .clamp(PICTURE_HEIGHT.0, PICTURE_HEIGHT.1)
        .min(place.height.saturating_sub(1))
        .max(1);
    Rect {
        x: place.x + 2.min(place.width),
        width: (height * 4).min(place.width.saturating_sub(2)),
        height,
        ..place
    }
}

/// Marks the search text in a drawn line.
fn mark(line: &str, wanted: &str, at: Rect, theme: &Theme, buffer: &mut Buffer) {
    let lower = line.to_lowercase();
    // If lower case changes the length, the positions would not match the line.
    if wanted.is_empty() || lower.len() != line.len() {
        return;
    }
    for (found, words) in lower.match_indices(wanted) {
        let Some(before) = line.get(..found) else { continue };
        let x = at.x + u16::try_from(width(before)).unwrap_or(0);
        let place = Rect { x, width: u16::try_from(width(words)).unwrap_or(0), ..at };
        buffer.set_style(place.intersection(at), theme.matched);
    }
}

fn of_stream(stream: Option<Stream>, theme: &Theme) -> Style {
    match stream {
        Some(Stream::Stdout) => theme.text,
        Some(Stream::Stderr) => theme.warning,
        Some(Stream::Reasoning | Stream::Log) | None => theme.dim,
    }
}

fn wrapped(text: &str, columns: u16) -> Vec<String> {
    let lines = wrap(text, columns);
    if lines.is_empty() { vec![String::new()] } else { lines }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Rect = Rect::new(0, 0, 10, 5);

    fn log(lines: &[&str]) -> Vec<(Stream, String)> {
        lines.iter().map(|line| (Stream::Stdout, (*line).to_owned())).collect()
    }

    #[test]
    fn the_last_page_is_found_by_the_height_of_its_rows() {
        let log = log(&["a", "b", "c", "a line of twenty-two c", "d"]);
        let page = Page { rows: Vec::new(), log: &log };
        assert_eq!(page.height(3, PLACE, true), 3);
        assert_eq!(page.ending(PLACE, true), 2);
        assert_eq!(page.ending(PLACE, false), 0);
    }

    #[test]
    fn rows_above_a_log_count_too() {
        let log = log(&["b", "c"]);
        let page = Page { rows: vec![Row::Text("a".to_owned(), Style::new())], log: &log };
        assert_eq!(page.len(), 3);
        assert_eq!((0..3).map(|row| page.text(row)).collect::<String>(), "abc");
    }
}
