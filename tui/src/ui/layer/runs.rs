//! The runs of the workflow on screen as a table: params, outputs and metrics, sorted, filtered and compared. It follows
//! what changes.

mod live;
mod rows;
mod view;

use std::collections::HashSet;
use std::sync::Arc;

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use fanlight_shared::client::table::{Condition, Table};
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs;
use fanlight_shared::rpc::watch::{Metrics, Notification};
use fanlight_shared::run::Run;
use fanlight_shared::time::Time;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::compare::Compare;
use super::confirm::{self, Confirm};
use super::curves::{CurvesOfRuns, Of};
use super::importance::ImportanceOfParams;
use super::list::Cursor;
use super::parallel::ParallelAxes;
use super::prompt::Prompt;
use super::sheet::SheetOfRuns;
use crate::ui::action::{Action, Scope};
use crate::ui::areas::{Areas, Hit};
use crate::ui::effect::Effect;
use crate::ui::message::{Response, Why};
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::pane::Pane;
use crate::ui::theme::Theme;
use crate::ui::toast::Tone;
use live::Changes;

/// The most runs, the newest ones.
const MAX_RUNS: usize = 10_000;
/// The most active runs whose new metrics are watched.
const MAX_WATCHED: usize = 1_000;

/// The runs of a workflow as a table.
#[derive(Debug, Default)]
pub struct RunsTable {
    /// The request for the first page.
    request: runs::Table,
    table: Table,
    /// The runs of the rows without their results, for the comparison and the sheet.
    runs: Vec<Arc<runs::TableRow>>,
    /// The page that was requested last; `None` once all are there.
    asked: Option<runs::Table>,
    /// How many rows the pages had so far.
    read: usize,
    /// Runs that may have been deleted unnoticed, until all pages are there.
    doubtful: HashSet<RunId>,
    /// What has changed since.
    changes: Changes,
    /// How many runs were in the queue at the last update of it.
    queued: u32,
    /// Whether there are more runs than [`MAX_RUNS`].
    further: bool,
    /// The shown rows and columns, in order.
    rows: Vec<usize>,
    columns: Vec<usize>,
    /// Columns that the user hid.
    hidden: HashSet<usize>,
    /// The column that sorts, and whether the largest value is first.
    sorted: Option<(usize, bool)>,
    filter: String,
    conditions: Vec<Condition>,
    marks: HashSet<RunId>,
    cursor: Cursor,
    /// The column under the cursor, among the shown ones.
    column: usize,
}

impl RunsTable {
    /// Opens the table of the workflow on screen; `None` if it has no runs.
    #[must_use]
    pub fn open(model: &Model) -> Option<(Self, Effect)> {
        let workflow_id = model.workflow_id()?;
        let request =
            runs::Table { workflow_id: Some(workflow_id), limit: Some(1000), ..runs::Table::default() };
        let queued = model.projection.queue().queued;
        let (asked, first) = (Some(request.clone()), request.clone());
        let table = Self { asked, request: first, queued, ..Self::default() };
        Some((table, Effect::ReadTable(request)))
    }

    /// Sorts by the column under the cursor: the smallest value first, then the largest, then as before.
    fn sort(&mut self) {
        let Some(column) = self.columns.get(self.column).copied() else { return };
        self.sorted = match self.sorted {
            Some((sorted, false)) if sorted == column => Some((column, true)),
            Some((sorted, true)) if sorted == column => None,
            _ => Some((column, false)),
        };
        self.arrange(self.run().map(|run| run.id));
        self.cursor.at = 0;
    }

    fn hide(&mut self) {
        // The name of the run stays.
        if let Some(column) = self.columns.get(self.column).copied().filter(|column| *column > 0) {
            self.hidden.insert(column);
            self.arrange(self.run().map(|run| run.id));
        }
    }

    /// Shows the rows that meet the conditions in a text, which are separated by blanks.
    fn set_filter(&mut self, text: &str) -> Result<(), String> {
        let conditions = text.split_whitespace().map(|it| Condition::read(it, &self.table));
        self.conditions = conditions.collect::<Result<_, _>>()?;
        text.trim().clone_into(&mut self.filter);
        self.arrange(self.run().map(|run| run.id));
        Ok(())
    }

    fn run(&self) -> Option<&Run> {
        Some(&self.runs.get(*self.rows.get(self.cursor.at)?)?.run)
    }

    /// Returns the runs that are shown.
    fn shown_runs(&self) -> impl Iterator<Item = &runs::TableRow> {
        self.rows.iter().filter_map(|row| Some(&**self.runs.get(*row)?))
    }

    /// Returns the marked runs that are shown, else the one under the cursor.
    fn targets(&self) -> Vec<&Run> {
        let shown = self.shown_runs().map(|row| &row.run);
        let marked: Vec<&Run> = shown.filter(|run| self.marks.contains(&run.id)).collect();
        if marked.is_empty() { self.run().into_iter().collect() } else { marked }
    }

    fn compare(&self, model: &mut Model) -> Step {
        let runs = self.targets();
        if runs.len() < 2 {
            model.say(Tone::Note, "mark several runs first");
            return Step::stay();
        }
        let compare = Compare::of_runs(runs);
        Step { effects: compare.begin(), ..Step::open(compare.into()) }
    }

    /// Opens the curves of the marked runs, or of the one under the cursor.
    fn curves(&self, model: &mut Model) -> Step {
        let runs: Vec<Run> = self.targets().into_iter().cloned().collect();
        let marked: Vec<RunId> = runs.iter().map(|run| run.id).collect();
        // The model may not know them, because they are old.
        model.projection.add(runs);
        let (curves, effects) = CurvesOfRuns::of(model, Of::Marked(marked));
        Step { effects, ..Step::open(curves.into()) }
    }

    /// Opens the sheet of the marked runs, else of all that are shown.
    fn sheet(&self) -> Step {
        let marked = || self.shown_runs().filter(|row| self.marks.contains(&row.run.id));
        let mut runs: Vec<runs::TableRow> = match marked().next() {
            Some(_) => marked().cloned().collect(),
            None => self.shown_runs().cloned().collect(),
        };
        // The newest first, however they are sorted here.
        runs.sort_by_key(|row| std::cmp::Reverse(row.run.number));
        Step::open(SheetOfRuns::of(runs, Some(self.request.clone())).into())
    }

    /// Opens which params matter for the column under the cursor.
    fn importance(&self, model: &mut Model) -> Step {
        let column = self.columns.get(self.column).copied();
        match column.and_then(|column| ImportanceOfParams::of(&self.table, &self.rows, column)) {
            Some(screen) => Step::open(screen.into()),
            None => {
                model.say(
                    Tone::Note,
                    "select a column with results that are numbers, of several runs with different params",
                );
                Step::stay()
            }
        }
    }

    /// Opens the parallel coordinates of the shown rows and columns.
    fn parallel(&self, model: &mut Model) -> Step {
        let under = self.columns.get(self.column).copied();
        match ParallelAxes::of(&self.table, &self.rows, &self.columns, under, &self.marks) {
            Some(screen) => Step::open(screen.into()),
            None => {
                model.say(Tone::Note, "this needs two columns of params, outputs or metrics in several runs");
                Step::stay()
            }
        }
    }

    fn cancel(&self, model: &mut Model) -> Step {
        let is_open = |run: &&Run| {
            let now = model.projection.run(run.id).map_or(run.state, |now| now.state);
            !now.is_ended()
        };
        let runs: Vec<RunId> = self.targets().into_iter().filter(is_open).map(|run| run.id).collect();
        if runs.is_empty() {
            model.say(Tone::Note, "nothing to cancel: it ended already");
            return Step::stay();
        }
        let count = if runs.len() == 1 { "1 run".to_owned() } else { format!("{} runs", runs.len()) };
        let question = Confirm {
            title: format!("Cancel {count}?"),
            text: "Waiting ones leave the queue, and processes are ended. What was made so far stays."
                .to_owned(),
            yes: "cancel".to_owned(),
            effects: vec![Effect::Cancel(runs::Cancel { runs, ..runs::Cancel::default() })],
            of_marks: false,
        };
        Step::with(confirm::ask(model, question))
    }

    /// Moves the lens to the run under the cursor, and closes the table.
    fn pin(&self, model: &mut Model) -> Step {
        match self.run().map(|run| run.id) {
            Some(run) => Step::close_with(model.pin(run)),
            None => Step::stay(),
        }
    }
}

impl Component for RunsTable {
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
        if self.cursor.key(key, action, self.rows.len(), 40) {
            return Step::stay();
        }
        match action {
            Some(Action::Back) if !self.marks.is_empty() => self.marks.clear(),
            Some(Action::Back) if !self.conditions.is_empty() => {
                (self.conditions, self.filter) = (Vec::new(), String::new());
                self.arrange(self.run().map(|run| run.id));
            }
            Some(Action::Back | Action::Quit) => return Step::close(),
            Some(Action::Left) => self.column = self.column.saturating_sub(1),
            Some(Action::Right) => self.column = (self.column + 1).min(self.columns.len().saturating_sub(1)),
            Some(Action::SortColumn) => self.sort(),
            Some(Action::ImportanceOfParams) => return self.importance(model),
            Some(Action::ParallelAxes) => return self.parallel(model),
            Some(Action::HideColumn) => self.hide(),
            Some(Action::AllColumns) => {
                self.hidden.clear();
                self.arrange(self.run().map(|run| run.id));
            }
            Some(Action::Mark) => {
                if let Some(run) = self.run().map(|run| run.id)
                    && !self.marks.remove(&run)
                {
                    self.marks.insert(run);
                }
                self.cursor.at = (self.cursor.at + 1).min(self.rows.len().saturating_sub(1));
            }
            Some(Action::CompareRows) => return self.compare(model),
            Some(Action::Curves) => return self.curves(model),
            Some(Action::Sheet) => return self.sheet(),
            Some(Action::CancelRows) => return self.cancel(model),
            Some(Action::ForkRow) => {
                model.pane = Pane::Grid;
                model.say(Tone::Note, "select a node and press F: the fork begins there");
                return self.pin(model);
            }
            Some(Action::Search) => {
                let prompt = Prompt::new("Filter runs", self.filter.clone(), |model, text| {
                    let mut layers = model.layers.iter_mut();
                    let table = layers.find_map(|layer| layer.downcast_mut::<Self>());
                    table.map_or(Ok(()), |table| table.set_filter(text)).map(|()| Vec::new())
                });
                let hint = "conditions with blanks between them, such as acc>0.9 state=failed name~part";
                return Step::open(prompt.hint(hint).into());
            }
            Some(Action::Copy) => {
                let cell = self.rows.get(self.cursor.at).zip(self.columns.get(self.column));
                let text =
                    cell.map(|(row, column)| self.table.cell(&self.table.rows()[*row], *column).to_string());
                return Step::with(text.map(Effect::Copy).into_iter().collect());
            }
            Some(Action::Open) => return self.pin(model),
            _ => return Step::pass(),
        }
        Step::stay()
    }

    fn mouse(&mut self, _model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        match (mouse.kind, hit) {
            (MouseEventKind::Down(_), Some(Hit::Row(row))) => self.cursor.at = *row,
            (MouseEventKind::ScrollDown, _) => self.cursor.wheel(true, self.rows.len()),
            (MouseEventKind::ScrollUp, _) => self.cursor.wheel(false, self.rows.len()),
            _ => {}
        }
        Step::stay()
    }

    fn response(&mut self, model: &mut Model, response: &mut Response) -> Vec<Effect> {
        match response {
            Response::Table(request, page) => self.take(request, page, model).into_iter().collect(),
            Response::Failed { request, why, .. } => match &**request {
                Effect::ReadTable(request) => {
                    let runs = self.changes.failed(request, model.now);
                    // One of them was deleted.
                    let gone = *why == Why::Gone && !runs.is_empty();
                    gone.then_some(Effect::CheckRuns(runs)).into_iter().collect()
                }
                _ => Vec::new(),
            },
            Response::Known(run, None) => {
                self.deleted(*run);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn notification(&mut self, model: &mut Model, notification: &Notification) -> Vec<Effect> {
        match notification {
            Notification::Daemon { event, .. } => self.event(event, model.now),
            Notification::Points { run_id, .. } => self.changes.reported(*run_id, model.now),
            Notification::PointsLost {} => self.watched(model.now),
            _ => return Vec::new(),
        }
        self.follow(model)
    }

    fn missed(&mut self, model: &mut Model) -> Vec<Effect> {
        self.queued = model.projection.queue().queued;
        vec![self.read_again()]
    }

    fn shown(&mut self, model: &mut Model) -> Vec<Effect> {
        self.follow(model)
    }

    fn metrics(&self, model: &Model) -> Option<Metrics> {
        let of_workflow = |run: &&Run| Some(run.workflow_id) == self.request.workflow_id;
        let run_ids: Vec<RunId> =
            model.projection.active().filter(of_workflow).map(|run| run.id).take(MAX_WATCHED).collect();
        (!run_ids.is_empty()).then_some(Metrics { run_ids, node: None, item: None })
    }

    fn watched(&mut self, now: Time) {
        for row in self.runs.iter().filter(|row| row.run.state.is_active()) {
            // Also what the daemon has not stored yet.
            self.changes.reported(row.run.id, now);
        }
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Table)
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![
            Action::Open,
            Action::SortColumn,
            Action::Search,
            Action::Mark,
            Action::CompareRows,
            Action::Curves,
            Action::Sheet,
            Action::ImportanceOfParams,
            Action::ParallelAxes,
            Action::HideColumn,
            Action::Back,
        ]
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}

#[cfg(test)]
mod tests;
