//! Draws the nodes as a list with lanes, for small terminals and graphs that are too large to draw.

use fanlight_shared::sanitise::width;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::Scene;
use crate::ui::areas::{Areas, Hit};
use crate::ui::fit::fit;
use crate::ui::graph::Lane;

/// Lanes take at most this fraction of the width.
const LANES_SHARE: usize = 3;

pub(super) fn view(scene: &Scene<'_>, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let rows = rows(scene);
    let selected = scene.selected();
    let height = usize::from(area.height);
    let at = selected.and_then(|node| rows.iter().position(|lane| lane.node == Some(node))).unwrap_or(0);
    let first = at.saturating_sub(height / 2).min(rows.len().saturating_sub(height));
    let most = usize::from(area.width) / LANES_SHARE;
    let seen = rows.iter().skip(first).take(height);
    let lanes =
        seen.clone().map(|lane| width(&lane.before) + 1 + width(&lane.after)).max().unwrap_or(0).min(most);
    let names = seen.clone().filter_map(|lane| lane.node).map(|node| width(&scene.layout.nodes[node]));
    let names = names.max().unwrap_or(0).min(usize::from(area.width) / 3).max(8);
    for (lane, y) in seen.zip(area.y..area.bottom()) {
        let place = Rect { y, height: 1, ..area };
        row(scene, lane, (lanes, names), selected, place, buffer, areas);
    }
}

/// Returns the rows of the list, without lanes if a filter is set.
fn rows<'a>(scene: &Scene<'a>) -> Vec<&'a Lane> {
    let filtered = !scene.planned && !scene.model.grid.filter.is_empty();
    let shown = |lane: &&Lane| match lane.node {
        Some(node) => !scene.is_dimmed(&scene.layout.nodes[node]),
        None => !filtered,
    };
    scene.layout.lanes.iter().filter(shown).collect()
}

fn row(
    scene: &Scene<'_>,
    lane: &Lane,
    (lanes, names): (usize, usize),
    selected: Option<usize>,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let theme = scene.theme;
    let ascii = scene.model.options.ascii;
    let drawn = |text: &str| if ascii { plain(text) } else { text.to_owned() };
    let filtered = !scene.model.grid.filter.is_empty() && !scene.planned;
    let Some(node) = lane.node else {
        let lanes = fit(&drawn(lane.before.trim_end()), lanes + 1);
        Line::styled(format!(" {lanes}"), theme.edge).render(area, buffer);
        return;
    };
    let facts = scene.facts(node);
    let (glyph, style) = facts.glyph(theme);
    let (before, after) = if filtered { ("", "") } else { (lane.before.as_str(), lane.after.as_str()) };
    let cut = width(before) >= lanes.max(1);
    let before = if cut && !filtered { fit(before, lanes) } else { before.to_owned() };
    let room = lanes.saturating_sub(width(&before) + 1);
    let after = if cut { String::new() } else { after.trim_end().to_owned() };
    let pad = room.saturating_sub(width(&after));
    let mut spans = vec![
        Span::styled(format!(" {}", drawn(&before)), theme.edge),
        Span::styled(glyph, style),
        Span::styled(format!("{}{} ", drawn(&after), " ".repeat(pad)), theme.edge),
    ];
    let name = fit(facts.name, names);
    let gap = names.saturating_sub(width(&name)) + 2;
    let of_name = if facts.runs() { theme.running } else { theme.text };
    spans.push(Span::styled(name, of_name));
    spans.push(Span::raw(" ".repeat(gap)));
    let line = facts.line(theme, 18);
    let taken: usize = line.iter().map(Span::width).sum();
    spans.extend(line);
    spans.push(Span::raw(" ".repeat(20usize.saturating_sub(taken))));
    let used: usize = spans.iter().map(Span::width).sum();
    let badge = facts.badge().map(|badge| format!(" {badge} ")).unwrap_or_default();
    let rest = usize::from(area.width).saturating_sub(used + badge.chars().count());
    spans.extend(facts.value(theme, rest));
    Line::from(spans).render(area, buffer);
    if selected == Some(node) {
        theme.select(area, buffer);
    }
    areas.hit(area, Hit::Node(facts.name.to_owned()));
    areas.nodes.push(facts.name.to_owned());
    if facts.runs() {
        scene.moves(areas);
    }
    let columns = u16::try_from(badge.chars().count()).unwrap_or(0).min(area.width);
    if columns > 0 {
        let place = Rect { x: area.right() - columns, width: columns, ..area };
        buffer.set_string(place.x, place.y, badge, theme.key);
        areas.hit(place, Hit::Values(facts.name.to_owned()));
    }
}

fn plain(lanes: &str) -> String {
    let simple = |it| match it {
        '│' | '╷' | '╵' => '|',
        '─' | '╴' | '╶' => '-',
        it if it.is_ascii() => it,
        _ => '+',
    };
    lanes.chars().map(simple).collect()
}
