//! Draws a product in an area: a picture, waveform, excerpt, number or name.

pub mod code;
pub mod json;

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::value::{Value, cut};
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget};

use crate::text;
use crate::ui::model::Model;
use crate::ui::model::gallery::preview::Preview;
use crate::ui::theme::Theme;
use crate::ui::wrap::wrap;

/// How many characters of a text a tile uses.
const MAX_EXCERPT: usize = 4096;

/// Draws a product into an area of any size.
pub fn view(asset: &Asset, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    match asset.kind {
        AssetKind::Image | AssetKind::Video => {
            if !model.pictures.draw(asset.id, area, buffer) {
                named(asset, model, theme, area, buffer);
            }
        }
        AssetKind::Audio | AssetKind::File | AssetKind::Dir => match model.gallery.previews.get(asset.id) {
            Some(Preview::Peaks(peaks)) => waveform(peaks, model.options.ascii, theme, area, buffer),
            Some(Preview::Text(text)) if asset.mime.contains("json") => {
                coloured(text, theme, area, buffer);
            }
            Some(Preview::Text(text)) => excerpt(text, theme, area, buffer),
            None => named(asset, model, theme, area, buffer),
        },
        AssetKind::Number => number(&asset.value, theme, area, buffer),
        AssetKind::Text | AssetKind::Json => value(&asset.value, theme, area, buffer),
    }
}

/// Draws a value that isn't media.
pub fn value(value: &Value, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    match value {
        Value::Text(text) => excerpt(text, theme, area, buffer),
        Value::Large(large) => excerpt(&format!("{}…", large.head), theme, area, buffer),
        Value::Int(_) | Value::Float(_) => number(value, theme, area, buffer),
        Value::Media(media) => centred(std::slice::from_ref(&media.name), theme, area, buffer),
        value => {
            let text = serde_json::to_string_pretty(&value.to_json()).unwrap_or_default();
            coloured(&text, theme, area, buffer);
        }
    }
}

/// Draws the beginning of a JSON text; text on one line is reformatted, or little of it would be visible.
fn coloured(text: &str, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let text = json::readable(text);
    // Only the beginning of a long line may be known.
    let is_cut = json::has_one_line(&text);
    let lines = if is_cut { json::wrapped(&text, theme, area.width) } else { json::highlight(&text, theme) };
    Paragraph::new(lines.into_iter().take(area.height.into()).collect::<Vec<_>>()).render(area, buffer);
}

fn excerpt(text: &str, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let head: String = text.chars().take(MAX_EXCERPT).collect();
    for (y, line) in (area.y..area.bottom()).zip(wrap(&head, area.width)) {
        buffer.set_stringn(area.x, y, &line, area.width.into(), theme.text);
    }
}

fn number(value: &Value, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let line =
        Line::styled(value.summary(usize::from(area.width)), theme.accent).alignment(Alignment::Center);
    line.render(Rect { y: area.y + area.height / 2, height: 1, ..area }, buffer);
}

/// Draws a product that has no picture: its name, its size, and why.
fn named(asset: &Asset, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let mut lines = vec![asset.name.clone()];
    let pixels = asset.value.as_media().and_then(|media| Some((media.width?, media.height?)));
    lines.push(match pixels {
        Some((width, height)) => format!("{width}×{height} · {}", text::size(asset.bytes)),
        None => format!("{} · {}", asset.kind.word(), text::size(asset.bytes)),
    });
    if let Some(error) = model.pictures.error(asset.id) {
        lines.extend(wrap(error, area.width));
    } else if asset.preview == PreviewState::Pending {
        lines.push("preview on its way".to_owned());
    }
    centred(&lines, theme, area, buffer);
}

fn centred(lines: &[String], theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).min(area.height);
    let top = area.y + (area.height - rows) / 2;
    for (y, line) in (top..area.bottom()).zip(lines) {
        let line = Line::styled(cut(line, area.width.into()), theme.dim).alignment(Alignment::Center);
        line.render(Rect { y, height: 1, ..area }, buffer);
    }
}

/// Draws the peaks of a sound, with two columns and four rows of dots per cell.
pub fn waveform(peaks: &[[f32; 2]], ascii: bool, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (columns, rows) = (usize::from(area.width) * 2, usize::from(area.height) * 4);
    if peaks.is_empty() || columns == 0 || rows == 0 {
        return;
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
    let row = |level: f32| (((1.0 - level.clamp(-1.0, 1.0)) / 2.0) * (rows - 1) as f32).round() as usize;
    for x in 0..columns {
        let from = x * peaks.len() / columns;
        let to = ((x + 1) * peaks.len() / columns).max(from + 1).min(peaks.len());
        let of = &peaks[from..to];
        let top = row(of.iter().map(|it| it[1]).fold(f32::MIN, f32::max));
        let bottom = row(of.iter().map(|it| it[0]).fold(f32::MAX, f32::min));
        for y in top..=bottom.max(top) {
            dot(x, y, ascii, theme, area, buffer);
        }
    }
}

fn dot(x: usize, y: usize, ascii: bool, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
    const EMPTY: u32 = 0x2800;
    let offset = |it: usize| u16::try_from(it).unwrap_or(u16::MAX);
    let Some(cell) = buffer.cell_mut((area.x + offset(x / 2), area.y + offset(y / 4))) else { return };
    cell.set_style(theme.running);
    if ascii {
        cell.set_symbol("#");
        return;
    }
    let before = cell.symbol().chars().next().map(u32::from).filter(|it| (EMPTY..EMPTY + 256).contains(it));
    if let Some(character) = char::from_u32(before.unwrap_or(EMPTY) | DOTS[x % 2][y % 4]) {
        cell.set_char(character);
    }
}
