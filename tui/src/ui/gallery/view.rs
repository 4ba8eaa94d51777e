//! Draws the gallery pane.

use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::Line;
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::tiles::{self, Layout};
use crate::ui::areas::{Areas, Hit};
use crate::ui::gallery::tile;
use crate::ui::model::Model;
use crate::ui::model::gallery::list::Paging;
use crate::ui::model::gallery::{Scope, Tile, list};
use crate::ui::pane::Pane;
use crate::ui::theme::Theme;

/// How often the spinner of a live tile turns, in milliseconds.
const SPINNER_INTERVAL: u64 = 125;

/// Draws the inside of the pane; the root draws the border, with the title from [`title`].
pub fn view(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    if area.is_empty() {
        return;
    }
    let live = tiles::live(model);
    let count = live.len() + model.gallery.assets.len();
    if count == 0 {
        return empty(model, theme, area, buffer);
    }
    let layout = Layout::of(area, count);
    let first = tiles::first(model, &layout, count);
    let at = tiles::at(model);
    let keys = model.pane == Pane::Gallery;
    for index in first..count {
        let Some(place) = layout.place(index - first) else { break };
        let selected = keys && index == at;
        match live.get(index) {
            Some(run) => {
                tile::live(run, tile::mark(model, run.id, selected), model, theme, place, buffer);
                areas.hit(place, Hit::Row(index));
                areas.interim_values = true;
                if model.options.motion {
                    areas.tick_in(SPINNER_INTERVAL);
                }
            }
            None => {
                let asset = &model.gallery.assets[index - live.len()];
                let mark = tile::mark(model, asset.run_id, selected);
                tile::product(asset, mark, model, theme, place, buffer);
                areas.hit(place, Hit::Asset(asset.id));
            }
        }
    }
    let left = count.saturating_sub(layout.columns * layout.rows);
    let left = if layout.rows == 1 { left } else { left.saturating_sub(first) };
    if left > 0
        && let Some(place) = layout.more()
    {
        let plus = if has_more(model) { "…" } else { "" };
        Line::styled(format!("+{left}{plus}"), theme.dim)
            .alignment(Alignment::Center)
            .render(Rect { y: place.y + place.height / 2, height: 1, ..place }, buffer);
    }
}

fn has_more(model: &Model) -> bool {
    !matches!(model.gallery.paging, Paging::All)
}

fn empty(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let filter = &model.gallery.filter;
    let narrowed = filter.kind.is_some() || filter.starred || !filter.text.is_empty();
    let words = match model.gallery.paging {
        Paging::Unread | Paging::Reading { .. } if model.workflow_id().is_some() => "",
        _ if narrowed => "nothing here matches the filter; esc takes it away",
        _ if filter.scope == Scope::Node => "nothing made yet; m shows the products of all nodes",
        _ => "what runs make appears here, and stays",
    };
    let place = Rect { y: area.y + area.height / 2, height: area.height - area.height / 2, ..area };
    Paragraph::new(words)
        .style(theme.dim)
        .alignment(Alignment::Center)
        .wrap(Wrap { trim: true })
        .render(place, buffer);
}

/// Returns the titles in the pane's border: left and right.
#[must_use]
pub fn title(model: &Model) -> (String, String) {
    let gallery = &model.gallery;
    let filter = &gallery.filter;
    let mut left = match filter.scope {
        Scope::Node => list::node(model).unwrap_or_default(),
        Scope::Workflow => "all nodes".to_owned(),
        Scope::Everything => "everything".to_owned(),
    };
    let runs = gallery.landed.len();
    if runs > 1 {
        let more = if has_more(model) { "+" } else { "" };
        left.push_str(&format!(" · {runs}{more} runs"));
    }
    if let Some(kind) = filter.kind {
        left.push_str(&format!(" · {}", kind.word()));
    }
    if filter.starred {
        left.push_str(" · starred");
    }
    if !filter.text.is_empty() {
        left.push_str(&format!(" · /{}", filter.text));
    }
    let marked = gallery.marked.len();
    let right = if marked > 0 {
        format!("{marked} marked")
    } else if gallery.assets.len() > 1 {
        let at = match gallery.at {
            Some(Tile::Asset(_)) => format!("{} of ", tiles::at(model) + 1),
            Some(Tile::Live(_)) | None => String::new(),
        };
        format!("{at}{}{}", tiles::count(model), if has_more(model) { "+" } else { "" })
    } else {
        String::new()
    };
    (left, right)
}
