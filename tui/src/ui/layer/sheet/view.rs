//! Draws a sheet: only the cells in view.

use fanlight_shared::asset::{Asset, AssetKind, PreviewState};
use fanlight_shared::run::RunStatus;
use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::{SheetOfRuns, WIDTHS};
use crate::ui::areas::{Areas, Hit};
use crate::ui::content;
use crate::ui::fit::fit;
use crate::ui::frame::screen;
use crate::ui::layer::list::Cursor;
use crate::ui::model::Model;
use crate::ui::picture::PictureRequest;
use crate::ui::theme::{Theme, run_glyph};
use crate::ui::wrap::wrap;

/// The place of the smallest width that is chosen by default.
const DEFAULT_WIDTH: usize = 2;
/// The widest labels of rows.
const MAX_LABEL_WIDTH: usize = 20;

/// How the cells are arranged.
struct Grid {
    /// The area of the cells.
    area: Rect,
    columns: std::ops::Range<usize>,
    rows: std::ops::Range<usize>,
    width: u16,
    height: u16,
}

/// Returns the area of the cells.
fn area(of: &SheetOfRuns, inside: Rect) -> Rect {
    let rows = of.sheet.y.values.len();
    let labels = (0..rows).map(|at| of.sheet.y.label(at).width()).max().unwrap_or(0).min(MAX_LABEL_WIDTH);
    let left = u16::try_from(labels).unwrap_or(0);
    let left = (if left > 0 { left + 2 } else { 0 }).min(inside.width / 3);
    let top = 2.min(inside.height);
    let (x, y) = (inside.x + left, inside.y + top);
    Rect { x, y, width: inside.width - left, height: inside.height - top }
}

/// Returns the height of cells of a width: pictures are usually 4:3, a cell of the terminal is half as wide as it is high, and one
/// row is the caption.
fn height(width: u16) -> u16 {
    width * 3 / 8 + 1
}

/// Returns the place of the width of the cells in [`WIDTHS`].
pub(super) fn width(of: &SheetOfRuns, inside: Rect) -> usize {
    let area = area(of, inside);
    let fits = |count: usize, each: u16, room: u16| {
        count.saturating_mul(usize::from(each) + 1) <= usize::from(room) + 1
    };
    let all = |width: u16| {
        fits(of.sheet.x.values.len(), width, area.width)
            && fits(of.sheet.y.values.len(), height(width), area.height)
    };
    let largest = || WIDTHS.iter().rposition(|width| all(*width)).unwrap_or(0).max(DEFAULT_WIDTH);
    of.width.unwrap_or_else(largest)
}

fn grid(of: &SheetOfRuns, inside: Rect) -> Grid {
    let (columns, rows) = (of.sheet.x.values.len(), of.sheet.y.values.len());
    let area = area(of, inside);
    let width = WIDTHS[width(of, inside)].min(area.width.max(1));
    let height = height(width).clamp(2, area.height.max(2));
    let in_view = |at: usize, count: usize, room: u16, each: u16| {
        let fit = usize::from((room + 1) / (each + 1)).max(1);
        let first = Cursor { at }.first(count, fit);
        first..(first + fit).min(count)
    };
    let columns = in_view(of.column, columns, area.width, width);
    Grid { area, columns, rows: in_view(of.row, rows, area.height, height), width, height }
}

/// Returns the cells in view with their columns and rows; the last row of each is its caption.
pub(super) fn cells(of: &SheetOfRuns, inside: Rect) -> Vec<(usize, usize, Rect)> {
    let Grid { area, columns, rows, width, height } = grid(of, inside);
    let along = |from: u16, nth: usize, each: u16| {
        from.saturating_add(u16::try_from(nth).unwrap_or(u16::MAX).saturating_mul(each + 1))
    };
    let cell = |row: usize, column: usize| {
        let x = along(area.x, column - columns.start, width);
        let y = along(area.y, row - rows.start, height);
        (column, row, Rect { x, y, width, height }.intersection(area))
    };
    rows.clone()
        .flat_map(|row| columns.clone().map(move |column| (row, column)))
        .map(|it| cell(it.0, it.1))
        .collect()
}

/// Returns the picture of a product in a cell.
pub(super) fn picture(asset: &Asset, cell: Rect) -> Option<PictureRequest> {
    let has =
        matches!(asset.kind, AssetKind::Image | AssetKind::Video) && asset.preview == PreviewState::Ready;
    let inside = without_caption(cell);
    has.then(|| PictureRequest::thumbnail(asset.id, (inside.width, inside.height)))
}

fn without_caption(cell: Rect) -> Rect {
    Rect { height: cell.height.saturating_sub(1), ..cell }
}

pub(super) fn view(
    of: &SheetOfRuns,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let title = fit(&title(of, model), area.width.saturating_sub(6).into());
    let inside = screen(&title, model, theme, area, buffer, areas);
    if inside.height < 4 {
        return;
    }
    // What was read before stays until it is read again.
    let reading = of.asked.as_ref().filter(|_| of.runs.is_empty()).map(|_| "the runs are being read");
    if let Some(why) = of.problem.as_deref().or(reading) {
        let help = "T opens the table: filter or mark runs there, then Y opens their sheet";
        for (y, words) in (inside.y..inside.bottom()).zip([why, "", help]) {
            let place = Rect { y, height: 1, ..inside };
            Line::styled(fit(words, inside.width.into()), theme.dim).render(place, buffer);
        }
        return;
    }
    labels(of, theme, inside, buffer);
    for (column, row, place) in cells(of, inside) {
        cell(of, (column, row), model, theme, place, buffer);
        areas.hit(place, Hit::Row(row * of.sheet.x.values.len() + column));
    }
}

fn title(of: &SheetOfRuns, model: &Model) -> String {
    let mut title = model.workflow.as_ref().map_or_else(|| "sheet".to_owned(), |it| it.document.name.clone());
    let times = if model.options.ascii { "x" } else { "×" };
    match (&of.x, &of.y) {
        (Some(x), Some(y)) => title.push_str(&format!(" · {x} {times} {y}")),
        (Some(x), None) => title.push_str(&format!(" · {x}")),
        _ => {}
    }
    if let Some(shown) = of.products.title() {
        title.push_str(&format!(" · {shown}"));
    }
    let newest = if of.further { ", the newest" } else { "" };
    title.push_str(&format!(" · {}{newest}", crate::text::count(of.runs.len(), "run")));
    if of.sheet.left_out > 0 {
        title.push_str(&format!(", {} without these params", of.sheet.left_out));
    }
    let lacking = of.runs.iter().filter(|row| row.params_left > 0).count();
    if lacking > 0 {
        title.push_str(&format!(", {lacking} with too many long params"));
    }
    title
}

fn labels(of: &SheetOfRuns, theme: &Theme, inside: Rect, buffer: &mut Buffer) {
    let grid = grid(of, inside);
    let style = |is_under: bool| if is_under { theme.accent } else { theme.dim };
    let (columns, rows) = (of.sheet.x.values.len(), of.sheet.y.values.len());
    for (column, row, place) in cells(of, inside) {
        if row == grid.rows.start {
            let label = fit(&of.sheet.x.label(column), place.width.into());
            let line = Line::styled(label, style(column == of.column)).alignment(Alignment::Center);
            line.render(Rect { y: inside.y, height: 1, ..place }, buffer);
        }
        if column == grid.columns.start {
            let wide = (grid.area.x - inside.x).saturating_sub(2);
            let label = fit(&of.sheet.y.label(row), wide.into());
            let place = Rect { x: inside.x, width: wide, y: place.y, height: 1 };
            Line::styled(label, style(row == of.row)).render(place.intersection(inside), buffer);
        }
    }
    // How much is out of view.
    let in_view = |shown: &std::ops::Range<usize>, all: usize, what: &str| {
        (shown.len() < all).then(|| format!("{what} {}–{} of {all}", shown.start + 1, shown.end))
    };
    let out = [in_view(&grid.columns, columns, "columns"), in_view(&grid.rows, rows, "rows")];
    let words: Vec<String> = out.into_iter().flatten().collect();
    let place = Rect { y: inside.y + 1, height: 1, ..inside };
    let line = Line::styled(fit(&words.join(" · "), inside.width.into()), theme.dim);
    line.alignment(Alignment::Right).render(place, buffer);
}

fn cell(
    of: &SheetOfRuns,
    (column, row): (usize, usize),
    model: &Model,
    theme: &Theme,
    place: Rect,
    buffer: &mut Buffer,
) {
    let inside = without_caption(place);
    let (mut caption, mut style) = (String::new(), theme.dim);
    match of.found(column, row) {
        None => words("no run", theme, inside, buffer),
        Some((run, found)) if found.state != RunStatus::Completed => {
            let glyph = run_glyph(found.state, 0, model.options.ascii);
            caption = format!("#{} {glyph} {}", run.number, found.state.word());
            style = theme.run(found.state);
            words("no product", theme, inside, buffer);
        }
        Some((run, found)) => {
            let others = if found.others > 0 { format!(" +{}", found.others) } else { String::new() };
            caption = format!("#{}{others}", run.number);
            match of.products.of(run.id) {
                Some(asset) => content::view(asset, model, theme, inside, buffer),
                None if of.products.are_known(run.id) => words("no product", theme, inside, buffer),
                None => words("…", theme, inside, buffer),
            }
        }
    }
    let below = Rect { y: place.bottom().saturating_sub(1), height: 1.min(place.height), ..place };
    let line = Line::from(Span::styled(fit(&caption, below.width.into()), style));
    line.alignment(Alignment::Center).render(below, buffer);
    if (column, row) == (of.column, of.row) {
        theme.select(below, buffer);
    }
}

fn words(text: &str, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let lines = wrap(text, area.width);
    let top = area.y + area.height.saturating_sub(u16::try_from(lines.len()).unwrap_or(0)) / 2;
    for (y, line) in (top..area.bottom()).zip(lines) {
        let line = Line::styled(line, theme.dim).alignment(Alignment::Center);
        line.render(Rect { y, height: 1, ..area }, buffer);
    }
}
