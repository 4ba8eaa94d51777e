//! Draws the viewer.

use std::time::Duration;

use fanlight_shared::asset::AssetKind;
use fanlight_shared::time::human_duration;
use fanlight_shared::value::{Value, cut};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::Viewer;
use crate::text;
use crate::ui::areas::Areas;
use crate::ui::content::{self, json};
use crate::ui::frame::screen;
use crate::ui::model::Model;
use crate::ui::model::gallery::preview::Preview;
use crate::ui::theme::Theme;
use crate::ui::wrap::wrap;

/// Columns of the recipe.
const RECIPE_WIDTH: u16 = 36;

/// Returns the areas of the product and its recipe.
pub(super) fn places(inside: Rect, recipe: bool) -> (Rect, Rect) {
    let beside = if recipe { RECIPE_WIDTH.min(inside.width / 2) } else { 0 };
    let product = Rect { width: inside.width.saturating_sub(beside + u16::from(recipe)), ..inside };
    (product, Rect { x: inside.right() - beside, width: beside, ..inside })
}

pub(super) fn view(
    viewer: &Viewer,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let asset = &viewer.asset;
    let star = match (asset.starred, model.options.ascii) {
        (false, _) => "",
        (true, false) => "  ★",
        (true, true) => "  *",
    };
    let label = model.projection.run(asset.run_id).filter(|run| run.label != run.title);
    let label = label.map(|run| format!(" {}", run.label)).unwrap_or_default();
    let title = format!("{}{label} · {}{}.{}{star}", asset.run, asset.node, asset.item, asset.port);
    let inside = screen(&cut(&title, area.width.saturating_sub(6).into()), model, theme, area, buffer, areas);
    let (product, recipe) = places(inside, viewer.recipe_shown);
    draw(viewer, model, theme, product, buffer);
    if viewer.recipe_shown {
        for y in recipe.top()..recipe.bottom() {
            let edge = if model.options.ascii { "|" } else { "│" };
            buffer.set_string(recipe.x.saturating_sub(1), y, edge, theme.border);
        }
        let recipe = Rect { x: recipe.x + 1, width: recipe.width.saturating_sub(1), ..recipe };
        for (y, line) in (recipe.top()..recipe.bottom()).zip(recipe_lines(viewer, theme, recipe.width)) {
            line.render(Rect { y, height: 1, ..recipe }, buffer);
        }
    }
}

fn draw(viewer: &Viewer, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let asset = &viewer.asset;
    if viewer.is_deleted() {
        return Line::styled("this product was deleted", theme.dim).render(area, buffer);
    }
    if viewer.is_picture() {
        if !model.pictures.draw_request(&viewer.wanted(model, area), area, buffer) {
            content::view(asset, model, theme, area, buffer);
        }
        return;
    }
    if asset.kind == AssetKind::Audio {
        return content::view(asset, model, theme, area, buffer);
    }
    if let Some(text) = &viewer.text {
        let lines = text.lines(area.width);
        let first = viewer.scroll.min(lines.len().saturating_sub(area.height.into()));
        for (y, line) in (area.top()..area.bottom()).zip(&lines[first..]) {
            text.coloured(line, theme).render(Rect { y, height: 1, ..area }, buffer);
        }
        return;
    }
    let preview = match model.gallery.previews.get(asset.id) {
        Some(Preview::Text(text)) => Some(&**text),
        _ => None,
    };
    let lines: Vec<Line<'_>> = match (&asset.value, preview) {
        (_, Some(text)) if asset.mime.contains("json") => {
            json::wrapped(&json::readable(text), theme, area.width)
        }
        (_, Some(text)) => plain(text, theme, area.width),
        (Value::Text(text), None) => plain(text, theme, area.width),
        (value, None) if asset.kind == AssetKind::Json => {
            json::highlight(&serde_json::to_string_pretty(&value.to_json()).unwrap_or_default(), theme)
        }
        _ => return content::view(asset, model, theme, area, buffer),
    };
    let first = viewer.scroll.min(lines.len().saturating_sub(area.height.into()));
    for (y, line) in (area.top()..area.bottom()).zip(lines.into_iter().skip(first)) {
        line.render(Rect { y, height: 1, ..area }, buffer);
    }
}

fn plain<'a>(text: &str, theme: &Theme, columns: u16) -> Vec<Line<'a>> {
    wrap(text, columns).into_iter().map(|line| Line::styled(line, theme.text)).collect()
}

fn recipe_lines<'a>(viewer: &Viewer, theme: &Theme, columns: u16) -> Vec<Line<'a>> {
    let asset = &viewer.asset;
    let room = usize::from(columns).saturating_sub(10);
    let row = |name: &str, value: String| {
        Line::from(vec![
            Span::styled(format!("{:<9} ", cut(name, 9)), theme.dim),
            Span::styled(cut(&value, room), theme.text),
        ])
    };
    let mut lines = vec![
        row("run", asset.run.clone()),
        row("node", format!("{}{}", asset.node, asset.item)),
        row("made", text::clock(asset.created_at)),
        row("size", text::size(asset.bytes)),
        row("type", asset.mime.clone()),
    ];
    if let Some(media) = asset.value.as_media()
        && let (Some(width), Some(height)) = (media.width, media.height)
    {
        lines.push(row("pixels", format!("{width}×{height}")));
    }
    let Some(recipe) = &viewer.recipe else { return lines };
    lines.insert(1, row("label", recipe.label.clone()));
    lines.push(row("attempt", recipe.attempt.to_string()));
    lines.push(row("took", human_duration(Duration::from_millis(recipe.duration_ms))));
    if let Some(cost) = recipe.cost_usd {
        lines.push(row("cost", format!("${cost:.4}")));
    }
    lines.push(row("version", recipe.version.as_str().chars().take(12).collect()));
    lines.push(row("id", asset.id.to_string()));
    lines.push(Line::default());
    lines.push(Line::styled("params", theme.accent));
    lines.extend(recipe.params.iter().map(|(name, value)| row(name, value.summary(room))));
    lines
}
