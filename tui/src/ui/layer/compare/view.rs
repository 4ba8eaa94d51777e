//! Draws the comparison: a table of params, the name of the output, the sides.

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::value::{Value, cut};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use super::mode::{Mode, covered, divided, is_in_one_piece};
use super::{Compare, diff};
use crate::text;
use crate::ui::areas::Areas;
use crate::ui::content;
use crate::ui::frame::screen;
use crate::ui::model::Model;
use crate::ui::picture::PictureOf;
use crate::ui::picture::difference::Difference;
use crate::ui::theme::Theme;

/// Columns of the names of params.
const NAME_WIDTH: u16 = 12;
/// The minimum width of a column of the table; columns that don't fit are listed by name.
const MIN_WIDTH: u16 = 14;

/// Returns the params that differ between the sides.
fn differing(compare: &Compare) -> Vec<String> {
    let known: Vec<_> = compare.sides.iter().filter_map(|side| side.params.as_ref()).collect();
    let mut names: Vec<&String> = known.iter().flat_map(|params| params.keys()).collect();
    let mut seen = std::collections::HashSet::new();
    names.retain(|name| seen.insert(*name));
    let differs = |name: &&String| known.iter().any(|params| params.get(*name) != known[0].get(*name));
    names.into_iter().filter(differs).cloned().collect()
}

fn shown(compare: &Compare, inside: Rect) -> usize {
    let fit = usize::from((inside.width.saturating_sub(NAME_WIDTH) / MIN_WIDTH).max(1));
    compare.sides.len().min(fit)
}

fn column(compare: &Compare, inside: Rect, index: usize) -> Rect {
    let count = u16::try_from(shown(compare, inside)).unwrap_or(1).max(1);
    let wide = inside.width.saturating_sub(NAME_WIDTH) / count;
    let index = u16::try_from(index).unwrap_or(0);
    Rect { x: inside.x + NAME_WIDTH + wide * index, width: wide.saturating_sub(1), ..inside }
}

fn table_rows(compare: &Compare, inside: Rect) -> u16 {
    let rows = u16::try_from(differing(compare).len()).unwrap_or(u16::MAX);
    // The names of the sides, then a third of the screen at most.
    rows.min(inside.height / 3).saturating_add(1)
}

/// Returns the areas of the products of the sides; two that are shown in one place have the same area.
pub(super) fn places(compare: &Compare, inside: Rect) -> Vec<Rect> {
    let top = (table_rows(compare, inside) + 2).min(inside.height);
    let below = Rect { y: inside.y + top, height: inside.height - top, ..inside };
    if compare.mode != Mode::Sides {
        return compare.sides.iter().map(|_| below).collect();
    }
    let count = shown(compare, inside);
    let wide = inside.width / u16::try_from(count).unwrap_or(1).max(1);
    let place = |index: usize| {
        let x = inside.x + wide * u16::try_from(index).unwrap_or(0);
        Rect { x, width: wide.saturating_sub(1), ..below }
    };
    (0..count).map(place).collect()
}

pub(super) fn view(
    compare: &Compare,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let title = format!("Compare {}", compare.sides.len());
    let inside = screen(&title, model, theme, area, buffer, areas);
    if inside.height < 4 || inside.width < NAME_WIDTH + 4 {
        return;
    }
    table(compare, theme, inside, buffer);
    heading(compare, model, theme, inside, buffer);
    products(compare, model, theme, inside, buffer);
}

fn table(compare: &Compare, theme: &Theme, inside: Rect, buffer: &mut Buffer) {
    let names = differing(compare);
    let rows = usize::from(table_rows(compare, inside)) - 1;
    for (index, side) in compare.sides.iter().take(shown(compare, inside)).enumerate() {
        let place = column(compare, inside, index);
        let number = side.name.rsplit_once('#').map_or(side.name.clone(), |(_, number)| format!("#{number}"));
        let is_shown = compare.mode == Mode::Flicker(index);
        let style = if is_shown { theme.selected } else { theme.accent };
        let words = cut(&format!("{number} {}", side.label), place.width.into());
        line(Line::styled(words, style), place, 0, buffer);
        for (row, name) in names.iter().take(rows).enumerate() {
            let value = side.params.as_ref().and_then(|params| params.get(name));
            let text = value.map_or("–".to_owned(), |it| it.summary(place.width.into()));
            line(Line::styled(text, theme.text), place, row + 1, buffer);
        }
    }
    let place = Rect { width: NAME_WIDTH - 1, ..inside };
    for (row, name) in names.iter().take(rows).enumerate() {
        line(Line::styled(cut(name, place.width.into()), theme.dim), place, row + 1, buffer);
    }
    let left = compare.sides.len() - shown(compare, inside);
    if left > 0 {
        line(Line::styled(format!("+{left} more"), theme.dim), place, 0, buffer);
    }
}

fn line(line: Line<'_>, place: Rect, row: usize, buffer: &mut Buffer) {
    let y = place.y.saturating_add(u16::try_from(row).unwrap_or(u16::MAX));
    if y < place.bottom() {
        line.render(Rect { y, height: 1, ..place }, buffer);
    }
}

fn heading(compare: &Compare, model: &Model, theme: &Theme, inside: Rect, buffer: &mut Buffer) {
    let words = match compare.row().into_iter().flatten().next() {
        _ if !compare.is_read() => "the products are being read".to_owned(),
        Some(asset) => {
            let place = if compare.count() > 1 {
                format!("  {} of {}", compare.at + 1, compare.count())
            } else {
                String::new()
            };
            format!("{}{}.{}{place}{}", asset.node, asset.item, asset.port, shown_words(compare, model))
        }
        None => "nothing was made".to_owned(),
    };
    line(Line::styled(words, theme.key), inside, table_rows(compare, inside).into(), buffer);
}

/// Returns how the products are shown, with the figures of a difference.
fn shown_words(compare: &Compare, model: &Model) -> String {
    let name = |at: usize| compare.sides.get(at).map_or("", |side| side.name.as_str());
    match (compare.mode, compare.shown_sides()) {
        (Mode::Flicker(at), _) => format!("  {} is shown", name(at)),
        (Mode::Slider(_), Some([a, b])) => {
            let (a, b) = (name(a), name(b));
            if model.options.ascii { format!("  {a} | {b}") } else { format!("  {a} │ {b}") }
        }
        (Mode::Difference, Some([a, b])) => {
            let sides = format!("  {} and {}", name(a), name(b));
            let of = compare.pair().map(|[a, b]| PictureOf::Difference(a.id, b.id));
            let found = of.and_then(|of| model.pictures.difference(of));
            found.map_or(sides.clone(), |found| format!("{sides}: {}", figures(found)))
        }
        _ => String::new(),
    }
}

/// Returns a difference in words.
#[allow(clippy::cast_precision_loss)]
fn figures(found: Difference) -> String {
    if found.pixels == 0 {
        return "no pixel differs".to_owned();
    }
    let percent = found.pixels as f64 / found.of.max(1) as f64 * 100.0;
    let percent = if percent < 0.1 { "less than 0.1".to_owned() } else { format!("{percent:.1}") };
    let most = f64::from(found.largest) * 255.0;
    format!(
        "{} of {} pixels differ ({percent} %), by at most {} of 255",
        found.pixels,
        found.of,
        text::number(most)
    )
}

/// Draws two pictures in one place: their difference, or a part of each. Returns `false` where they are not shown so.
fn two(compare: &Compare, model: &Model, theme: &Theme, place: Rect, buffer: &mut Buffer) -> bool {
    let Some(pair) = compare.pair() else { return false };
    match compare.mode {
        Mode::Difference => {
            let wanted = compare.wanted_difference(pair, model, place);
            if !model.pictures.draw_request(&wanted, place, buffer) {
                let why = model.pictures.error(wanted.of).unwrap_or("the difference is being computed");
                line(Line::styled(cut(why, place.width.into()), theme.dim), place, 0, buffer);
            }
        }
        Mode::Slider(at) => slider(compare, pair, at, model, theme, place, buffer),
        _ => return false,
    }
    true
}

fn slider(
    compare: &Compare,
    pair: [&Asset; 2],
    at: f32,
    model: &Model,
    theme: &Theme,
    place: Rect,
    buffer: &mut Buffer,
) {
    if let [Some(a), Some(b)] = pair.map(|asset| model.pictures.pixels(asset.id))
        && u64::from(a.0) * u64::from(b.1) != u64::from(b.0) * u64::from(a.1)
    {
        let words = format!("the pictures have different shapes: {}×{} and {}×{}", a.0, a.1, b.0, b.1);
        return line(Line::styled(cut(&words, place.width.into()), theme.dim), place, 0, buffer);
    }
    let wanted = compare.wanted_parts(pair, at, model, place);
    let place = match is_in_one_piece(model) {
        true => covered(compare.wanted(pair[0], model, place), pair[0], model, place),
        false => place,
    };
    let [left, right] = divided(place, at);
    if is_in_one_piece(model) {
        for (wanted, place) in wanted.iter().zip([left, right]) {
            model.pictures.draw_request(wanted, place, buffer);
        }
    } else if !model.pictures.draw_beside((&wanted[0], &wanted[1]), left.width, place, buffer) {
        let why = pair.iter().find_map(|asset| model.pictures.error(asset.id)).unwrap_or("…");
        return line(Line::styled(cut(why, place.width.into()), theme.dim), place, 0, buffer);
    }
    let bar = if model.options.ascii { "|" } else { "│" };
    for y in place.top()..place.bottom() {
        buffer.set_stringn(right.x.min(place.right().saturating_sub(1)), y, bar, 1, theme.accent);
    }
}

fn products(compare: &Compare, model: &Model, theme: &Theme, inside: Rect, buffer: &mut Buffer) {
    let row = compare.row();
    let places = places(compare, inside);
    if places.first().is_some_and(|place| two(compare, model, theme, *place, buffer)) {
        return;
    }
    let numbers: Vec<Option<f64>> =
        row.iter().map(|asset| asset.and_then(|asset| asset.value.as_float())).collect();
    let most = numbers.iter().flatten().copied().reduce(f64::max);
    let least = numbers.iter().flatten().copied().reduce(f64::min);
    for (index, (asset, place)) in row.iter().zip(places).enumerate() {
        if matches!(compare.mode, Mode::Flicker(shown) if shown != index) {
            continue;
        }
        let Some(asset) = asset else {
            line(Line::styled("–", theme.dim), place, 0, buffer);
            continue;
        };
        match (asset.kind, &asset.value) {
            (AssetKind::Image | AssetKind::Video, _) => {
                if !model.pictures.draw_request(&compare.wanted(asset, model, place), place, buffer) {
                    content::view(asset, model, theme, place, buffer);
                }
            }
            (AssetKind::Number, value) => {
                number(value, numbers[index], (most, least), model, theme, place, buffer);
            }
            (AssetKind::Text, Value::Text(text)) => {
                let first = first_text(&row).filter(|_| index > 0).unwrap_or(text);
                changed(first, text, compare.scroll, theme, place, buffer);
            }
            _ => content::view(asset, model, theme, place, buffer),
        }
    }
}

fn first_text<'a>(row: &[Option<&'a Asset>]) -> Option<&'a str> {
    row.iter().flatten().next()?.value.as_text()
}

fn number(
    value: &Value,
    number: Option<f64>,
    (most, least): (Option<f64>, Option<f64>),
    model: &Model,
    theme: &Theme,
    place: Rect,
    buffer: &mut Buffer,
) {
    let star = if model.options.ascii { "*" } else { "★" };
    let words = match () {
        () if most == least => String::new(),
        () if number == most => format!(" {star} most"),
        () if number == least => format!(" {star} least"),
        () => String::new(),
    };
    let style = if words.is_empty() { theme.text } else { theme.star };
    let spans = vec![Span::styled(value.summary(place.width.into()), style), Span::styled(words, style)];
    line(Line::from(spans), place, 0, buffer);
}

/// Draws a text with the words marked that aren't in the first one.
fn changed(first: &str, text: &str, scroll: usize, theme: &Theme, place: Rect, buffer: &mut Buffer) {
    let mut lines = vec![Line::default()];
    for (word, new) in diff::words(first, text) {
        if word.contains('\n') {
            lines.push(Line::default());
            continue;
        }
        let style: Style = if new { theme.matched } else { theme.text };
        if let Some(line) = lines.last_mut() {
            line.push_span(Span::styled(word, style));
        }
    }
    let scroll = u16::try_from(scroll.min(lines.len().saturating_sub(1))).unwrap_or(0);
    Paragraph::new(lines).wrap(Wrap { trim: false }).scroll((scroll, 0)).render(place, buffer);
}
