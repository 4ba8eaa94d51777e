//! Parallel coordinates of the table of runs: an axis for each param, output and metric, and a line for each run.

mod scaled;
mod view;

use std::collections::HashSet;

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use fanlight_shared::client::table::{Kind, Table};
use fanlight_shared::id::RunId;
use fanlight_shared::metric::Goal;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::action::{Action, Scope};
use crate::ui::areas::{Areas, Hit};
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;
use scaled::Scaled;

/// The most axes; further columns are left out, those that are not shown at first before others.
const MAX_AXES: usize = 24;
/// How many runs half a page is.
const HALF_PAGE: usize = 10;

/// The parallel coordinates of some runs.
#[derive(Debug)]
pub struct ParallelAxes {
    /// All axes, in the order of the table.
    axes: Vec<Scaled>,
    /// The shown ones, in their order.
    order: Vec<usize>,
    /// The axis under the cursor, among the shown ones.
    cursor: usize,
    runs: Vec<(RunId, String)>,
    /// Which runs are marked.
    marked: Vec<usize>,
    /// The axis by which runs are ranked.
    ranked_by: usize,
    /// The runs, the best first.
    ranks: Vec<usize>,
    /// The rank of the run whose line is lit.
    at: usize,
    /// Whether there are columns beyond [`MAX_AXES`].
    further: bool,
}

impl ParallelAxes {
    /// Returns the screen for some rows and columns of a table; `None` if there are not two of each. Runs are ranked by the
    /// column `under` the cursor if that has a goal, else by the first one that has, else by the first that is no param.
    #[must_use]
    pub fn of(
        table: &Table,
        rows: &[usize],
        columns: &[usize],
        under: Option<usize>,
        marks: &HashSet<RunId>,
    ) -> Option<Self> {
        let shown =
            |at: &&usize| matches!(table.columns()[**at].kind, Kind::Param | Kind::Output | Kind::Last);
        let mut axes: Vec<(usize, Scaled)> = Vec::new();
        let mut further = false;
        for column in columns.iter().filter(shown) {
            let Some(axis) = Scaled::of(table, rows, *column) else { continue };
            if axes.len() == MAX_AXES {
                further = true;
                let other = axes.iter().rposition(|(_, other)| !other.is_first);
                let Some(other) = other.filter(|_| axis.is_first) else { continue };
                axes.remove(other);
            }
            axes.push((*column, axis));
        }
        if axes.len() < 2 || rows.len() < 2 {
            return None;
        }
        let place = |column: usize| axes.iter().position(|(it, _)| *it == column);
        let cursor = under.and_then(place);
        let has_goal = |at: &usize| axes[*at].1.goal.is_some();
        let ranked_by = cursor.filter(has_goal).or_else(|| (0..axes.len()).find(has_goal));
        let run = |at: &usize| {
            let row = &table.rows()[*at];
            (row.run, table.cell(row, 0).to_string())
        };
        let runs: Vec<(RunId, String)> = rows.iter().map(run).collect();
        let marked = (0..runs.len()).filter(|at| marks.contains(&runs[*at].0)).collect();
        let axes: Vec<Scaled> = axes.into_iter().map(|(_, axis)| axis).collect();
        let order = first_axes(&axes);
        let under = cursor.and_then(|axis| order.iter().position(|it| *it == axis)).unwrap_or(0);
        // By a param only if there is nothing else.
        let result = (0..axes.len()).find(|at| !axes[*at].is_param);
        let ranked_by = ranked_by.or(result).unwrap_or(order[under]);
        let mut screen =
            Self { axes, order, cursor: under, runs, marked, ranked_by, ranks: Vec::new(), at: 0, further };
        screen.rank();
        Some(screen)
    }

    /// Shows all axes; if all are shown, those that are shown at first.
    fn turn_all(&mut self) {
        let under = self.order[self.cursor];
        let hidden: Vec<usize> = (0..self.axes.len()).filter(|axis| !self.order.contains(axis)).collect();
        match hidden.is_empty() {
            true => self.order = first_axes(&self.axes),
            false => self.order.extend(hidden),
        }
        self.cursor = self.order.iter().position(|axis| *axis == under).unwrap_or(0);
    }

    /// Orders the runs by the axis that ranks them; without a goal, the largest value is first.
    fn rank(&mut self) {
        let axis = &self.axes[self.ranked_by];
        let mut ranks: Vec<usize> = (0..self.runs.len()).collect();
        let key = |run: &usize| {
            let place = axis.places[*run];
            let place = if axis.goal == Some(Goal::Min) { place } else { -place };
            // Runs without a value come last.
            if place.is_nan() { f32::INFINITY } else { place }
        };
        ranks.sort_by(|a, b| key(a).total_cmp(&key(b)));
        (self.ranks, self.at) = (ranks, 0);
    }

    /// Returns the run whose line is lit.
    fn lit(&self) -> Option<usize> {
        self.ranks.get(self.at).copied()
    }

    fn shift(&mut self, right: bool) {
        let to = if right { self.cursor + 1 } else { self.cursor.wrapping_sub(1) };
        if to < self.order.len() {
            self.order.swap(self.cursor, to);
            self.cursor = to;
        }
    }

    /// Moves the cursor, and ranks by the axis under it if that has a goal.
    fn go(&mut self, to: usize) {
        self.cursor = to.min(self.order.len().saturating_sub(1));
        let under = self.order[self.cursor];
        if self.axes[under].goal.is_some() && self.ranked_by != under {
            self.ranked_by = under;
            self.rank();
        }
    }
}

/// Returns the axes that are shown at first; all, if that is not two.
fn first_axes(axes: &[Scaled]) -> Vec<usize> {
    let first: Vec<usize> = (0..axes.len()).filter(|axis| axes[*axis].is_first).collect();
    if first.len() < 2 { (0..axes.len()).collect() } else { first }
}

impl Component for ParallelAxes {
    fn key(&mut self, model: &mut Model, _key: KeyEvent, action: Option<Action>) -> Step {
        let last = self.ranks.len().saturating_sub(1);
        match action {
            Some(Action::Back | Action::Quit) => return Step::close(),
            Some(Action::Left) => self.go(self.cursor.saturating_sub(1)),
            Some(Action::Right) => self.go(self.cursor + 1),
            Some(Action::Down) => self.at = (self.at + 1).min(last),
            Some(Action::Up) => self.at = self.at.saturating_sub(1),
            Some(Action::HalfPageDown) => self.at = (self.at + HALF_PAGE).min(last),
            Some(Action::HalfPageUp) => self.at = self.at.saturating_sub(HALF_PAGE),
            Some(Action::First) => self.at = 0,
            Some(Action::Last) => self.at = last,
            Some(Action::AxisLeft) => self.shift(false),
            Some(Action::AxisRight) => self.shift(true),
            Some(Action::HideAxis) if self.order.len() > 2 => {
                self.order.remove(self.cursor);
                self.cursor = self.cursor.min(self.order.len() - 1);
            }
            Some(Action::AllAxes) => self.turn_all(),
            Some(Action::FlipAxis) => {
                let axis = &mut self.axes[self.order[self.cursor]];
                axis.flipped = !axis.flipped;
            }
            Some(Action::PinLine) => {
                return match self.lit() {
                    Some(run) => Step::close_with(model.pin(self.runs[run].0)),
                    None => Step::stay(),
                };
            }
            _ => return Step::pass(),
        }
        Step::stay()
    }

    fn mouse(&mut self, _model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        let last = self.ranks.len().saturating_sub(1);
        match (mouse.kind, hit) {
            (MouseEventKind::Down(_), Some(Hit::Row(axis))) => self.go(*axis),
            (MouseEventKind::ScrollDown, _) => self.at = (self.at + 1).min(last),
            (MouseEventKind::ScrollUp, _) => self.at = self.at.saturating_sub(1),
            _ => {}
        }
        Step::stay()
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Parallel)
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![
            Action::Right,
            Action::Down,
            Action::AxisRight,
            Action::HideAxis,
            Action::AllAxes,
            Action::FlipAxis,
            Action::PinLine,
            Action::Back,
        ]
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}

#[cfg(test)]
mod tests;
