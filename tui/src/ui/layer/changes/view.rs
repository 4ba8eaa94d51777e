//! Draws the list of files, or the diff of one of them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::Changes;
use crate::text;
use crate::ui::areas::Areas;
use crate::ui::changes::{FileChange, Kind, LineKind};
use crate::ui::content::code::Language;
use crate::ui::fit::{fit, fit_end};
use crate::ui::frame::screen;
use crate::ui::layer::list;
use crate::ui::model::Model;
use crate::ui::theme::Theme;

/// The columns of the numbers after a path.
const NUMBERS_WIDTH: usize = 16;
const ONLY_BEGINNING: &str = " · only the beginning";

pub(super) fn view(
    of: &Changes,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let room = usize::from(area.width).saturating_sub(6);
    if let Some((at, lines)) = &of.opened
        && let Some(file) = of.files.get(*at)
    {
        let title = match of.source.is_one() {
            true => title_of_texts(of, file),
            false => format!("{} · {} of {}", file.path, at + 1, of.files.len()),
        };
        let inside = screen(&fit_end(&title, room), model, theme, area, buffer, areas);
        let Some(lines) = lines else { return say("it is being read", theme, inside, buffer) };
        if lines.is_empty() {
            return say("it is empty", theme, inside, buffer);
        }
        let language = Language::of(&file.path);
        let first = of.scroll.min(lines.len().saturating_sub(inside.height.into()));
        for (y, line) in (inside.top()..inside.bottom()).zip(&lines[first..]) {
            let (sign, style) = match line.kind {
                LineKind::Same => (" ", theme.dim),
                LineKind::Added => ("+", theme.good),
                LineKind::Removed => ("-", theme.bad),
                LineKind::Head => ("", theme.key),
            };
            let text = fit_wide(&line.text, usize::from(inside.width).saturating_sub(2));
            let mut spans = vec![Span::styled(format!("{sign:<1} "), style)];
            match line.kind {
                LineKind::Head => spans = vec![Span::styled(text, style)],
                _ => spans.extend(language.spans(&text, line.within, theme)),
            }
            Line::from(spans).render(Rect { y, height: 1, ..inside }, buffer);
        }
        return;
    }
    let inside = screen(&fit(&title(of), room), model, theme, area, buffer, areas);
    if let Some((_, why)) = &of.problem {
        return say(why, theme, inside, buffer);
    }
    if of.files.is_empty() {
        let words = match (of.is_read, of.source.is_compared(), of.equal) {
            (false, ..) if of.source.is_one() => "the texts are being read",
            (false, ..) => "the files are being read",
            (true, true, 1..) => "all files are equal",
            (true, true, 0) => "there is no change in it",
            (true, false, _) => "the folder is empty",
        };
        return say(words, theme, inside, buffer);
    }
    let wide = usize::from(inside.width);
    list::view(of.cursor, of.files.len(), theme, inside, buffer, areas, |at| row(&of.files[at], wide, theme));
}

/// Returns the beginning of a line; blanks at its start stay.
fn fit_wide(text: &str, columns: usize) -> String {
    let indent = text.len() - text.trim_start().len();
    format!("{}{}", &text[..indent], fit(&text[indent..], columns.saturating_sub(indent)))
}

fn say(words: &str, theme: &Theme, inside: Rect, buffer: &mut Buffer) {
    Line::styled(fit(words, inside.width.into()), theme.dim)
        .render(Rect { height: 1.min(inside.height), ..inside }, buffer);
}

/// Returns the title of the diff of two texts.
fn title_of_texts(of: &Changes, file: &FileChange) -> String {
    let (added, removed) = file.counts.unwrap_or_default();
    let mut title = format!("{} of {} · +{added} -{removed}", file.path, of.title);
    if of.source.is_cut() {
        title.push_str(ONLY_BEGINNING);
    }
    title
}

fn title(of: &Changes) -> String {
    let count = |kind| of.files.iter().filter(|file| file.kind == kind).count();
    let mut parts = vec![of.title.clone()];
    for (count, word) in [
        (count(Kind::Changed), "changed"),
        (count(Kind::Added), "added"),
        (count(Kind::Removed), "removed"),
        (of.equal, "equal"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    if !of.source.is_compared() && of.is_read {
        parts.push(text::count(of.files.len(), "file"));
    }
    let mut title = parts.join(" · ");
    if of.is_read && of.source.is_cut() {
        title.push_str(ONLY_BEGINNING);
    }
    title
}

fn row<'a>(file: &FileChange, wide: usize, theme: &Theme) -> Line<'a> {
    let (sign, style): (&str, Style) = match file.kind {
        Kind::Added => ("+", theme.good),
        Kind::Removed => ("-", theme.bad),
        Kind::Changed => ("~", theme.warning),
        Kind::Plain => (" ", theme.text),
    };
    let room = wide.saturating_sub(NUMBERS_WIDTH + 3);
    let path = text::pad(&fit_end(&file.path, room), room);
    let mut spans =
        vec![Span::styled(format!("{sign} "), style), Span::styled(path, theme.text), Span::raw(" ")];
    match (file.counts, file.bodies) {
        (Some((added, removed)), _) if added + removed > 0 => {
            spans.push(Span::styled(format!("+{added}"), theme.good));
            spans.push(Span::styled(format!(" -{removed}"), theme.bad));
        }
        (_, [Some(before), Some(after)]) if before.bytes != after.bytes => {
            let words = format!("{} → {}", text::size(before.bytes), text::size(after.bytes));
            spans.push(Span::styled(words, theme.dim));
        }
        (_, [before, after]) => {
            let size = after.or(before).map(|body| text::size(body.bytes)).unwrap_or_default();
            spans.push(Span::styled(size, theme.dim));
        }
    }
    Line::from(spans)
}
