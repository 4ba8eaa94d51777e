//! Draws the form.

use fanlight_shared::sanitise;
use fanlight_shared::types::Type;
use fanlight_shared::workflow::Param;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::field::{Field, Kind};
use super::{Form, Question};
use crate::ui::areas::{Areas, Hit};
use crate::ui::frame::popup;
use crate::ui::model::Model;
use crate::ui::theme::Theme;

/// The maximum number of lines for matching paths.
const MAX_SUGGESTIONS: u16 = 5;

pub(super) fn view(
    form: &Form,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let height = |field: &Field| height(field) + offered(form, field);
    let rows: u16 = form.fields.iter().map(height).sum();
    let size = (90.min(area.width), rows.saturating_add(6).min(area.height));
    let title =
        form.fork.as_ref().map_or_else(|| format!("Run {}", form.document.title()), |fork| fork.title());
    let inside = popup(&sanitise::line(&title), size, model, theme, area, buffer, areas);
    if inside.height < 5 {
        return;
    }
    let list = Rect { height: inside.height - 4, ..inside };
    let name = form.fields.iter().map(|it| it.name.trim().width()).max().unwrap_or(0).min(20) + 3;
    let name = u16::try_from(name).unwrap_or(8);
    // The focused field is always in view.
    let mut first = 0;
    let upto = |first: usize| form.fields[first..=form.at].iter().map(height).sum::<u16>();
    while first < form.at && upto(first) > list.height {
        first += 1;
    }
    let mut y = list.y;
    for (index, field) in form.fields.iter().enumerate().skip(first) {
        let height = height(field).min(list.bottom().saturating_sub(y));
        if height == 0 {
            break;
        }
        let place = Rect { y, height, ..list };
        let offered = offered(form, field).min(height);
        let of_field = Rect { height: height - offered, ..place };
        let caret = draw(field, index == form.at, name, model, theme, of_field, buffer);
        if index == form.at && form.asking.is_none() {
            areas.caret = caret;
        }
        let below =
            Rect { x: place.x + name.min(place.width), width: place.width.saturating_sub(name), ..place };
        offer(form, field, theme, Rect { y: of_field.bottom(), height: offered, ..below }, buffer);
        areas.hit(place, Hit::Row(index));
        y += height;
    }
    foot(form, model, theme, Rect { y: inside.bottom() - 3, height: 3, ..inside }, buffer);
}

/// Returns the number of lines for matching paths or models below the focused field.
fn offered(form: &Form, field: &Field) -> u16 {
    let lit = form.fields.get(form.at).is_some_and(|it| it.name == field.name);
    if lit && field.paths().is_some() {
        return MAX_SUGGESTIONS;
    }
    let names = if lit { suggestions(form, field).0.len() } else { 0 };
    u16::try_from(names).unwrap_or(u16::MAX).min(MAX_SUGGESTIONS)
}

/// Returns the names that tab completes to, each with whether it is a folder, and the index of the one in the field.
fn suggestions(form: &Form, field: &Field) -> (Vec<(String, bool)>, Option<usize>) {
    let text = field.text();
    if let Some(of) = field.paths() {
        let (names, chosen) = form.paths.candidates(&form.folder, &text, of);
        return (names.into_iter().map(|entry| (entry.name.clone(), entry.folder)).collect(), chosen);
    }
    let Some(provider) = form.provider(field) else { return (Vec::new(), None) };
    let (names, chosen) = form.models.candidates(&provider, &text);
    (names.into_iter().map(|name| (sanitise::line(name), false)).collect(), chosen)
}

/// Draws the names that tab completes to.
fn offer(form: &Form, field: &Field, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let (names, chosen) = suggestions(form, field);
    let room = usize::from(area.height);
    let first = chosen.map_or(0, |at| (at + 1).saturating_sub(room));
    let more = names.len().saturating_sub(first + room);
    for (line, (index, (name, folder))) in
        (area.top()..area.bottom()).zip(names.iter().enumerate().skip(first))
    {
        let slash = if *folder { "/" } else { "" };
        let style = match chosen == Some(index) {
            true => theme.selected,
            false if *folder => theme.accent,
            false => theme.dim,
        };
        let mut spans = vec![Span::styled(format!("{name}{slash}"), style)];
        if more > 0 && line + 1 == area.bottom() {
            spans.push(Span::styled(format!("  and {more} more"), theme.dim));
        }
        Line::from(spans).render(Rect { y: line, height: 1, ..area }, buffer);
    }
}

fn height(field: &Field) -> u16 {
    let lines = match &field.kind {
        Kind::Lines(lines) if field.has_lines() => u16::try_from(lines.count().clamp(3, 6)).unwrap_or(3),
        Kind::Lines(lines) => u16::try_from(lines.count().clamp(1, 6)).unwrap_or(1),
        _ => 1,
    };
    lines + u16::from(field.error.is_some())
}

/// Draws a field. Returns the position of its caret, if it has one.
fn draw(
    field: &Field,
    lit: bool,
    name: u16,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) -> Option<Position> {
    let ascii = model.options.ascii;
    let bar = match (lit, ascii) {
        (true, false) => "▌",
        (true, true) => ">",
        (false, _) => " ",
    };
    let row = Rect { height: 1, ..area };
    let style = if lit { theme.accent } else { theme.text };
    let words = vec![Span::styled(bar, theme.accent), Span::styled(field.name.trim().to_owned(), style)];
    Line::from(words).render(Rect { width: name.min(area.width), ..row }, buffer);
    let kind = field.param.as_ref().map(of_type).unwrap_or_default();
    let several =
        if field.values.len() > 1 { format!("{} values  ", field.values.len()) } else { String::new() };
    let right = Line::from(vec![Span::styled(several, theme.marked), Span::styled(kind, theme.dim)]);
    let wide = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width / 2);
    right.render(Rect { x: area.right() - wide, width: wide, ..row }, buffer);
    let width = area.width.saturating_sub(name + wide + 2);
    let value = Rect { x: area.x + name, width, ..row };
    let error = field.error.is_some();
    let mut caret = None;
    match &field.kind {
        Kind::Line(input) => {
            caret = input.view(theme, value, buffer);
            if input.text().is_empty() && !lit {
                let default = field.param.as_ref().and_then(|param| param.default.as_ref());
                let words = default.map(|it| sanitise::line(&it.summary(40))).unwrap_or_default();
                Line::styled(words, theme.dim).render(value, buffer);
            }
        }
        Kind::Lines(lines) => {
            let height = area.height.saturating_sub(u16::from(error));
            caret = lines.view(theme, Rect { height, ..value }, buffer);
        }
        Kind::Choice { at, picked } => choices(field, *at, picked, lit, theme, value, buffer),
        Kind::Bool(chosen) => {
            let words = match chosen {
                Some(true) => "true",
                Some(false) => "false",
                None => "false and true",
            };
            Line::styled(words, if lit { theme.selected } else { theme.text }).render(value, buffer);
        }
        Kind::Toggle(on) => {
            let words = if *on { "[x] to the head of the queue" } else { "[ ] to the head of the queue" };
            Line::styled(words, if lit { theme.selected } else { theme.text }).render(value, buffer);
        }
    }
    if let Some(words) = &field.error
        && area.height > 1
    {
        let place =
            Rect { x: value.x, y: area.bottom() - 1, width: area.width.saturating_sub(name), height: 1 };
        Line::styled(words.as_str(), theme.bad).render(place, buffer);
    }
    caret
}

fn choices(
    field: &Field,
    at: usize,
    picked: &[bool],
    lit: bool,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let Some(param) = &field.param else { return };
    let mut spans = Vec::new();
    // Boxes show that several can be marked.
    let boxes = lit || picked.contains(&true);
    let wide = |choice: &String| choice.width() + if boxes { 6 } else { 2 };
    // Keeps the chosen one in view: choices before it are dropped if they don't fit.
    let before: usize = param.choices[..=at].iter().map(wide).sum();
    let skip = if before > usize::from(area.width) { at } else { 0 };
    for (index, choice) in param.choices.iter().enumerate().skip(skip) {
        let style = match index == at {
            true if lit => theme.selected,
            true => theme.accent,
            false => theme.dim,
        };
        if boxes {
            let (mark, style) = if picked[index] { ("[x] ", theme.marked) } else { ("[ ] ", theme.dim) };
            spans.push(Span::styled(mark, style));
        }
        spans.push(Span::styled(sanitise::line(choice), style));
        spans.push(Span::raw("  "));
    }
    Line::from(spans).render(area, buffer);
}

/// Returns the type of a param with its bounds: `int 0…`, `text`.
fn of_type(param: &Param) -> String {
    let mut words = param.ty.to_string();
    match (param.min, param.max) {
        (Some(min), Some(max)) => words.push_str(&format!(" {min} to {max}")),
        (Some(min), None) => words.push_str(&format!(" from {min}")),
        (None, Some(max)) => words.push_str(&format!(" up to {max}")),
        (None, None) => {}
    }
    words
}

fn foot(form: &Form, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let row = |y: u16| Rect { y: area.y + y, height: 1, ..area };
    if let Some(field) = form.fields.get(form.at) {
        Line::styled(help(field), theme.dim).render(row(0), buffer);
    }
    let line = match (&form.asking, form.refusal(model), &form.count) {
        (Some(question), ..) => {
            let words = match question {
                Question::Leave => "Throw away what you typed?".to_owned(),
                Question::Many(count) => format!("Start {count} runs?"),
            };
            Line::from(vec![
                Span::styled(words, theme.warning),
                Span::styled("  y", theme.key),
                Span::styled(" yes  ", theme.text),
                Span::styled("n", theme.key),
                Span::styled(" no", theme.text),
            ])
        }
        (None, ..) if form.reading.is_some() => {
            Line::styled("the values of the last run are being read", theme.dim)
        }
        (None, Some(refused), _) => Line::styled(refused, theme.bad),
        (None, None, Err(wrong)) => Line::styled(wrong.as_str(), theme.bad),
        (None, None, Ok(count)) => {
            let words = if *count == 1 { "1 run".to_owned() } else { format!("{count} runs") };
            let key =
                model.keymap.keys(crate::ui::action::Action::Submit).into_iter().next().unwrap_or_default();
            let mut spans = vec![
                Span::styled(words, if *count > 1 { theme.marked } else { theme.text }),
                Span::styled(format!("   {key}"), theme.key),
                Span::styled(" starts", theme.dim),
            ];
            if let Some(matrix) = form.matrix().filter(|it| !it.include.is_empty() || !it.exclude.is_empty())
            {
                let words = match (matrix.include.is_empty(), matrix.exclude.is_empty()) {
                    (false, false) => "with the file's include and exclude",
                    (false, true) => "with the file's include",
                    _ => "without the file's exclude",
                };
                spans.push(Span::styled(format!("   {words}"), theme.dim));
            } else if form.has_matrix() {
                spans.push(Span::styled("   ctrl-x", theme.key));
                spans.push(Span::styled(" the file's matrix", theme.dim));
            }
            Line::from(spans)
        }
    };
    line.render(row(2), buffer);
}

/// Returns the description of the field, or its valid values.
fn help(field: &Field) -> String {
    let described = field.param.as_ref().and_then(|param| param.description.as_deref()).map(sanitise::line);
    let how = match (&field.kind, field.param.as_ref().map(|param| &param.ty)) {
        (Kind::Choice { .. }, _) => "left and right choose; space marks several, a run for each; * marks all",
        (Kind::Bool(_), _) => "space changes it; left and right also offer both",
        (Kind::Toggle(_), _) => "space",
        (Kind::Lines(_), _) if field.has_lines() => "enter begins a line, tab leaves",
        (Kind::Lines(_), _) => "alt-enter begins a line; several runs: [\"one\", \"two\"]",
        (_, Some(Type::Int)) => "several runs: 1..6 or 1,2,5",
        (_, Some(Type::Float)) => "several runs: 0..1/0.25 or 0.1,0.5",
        (_, Some(Type::Media(_))) => "a path, from this folder; tab completes",
        (_, Some(Type::List(of))) if of.has_media() => "paths with commas between them; tab completes",
        (_, Some(Type::Json)) => "JSON",
        (_, Some(_)) => "",
        (_, None) if field.name == super::field::REPEAT => "how often each set of params runs",
        (_, None) => "what these runs are called, instead of their params",
    };
    match described {
        Some(words) if how.is_empty() => words,
        Some(words) => format!("{words} · {how}"),
        None => how.to_owned(),
    }
}
