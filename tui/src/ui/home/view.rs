//! Draws home: the list, and the details of the selected workflow beside it.

use fanlight_shared::problem::Severity;
use fanlight_shared::sanitise;
use fanlight_shared::time::human_duration;
use fanlight_shared::workflow::{Param, Workflow};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Paragraph, Widget, Wrap};

use crate::text;
use crate::ui::areas::Areas;
use crate::ui::frame::screen;
use crate::ui::grid;
use crate::ui::home::{Home, Read, Row};
use crate::ui::layer::list;
use crate::ui::model::Model;
use crate::ui::theme::Theme;

/// Columns of the list if details are beside it.
const LIST_WIDTH: u16 = 38;
/// Rows of the graph below which it is not drawn.
const MIN_GRAPH_HEIGHT: u16 = 6;

pub(super) fn view(
    home: &Home,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let inside = screen("Workflows", model, theme, area, buffer, areas);
    let beside = inside.width >= 76;
    let left = if beside { Rect { width: LIST_WIDTH, ..inside } } else { inside };
    entries(home, model, theme, left, buffer, areas);
    if beside {
        let right = Rect { x: left.right() + 2, width: inside.width - LIST_WIDTH - 2, ..inside };
        for y in right.y..right.bottom() {
            let bar = if model.options.ascii { "|" } else { "│" };
            buffer.set_string(left.right(), y, bar, theme.border);
        }
        details(home, model, theme, right, buffer);
    }
}

fn entries(home: &Home, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let mut rows_area = area;
    if home.typing || !home.filter.text().is_empty() {
        Line::styled("/", theme.key).render(Rect { height: 1, ..area }, buffer);
        let field = Rect { x: area.x + 2, width: area.width.saturating_sub(2), height: 1, ..area };
        let caret = home.filter.view(theme, field, buffer);
        areas.caret = caret.filter(|_| home.typing);
        rows_area = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    }
    let rows = home.rows();
    if rows.is_empty() {
        let words = match home.filter.text() {
            "" => "no workflow here yet",
            _ => "nothing has these letters",
        };
        Line::styled(words, theme.dim).render(rows_area, buffer);
    }
    let open = model.workflow.as_ref().and_then(|open| open.document.path.clone());
    list::view(home.cursor, rows.len(), theme, rows_area, buffer, areas, |index| match &rows[index] {
        Row::Heading(section) => Line::styled(section.title(), theme.accent),
        Row::Entry(entry, places) => {
            let runs = match entry.runs {
                None | Some(0) => String::new(),
                Some(1) => "1 run".to_owned(),
                Some(runs) => format!("{runs} runs"),
            };
            let here = matches!(&entry.source, super::Source::File(path) if open.as_ref() == Some(path));
            let mut spans = vec![Span::styled(if here { " * " } else { "   " }, theme.accent)];
            let room = usize::from(rows_area.width).saturating_sub(5 + runs.len());
            let name = fanlight_shared::value::cut(&entry.name, room);
            spans.extend(list::marked(&name, places, theme.text, theme.matched));
            let used: usize = spans.iter().map(Span::width).sum();
            let gap = usize::from(rows_area.width).saturating_sub(used + runs.len() + 1);
            spans.push(Span::styled(format!("{:gap$}{runs}", ""), theme.dim));
            Line::from(spans)
        }
    });
}

fn details(home: &Home, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(entry) = home.selected() else { return };
    let Some(read) = home.read.get(&entry.source) else {
        return Line::styled("reading", theme.dim).render(area, buffer);
    };
    let lines = words(read, model, theme);
    // Long lines wrap into several rows.
    let rows: usize =
        lines.iter().map(|line| line.width().div_ceil(usize::from(area.width.max(1))).max(1)).sum();
    let rows = u16::try_from(rows).unwrap_or(u16::MAX);
    let about = Paragraph::new(lines).wrap(Wrap { trim: false });
    let most = if read.document.workflow.is_some() {
        area.height.saturating_sub(MIN_GRAPH_HEIGHT)
    } else {
        area.height
    };
    let top = Rect { height: rows.min(most), ..area };
    about.render(top, buffer);
    let below = Rect { y: top.bottom() + 1, height: area.height.saturating_sub(top.height + 1), ..area };
    if read.document.workflow.is_some() && below.height >= MIN_GRAPH_HEIGHT {
        Clear.render(below, buffer);
        grid::view::plan(&read.document, read.layout.as_deref(), model, theme, below, buffer);
    }
}

fn words<'a>(read: &Read, model: &Model, theme: &Theme) -> Vec<Line<'a>> {
    let document = &read.document;
    let mut lines = Vec::new();
    lines.push(Line::styled(sanitise::line(document.title()), theme.accent));
    if let Some(workflow) = &document.workflow {
        about(workflow, &mut lines, theme);
    }
    let known = model.workflows.iter().find(|it| {
        document.workflow_id == Some(it.id)
            || (it.path.is_some() && it.path.as_deref() == document.path.as_ref().and_then(|it| it.to_str()))
    });
    if let (Some(at), Some(known)) = (known.and_then(|it| it.last_run_at), known) {
        let ago = human_duration(model.now.since(at));
        let words = match known.runs {
            1 => format!("1 run, {ago} ago"),
            runs => format!("{runs} runs, the last {ago} ago"),
        };
        lines.push(Line::styled(words, theme.dim));
    }
    if let Some(path) = document.path.as_ref().filter(|_| document.example.is_none()) {
        lines.push(Line::styled(sanitise::line(&path.to_string_lossy()), theme.dim));
    }
    for problem in &document.problems {
        let style = if problem.severity == Severity::Error { theme.bad } else { theme.warning };
        lines.push(Line::styled(sanitise::line(&problem.to_string()), style));
    }
    lines
}

fn about(workflow: &Workflow, lines: &mut Vec<Line<'_>>, theme: &Theme) {
    if let Some(description) = &workflow.description {
        lines.push(Line::styled(sanitise::line(description), theme.text));
    }
    lines.push(Line::raw(""));
    let default = |param: &Param| {
        let words = param.default.as_ref().map_or_else(|| "needed".to_owned(), |it| it.summary(24));
        sanitise::line(&words)
    };
    let widest = |words: &dyn Fn(&String, &Param) -> usize| {
        workflow.params.iter().map(|(name, param)| words(name, param)).max().unwrap_or(0)
    };
    let of_name = widest(&|name, _| text::width(name));
    let of_type = widest(&|_, param| text::width(&param.ty.to_string()));
    let of_default = widest(&|_, param| text::width(&default(param)));
    for (name, param) in &workflow.params {
        let mut spans = vec![
            Span::styled(format!("{}  ", text::pad(name, of_name)), theme.text),
            Span::styled(format!("{}  ", text::pad(&param.ty.to_string(), of_type)), theme.dim),
            Span::styled(text::pad(&default(param), of_default), theme.text),
        ];
        if let Some(words) = &param.description {
            spans.push(Span::styled(format!("  {}", sanitise::line(words)), theme.dim));
        }
        lines.push(Line::from(spans));
    }
}
