//! One tile: its frame shows the run and whether it is in focus, marked or starred; the product is inside.

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::run::Run;
use fanlight_shared::value::cut;
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::symbols::border;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};
use unicode_width::UnicodeWidthStr;

use crate::ui::content;
use crate::ui::frame::ASCII;
use crate::ui::gallery::interim;
use crate::ui::model::Model;
use crate::ui::model::gallery::Scope;
use crate::ui::theme::{Theme, run_glyph};

/// How a tile is highlighted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark {
    /// Under the cursor of the focused pane.
    pub selected: bool,
    /// Of the run in focus, if there are several runs.
    pub ringed: bool,
}

const ASCII_RING: border::Set<'static> = border::Set {
    top_left: "#",
    top_right: "#",
    bottom_left: "#",
    bottom_right: "#",
    vertical_left: "#",
    vertical_right: "#",
    horizontal_top: "=",
    horizontal_bottom: "=",
};

/// Returns how the tile of this run is highlighted.
#[must_use]
pub fn mark(model: &Model, run: fanlight_shared::id::RunId, selected: bool) -> Mark {
    Mark { selected, ringed: model.is_one_of_many() && model.focus() == Some(run) }
}

/// Draws the tile of a product.
pub fn product(asset: &Asset, mark: Mark, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let marked = model.gallery.marked.contains(&asset.id);
    let mut caption = run_words(asset, model);
    if marked {
        caption.insert_str(0, if model.options.ascii { "* " } else { "● " });
    }
    let mut below = String::new();
    if model.gallery.filter.scope != Scope::Node {
        below.push_str(&asset.node);
    }
    if !asset.item.is_whole() || asset.ordinal > 0 {
        below.push_str(&asset.item.to_string());
        if asset.ordinal > 0 {
            below.push_str(&format!("·{}", asset.ordinal));
        }
    }
    if asset.kind == AssetKind::Video {
        below.push_str(if model.options.ascii { " video" } else { " ▶ video" });
    }
    let star = asset.starred.then_some(if model.options.ascii { "*" } else { "★" });
    let styles = if marked { (theme.marked, theme.marked) } else { (theme.border, theme.text) };
    let inside = frame((&caption, below.trim(), star), styles, mark, model, theme, area, buffer);
    content::view(asset, model, theme, inside, buffer);
}

/// Returns `#12 seed=7`, or `poster#12` where products of several workflows are shown.
#[must_use]
pub fn run_words(asset: &Asset, model: &Model) -> String {
    let number = match asset.run.rsplit_once('#') {
        Some((_, number)) if model.gallery.filter.scope != Scope::Everything => format!("#{number}"),
        _ => asset.run.clone(),
    };
    match model.projection.run(asset.run_id) {
        Some(run) if run.label != run.title => format!("{number} {}", run.label),
        _ => number,
    }
}

/// Draws the tile of a run whose product doesn't exist yet.
pub fn live(run: &Run, mark: Mark, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let beat = if model.options.motion { model.beat } else { 0 };
    let glyph = run_glyph(run.state, beat, model.options.ascii);
    let caption = format!("{glyph} #{} {}", run.number, if run.label == run.title { "" } else { &run.label });
    // The frame is light: a heavy one marks the run in focus.
    let styles = (theme.border, theme.running);
    let inside = frame((&caption, "live", None), styles, mark, model, theme, area, buffer);
    if inside.is_empty() {
        return;
    }
    let node = crate::ui::model::gallery::list::node(model);
    let of_node = |it: &&crate::ui::model::gallery::InterimValue| {
        it.run == run.id && node.as_ref().is_none_or(|node| *node == it.node)
    };
    let above = Rect { height: inside.height - 1, ..inside };
    let interim_value = model.gallery.interim_values.iter().rev().find(of_node).map(|it| &it.value);
    let drawn = interim::picture(model, run.id).is_some_and(|asset| {
        let request = interim::request(asset, (inside.width, inside.height));
        model.pictures.draw_request(&request, above, buffer)
    });
    if let Some(value) = interim_value.filter(|value| !drawn || !value.has_media()) {
        content::value(value, theme, above, buffer);
    }
    let done = format!("{}/{}", run.nodes_done, run.nodes);
    let wide = inside.width.saturating_sub(u16::try_from(done.len() + 1).unwrap_or(0));
    let full = u32::from(wide) * run.nodes_done / run.nodes.max(1);
    let (bar, rest) = if model.options.ascii { ("=", "-") } else { ("━", "─") };
    let full = usize::try_from(full).unwrap_or(0).min(wide.into());
    let line = Line::from(vec![
        Span::styled(bar.repeat(full), theme.running),
        Span::styled(rest.repeat(usize::from(wide) - full), theme.dim),
        Span::styled(format!(" {done}"), theme.dim),
    ]);
    line.render(Rect { y: inside.bottom() - 1, height: 1, ..inside }, buffer);
}

/// Draws the frame with its title, or only a line where the tile is too small. Returns the inside.
fn frame(
    (caption, below, star): (&str, &str, Option<&str>),
    (style, words): (Style, Style),
    mark: Mark,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let lit = mark.ringed || mark.selected;
    let (style, words) = if lit { (theme.accent, theme.accent) } else { (style, words) };
    let words = if mark.selected { theme.selected } else { words };
    if area.height < 4 {
        let place = Rect { width: area.width.saturating_sub(1), height: 1.min(area.height), ..area };
        let ring = if mark.ringed { if model.options.ascii { "#" } else { "▌" } } else { " " };
        Line::from(vec![Span::styled(ring, theme.accent), Span::styled(caption.to_owned(), words)])
            .render(place, buffer);
        let height = area.height.saturating_sub(1);
        return Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height };
    }
    let set = match (mark.ringed, model.options.ascii) {
        (true, false) => border::THICK,
        (false, false) => border::ROUNDED,
        (true, true) => ASCII_RING,
        (false, true) => ASCII,
    };
    let room = usize::from(area.width).saturating_sub(4);
    let mut short = caption.to_owned();
    let mut limit = room;
    while short.width() > room && limit > 0 {
        short = cut(caption, limit);
        limit -= 1;
    }
    let mut block = Block::bordered()
        .border_set(set)
        .border_style(style)
        .title(Line::styled(format!(" {short} "), words));
    if !below.is_empty() {
        block = block.title_bottom(Line::styled(format!(" {} ", cut(below, room)), theme.dim));
    }
    if let Some(star) = star {
        let star = Line::styled(format!("{star} "), theme.star).alignment(Alignment::Right);
        block = block.title_bottom(star);
    }
    let inside = block.inner(area);
    block.render(area, buffer);
    inside
}
