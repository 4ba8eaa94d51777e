//! Which params matter for a column of the table of runs: a list of them, and the runs as points over the one under the
//! cursor.

mod view;

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use fanlight_shared::client::table::{Cell, Importance, Table, Words};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::list::Cursor;
use crate::ui::action::{Action, Scope};
use crate::ui::areas::{Areas, Hit};
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;

/// The most params, the most important ones.
const MAX_PARAMS: usize = 30;

/// Which params matter for a column.
#[derive(Debug)]
pub struct ImportanceOfParams {
    /// The name of the column.
    target: String,
    params: Vec<Param>,
    cursor: Cursor,
}

/// A param, and the runs as points.
#[derive(Debug)]
struct Param {
    name: String,
    found: Importance,
    /// Its value in each run, and the number of the column there.
    points: Vec<(f64, f64)>,
    /// The words that the values 0, 1, 2 … stand for, if they are not numbers.
    words: Vec<String>,
}

impl ImportanceOfParams {
    /// Returns the screen for a column in some rows; `None` if nothing can be said.
    #[must_use]
    pub fn of(table: &Table, rows: &[usize], target: usize) -> Option<Self> {
        let found = table.importance(rows, target).into_iter().take(MAX_PARAMS);
        let params: Vec<Param> = found.map(|found| Param::of(table, rows, target, found)).collect();
        let target = table.columns()[target].name.clone();
        (!params.is_empty()).then(|| Self { target, params, cursor: Cursor::default() })
    }
}

impl Param {
    #[allow(clippy::cast_precision_loss)]
    fn of(table: &Table, rows: &[usize], target: usize, found: Importance) -> Self {
        let pairs = table.pairs(rows, found.column, target);
        let name = table.columns()[found.column].name.clone();
        if pairs.iter().all(|(cell, _)| cell.number().is_some()) {
            let points = pairs.iter().filter_map(|(cell, y)| Some((cell.number()?, *y))).collect();
            return Self { name, found, points, words: Vec::new() };
        }
        let words = Words::of(pairs.iter().map(|(cell, _)| *cell), usize::MAX).unwrap_or_default();
        let place = |cell: &Cell| words.place(cell).unwrap_or(0) as f64;
        let points = pairs.iter().map(|(cell, y)| (place(cell), *y)).collect();
        Self { name, found, points, words: words.labels().to_vec() }
    }
}

impl Component for ImportanceOfParams {
    fn key(&mut self, _model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        if self.cursor.key(key, action, self.params.len(), 20) {
            return Step::stay();
        }
        match action {
            Some(Action::Back | Action::Quit) => Step::close(),
            _ => Step::pass(),
        }
    }

    fn mouse(&mut self, _model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        match (mouse.kind, hit) {
            (MouseEventKind::Down(_), Some(Hit::Row(row))) => self.cursor.at = *row,
            (MouseEventKind::ScrollDown, _) => self.cursor.wheel(true, self.params.len()),
            (MouseEventKind::ScrollUp, _) => self.cursor.wheel(false, self.params.len()),
            _ => {}
        }
        Step::stay()
    }

    fn scope(&self) -> Option<Scope> {
        None
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Down, Action::Up, Action::Back]
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}
