//! Draws a question.

use fanlight_shared::question::{Question, QuestionKind};
use fanlight_shared::time::human_duration;
use fanlight_shared::value::Value;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::draft::Draft;
use super::{NO, Questions, YES, picture};
use crate::text;
use crate::ui::areas::{Areas, Hit};
use crate::ui::content;
use crate::ui::fit::fit;
use crate::ui::frame::{screen, tile};
use crate::ui::layer::list::{self, Cursor};
use crate::ui::model::Model;
use crate::ui::theme::Theme;
use crate::ui::wrap::wrap;

pub(super) fn view(
    questions: &Questions,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let Some(open) = questions.question() else {
        let inside = screen("Questions", model, theme, area, buffer, areas);
        let words = if questions.read { "nobody is asked anything" } else { "reading…" };
        Line::styled(words, theme.dim).render(inside, buffer);
        return;
    };
    let label = model.projection.run(open.run_id).filter(|run| run.label != run.title);
    let label = label.map(|run| format!(" {}", run.label)).unwrap_or_default();
    let count = match questions.questions.len() {
        1 => String::new(),
        count => format!("  {} of {count}", questions.at().unwrap_or(0) + 1),
    };
    let asks = if questions.closed.is_some() { "asked (closed)" } else { "asks" };
    let title = format!("{}{label} · {}{} {asks}{count}", open.run, open.node, open.item);
    let room = usize::from(area.width).saturating_sub(6);
    let inside = screen(&fit(&title, room), model, theme, area, buffer, areas);
    let Some(layout) = questions.layout(inside) else { return };
    let question = &open.question;
    for (y, line) in (layout.text.y..layout.text.bottom()).zip(wrap(&question.text, layout.text.width)) {
        Line::styled(line, theme.text).render(Rect { y, height: 1, ..layout.text }, buffer);
    }
    for (at, place) in &layout.show {
        if let Some(value) = question.show.get(*at) {
            let inside = tile("", theme.border, model, *place, buffer);
            draw(value, model, theme, inside, buffer);
        }
    }
    match (&question.kind, questions.draft()) {
        (QuestionKind::YesNo, _) => yes_no(question, theme, layout.input, buffer, areas),
        (QuestionKind::Value { .. }, Some(Draft::Text { lines, .. })) => {
            let style = if questions.closed.is_some() { theme.border } else { theme.accent };
            let inside = tile("", style, model, layout.input, buffer);
            areas.caret = lines.view(theme, inside, buffer);
        }
        (QuestionKind::Choice { choices, .. }, Some(draft)) => {
            if layout.tiles.is_empty() {
                choice_list(choices, draft, model, theme, layout.list, buffer, areas);
            }
            for (at, place) in &layout.tiles {
                if let Some(value) = choices.get(*at) {
                    choice_tile(value, *at, draft, model, theme, *place, buffer);
                    areas.hit(*place, Hit::Row(*at));
                }
            }
        }
        _ => {}
    }
    foot(questions, question, model, theme, layout.foot, buffer, areas);
}

/// Draws a value: its picture, else its text.
fn draw(value: &Value, model: &Model, theme: &Theme, place: Rect, buffer: &mut Buffer) {
    if let Some(wanted) = picture(value, place)
        && model.pictures.draw_request(&wanted, place, buffer)
    {
        return;
    }
    match value {
        Value::Media(media) => {
            let pixels = media.width.zip(media.height).map(|(width, height)| format!("{width}×{height} · "));
            let size = text::size(media.bytes);
            let words = format!("{}\n{}{size}", media.name, pixels.unwrap_or_default());
            let error = model.pictures.error(media.hash).map(|why| format!("\n{why}")).unwrap_or_default();
            content::value(&Value::from(format!("{words}{error}")), theme, place, buffer);
        }
        value => content::value(value, theme, place, buffer),
    }
}

/// Draws `y yes    n no`, the default with the key that takes it.
fn yes_no(question: &Question, theme: &Theme, place: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let proposed = |yes: bool| if question.default == Some(Value::Bool(yes)) { " (enter)" } else { "" };
    let mut x = place.x;
    for (row, key, words, yes) in [(YES, "y", "yes", true), (NO, "n", "no", false)] {
        let line = Line::from(vec![
            Span::styled(key, theme.key),
            Span::styled(format!(" {words}"), theme.text),
            Span::styled(proposed(yes), theme.dim),
        ]);
        let width = u16::try_from(line.width()).unwrap_or(u16::MAX);
        let at = Rect { x, width: width.min(place.right().saturating_sub(x)), ..place };
        line.render(at, buffer);
        areas.hit(at, Hit::Row(row));
        x = x.saturating_add(width + 4).min(place.right());
    }
}

fn mark(draft: &Draft, at: usize, ascii: bool) -> &'static str {
    match (draft, ascii) {
        (Draft::Pick { several: true, marked, .. }, false) if marked.contains(&at) => "● ",
        (Draft::Pick { several: true, marked, .. }, true) if marked.contains(&at) => "* ",
        (Draft::Pick { several: true, .. }, _) => "  ",
        _ => "",
    }
}

fn choice_list(
    choices: &[Value],
    draft: &Draft,
    model: &Model,
    theme: &Theme,
    place: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let digits = choices.len().to_string().len();
    list::view(Cursor { at: draft.cursor() }, choices.len(), theme, place, buffer, areas, |at| {
        let mark = mark(draft, at, model.options.ascii);
        let number = format!("{:>digits$}  ", at + 1);
        let room = usize::from(place.width).saturating_sub(number.len() + mark.len());
        let words = choices.get(at).map(|choice| fit(&text::value_line(choice), room)).unwrap_or_default();
        Line::from(vec![
            Span::styled(mark, theme.marked),
            Span::styled(number, theme.dim),
            Span::styled(words, theme.text),
        ])
    });
}

fn choice_tile(
    value: &Value,
    at: usize,
    draft: &Draft,
    model: &Model,
    theme: &Theme,
    place: Rect,
    buffer: &mut Buffer,
) {
    let name = value.as_media().map(|media| format!(" {}", media.name)).unwrap_or_default();
    let title = format!("{}{}{name}", mark(draft, at, model.options.ascii), at + 1);
    let is_marked = matches!(draft, Draft::Pick { marked, .. } if marked.contains(&at));
    let style = match (at == draft.cursor(), is_marked) {
        (true, _) => theme.accent,
        (false, true) => theme.marked,
        (false, false) => theme.border,
    };
    let inside = tile(&title, style, model, place, buffer);
    if at == draft.cursor() {
        // Not shown by colour alone.
        let width = place.width.saturating_sub(4).min(u16::try_from(title.chars().count()).unwrap_or(0) + 2);
        theme.select(
            Rect { x: place.x + 1.min(place.width), width, height: 1.min(place.height), ..place },
            buffer,
        );
    }
    draw(value, model, theme, inside, buffer);
}

/// Draws the hint about valid answers and the deadline, or why the answer isn't valid or the question is closed.
fn foot(
    questions: &Questions,
    question: &Question,
    model: &Model,
    theme: &Theme,
    place: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let row = |at: u16| Rect { y: place.y + at, height: u16::from(at < place.height), ..place };
    let room = usize::from(place.width);
    let closed = questions.closed.as_ref();
    let (words, style) = match questions.refused.as_ref().or(questions.away.as_ref()) {
        _ if questions.is_sending() => ("sending…".to_owned(), theme.dim),
        Some(why) => (why.clone(), theme.bad),
        None => match closed {
            Some(why) => (why.clone(), theme.warning),
            None => (expects(question), theme.dim),
        },
    };
    Line::styled(fit(&words, room), style).render(row(0), buffer);
    if let Some(deadline) = question.deadline.filter(|_| closed.is_none()) {
        areas.tick_in(1_000);
        let left = human_duration(deadline.since(model.now));
        let then = match &question.default {
            Some(default) => format!("then {}", question.shown(default)),
            None => "then the node fails".to_owned(),
        };
        Line::styled(fit(&format!("{left} left, {then}"), room), theme.warning).render(row(1), buffer);
    }
}

fn expects(question: &Question) -> String {
    match &question.kind {
        QuestionKind::YesNo => String::new(),
        QuestionKind::Value { .. } => format!("{}; alt-enter begins a line", question.expects()),
        QuestionKind::Choice { several: false, .. } => "one of them, by arrows or its number".to_owned(),
        QuestionKind::Choice { several: true, .. } => "any of them, or none; space marks".to_owned(),
    }
}
