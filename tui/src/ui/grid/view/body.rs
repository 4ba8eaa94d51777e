//! The inside of a large card, below its first line: a picture or a sound under its name, or a text of several lines.

use fanlight_shared::asset::AssetKind;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::ui::content;
use crate::ui::model::Model;
use crate::ui::model::gallery::preview::Preview;
use crate::ui::node::{Facts, Shown};
use crate::ui::picture::PictureRequest;
use crate::ui::theme::Theme;
use crate::ui::wrap::wrap;

/// Columns and rows of a card that its picture doesn't have: the frame, its margin, the first line and the name.
const AROUND: (u16, u16) = (4, 4);

/// Returns the request for the picture in a card of this size, if it is one.
#[must_use]
pub fn request(shown: &Shown, (columns, rows): (u16, u16)) -> Option<PictureRequest> {
    let cells = (columns.saturating_sub(AROUND.0), rows.saturating_sub(AROUND.1));
    let picture = matches!(shown.picture.kind, AssetKind::Image | AssetKind::Video);
    let request = PictureRequest::thumbnail(shown.picture.asset, cells);
    picture.then(|| if shown.is_other { request.dimmed() } else { request })
}

/// Draws it into this area of a card; `size` is the size of the card.
pub(super) fn draw(
    facts: &Facts<'_>,
    model: &Model,
    size: (u16, u16),
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let columns = usize::from(area.width);
    let value = |buffer: &mut Buffer| {
        Line::from(facts.value(theme, columns)).render(Rect { height: 1.min(area.height), ..area }, buffer);
    };
    if let Some(failure) = facts.failed_with() {
        return text(&failure, theme.bad, false, area, buffer);
    }
    if facts.question().is_some() || area.height < 2 {
        return value(buffer);
    }
    if let Some(shown) = facts.shown() {
        value(buffer);
        let below = Rect { y: area.y + 1, height: area.height - 1, ..area };
        picture(&shown, model, size, theme, below, buffer);
    } else if let Some(value) = facts.plain_value() {
        content::value(value, theme, area, buffer);
    } else if let Some(unfinished) = facts.unfinished_text() {
        text(unfinished, theme.dim, true, area, buffer);
    } else {
        value(buffer);
    }
}

fn picture(shown: &Shown, model: &Model, size: (u16, u16), theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if let Some(request) = request(shown, size) {
        model.pictures.draw_request(&request, area, buffer);
    } else if let Some(Preview::Peaks(peaks)) = model.gallery.previews.get(shown.picture.asset) {
        content::waveform(peaks, model.options.ascii, theme, area, buffer);
        if shown.is_other {
            buffer.set_style(area, theme.dim);
        }
    }
}

/// Draws the first lines of a text, or its last ones.
fn text(text: &str, style: Style, end: bool, area: Rect, buffer: &mut Buffer) {
    let lines = wrap(text, area.width);
    let first = if end { lines.len().saturating_sub(area.height.into()) } else { 0 };
    for (y, line) in (area.y..area.bottom()).zip(&lines[first..]) {
        buffer.set_stringn(area.x, y, line, area.width.into(), style);
    }
}
