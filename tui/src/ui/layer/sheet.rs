//! A contact sheet: products of runs, with the values of two params as columns and rows.

mod products;
mod view;

use std::collections::HashSet;

use crossterm::event::{KeyEvent, MouseEvent, MouseEventKind};
use fanlight_shared::asset::Asset;
use fanlight_shared::client::sheet::{Found, RunOfSheet, Sheet, varying};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::{Run, RunStatus};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::viewer::Viewer;
use crate::ui::action::{Action, Scope};
use crate::ui::address::Address;
use crate::ui::areas::{Areas, Hit};
use crate::ui::effect::Effect;
use crate::ui::message::Response;
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;
use crate::ui::toast::Tone;
use products::Products;

/// The most runs, the newest ones.
const MAX_RUNS: usize = 10_000;
/// The widths of cells, in columns.
const WIDTHS: [u16; 6] = [12, 16, 24, 32, 48, 64];

/// Products of runs by two params.
#[derive(Debug, Default)]
pub struct SheetOfRuns {
    /// The runs without their results, the newest first.
    runs: Vec<runs::TableRow>,
    /// The request for their first page, if they can be read again, and which of them are wanted, if not all.
    request: Option<runs::Table>,
    only: Option<HashSet<RunId>>,
    /// The page that was requested last; `None` once all are there.
    asked: Option<runs::Table>,
    /// Those that were read so far, until all are there.
    read: Vec<runs::TableRow>,
    /// Whether there are more runs than [`MAX_RUNS`].
    further: bool,
    /// The params that have several values.
    params: Vec<String>,
    x: Option<String>,
    y: Option<String>,
    sheet: Sheet,
    /// Why there is no sheet.
    problem: Option<String>,
    products: Products,
    /// The cell under the cursor.
    column: usize,
    row: usize,
    /// The place of the width of the cells in [`WIDTHS`]; by default the largest at which all are in view.
    width: Option<usize>,
}

impl SheetOfRuns {
    /// Opens the sheet of these runs, the newest first; `request` is the table that they are from.
    #[must_use]
    pub fn of(runs: Vec<runs::TableRow>, request: Option<runs::Table>) -> Self {
        let only = Some(runs.iter().map(|row| row.run.id).collect());
        let mut sheet = Self { runs, request, only, ..Self::default() };
        sheet.choose();
        sheet
    }

    /// Opens the sheet of the runs of a request.
    #[must_use]
    pub fn read(request: runs::Table) -> (Self, Effect) {
        let request = runs::Table { limit: Some(1000), ..request };
        let mut sheet = Self { request: Some(request.clone()), ..Self::default() };
        sheet.asked = sheet.request.clone();
        (sheet, Effect::ReadTable(request))
    }

    /// Opens the sheet of the workflow on screen; `None` if it has no runs.
    #[must_use]
    pub fn open(model: &Model) -> Option<(Self, Effect)> {
        let workflow_id = Some(model.workflow_id()?);
        Some(Self::read(runs::Table { workflow_id, ..runs::Table::default() }))
    }

    /// Takes a page of runs, and requests the next one.
    fn take(&mut self, rows: &[runs::TableRow], cursor: Option<&String>) -> Option<Effect> {
        let request = self.asked.take()?;
        self.problem = None;
        self.read.extend(rows.iter().map(runs::TableRow::without_results));
        self.further = self.read.len() >= MAX_RUNS && cursor.is_some();
        let next = cursor.filter(|_| !self.further).cloned();
        self.asked = next.map(|cursor| runs::Table { cursor: Some(cursor), ..request });
        if self.asked.is_none() {
            self.runs = std::mem::take(&mut self.read);
            if let Some(only) = &self.only {
                self.runs.retain(|row| only.contains(&row.run.id));
            }
            self.choose();
        }
        self.asked.clone().map(Effect::ReadTable)
    }

    /// Chooses the first params that have several values, unless the chosen ones still have.
    fn choose(&mut self) {
        let runs: Vec<RunOfSheet<'_>> = self.runs.iter().map(RunOfSheet::from).collect();
        self.params = varying(&runs).into_iter().map(|(name, _)| name).collect();
        let is_there = |name: &Option<String>| name.as_ref().is_some_and(|it| self.params.contains(it));
        if !is_there(&self.x) || self.y.is_some() && !is_there(&self.y) {
            let mut names = self.params.iter().cloned();
            (self.x, self.y) = (names.next(), names.next());
        }
        self.arrange();
    }

    /// Takes a run that changed or was deleted.
    fn changed(&mut self, event: &DaemonEvent) {
        let known = |sheet: &Self, id: RunId| sheet.runs.iter().position(|row| row.run.id == id);
        match event {
            DaemonEvent::RunUpdate { run } => {
                if let Some(at) = known(self, run.id)
                    && self.runs[at].run.state != run.state
                {
                    self.runs[at].run.state = run.state;
                    self.arrange();
                }
            }
            DaemonEvent::RunDelete { run_id, .. } => {
                if let Some(at) = known(self, *run_id) {
                    self.runs.remove(at);
                    self.choose();
                }
            }
            _ => {}
        }
    }

    fn arrange(&mut self) {
        let runs: Vec<RunOfSheet<'_>> = self.runs.iter().map(RunOfSheet::from).collect();
        (self.sheet, self.problem) = match &self.x {
            None if runs.is_empty() => (Sheet::default(), Some("no run yet".to_owned())),
            None => (Sheet::default(), Some("all runs have the same params".to_owned())),
            Some(x) => match Sheet::of(&runs, x, self.y.as_deref()) {
                Ok(sheet) => (sheet, None),
                Err(why) => (Sheet::default(), Some(why)),
            },
        };
        self.column = self.column.min(self.sheet.x.values.len().saturating_sub(1));
        self.row = self.row.min(self.sheet.y.values.len().saturating_sub(1));
    }

    /// Takes the next param for the columns, or for the rows; the other one is left out.
    fn turn(&mut self, columns: bool, model: &mut Model) {
        let (this, other) = if columns { (&self.x, &self.y) } else { (&self.y, &self.x) };
        let free: Vec<&String> = self.params.iter().filter(|name| Some(*name) != other.as_ref()).collect();
        let at = free.iter().position(|name| Some(*name) == this.as_ref());
        let next = free.get(at.map_or(0, |at| (at + 1) % free.len().max(1))).map(|name| (*name).clone());
        if next == *this {
            model.say(Tone::Note, "no other param has several values");
            return;
        }
        let this = if columns { &mut self.x } else { &mut self.y };
        *this = next;
        self.arrange();
    }

    /// Returns the runs of a cell.
    fn found(&self, column: usize, row: usize) -> Option<(&Run, Found)> {
        let found = self.sheet.found(column, row)?;
        Some((&self.runs.get(found.run)?.run, found))
    }

    /// Returns the product of a cell.
    fn product(&self, column: usize, row: usize) -> Option<&Asset> {
        let (run, found) = self.found(column, row)?;
        self.products.of(run.id).filter(|_| found.state == RunStatus::Completed)
    }

    fn move_to(&mut self, action: Action) -> bool {
        let (columns, rows) = (self.sheet.x.values.len(), self.sheet.y.values.len());
        match action {
            Action::Left => self.column = self.column.saturating_sub(1),
            Action::Right => self.column = (self.column + 1).min(columns.saturating_sub(1)),
            Action::Up => self.row = self.row.saturating_sub(1),
            Action::Down => self.row = (self.row + 1).min(rows.saturating_sub(1)),
            Action::First => (self.column, self.row) = (0, 0),
            Action::Last => (self.column, self.row) = (columns.saturating_sub(1), rows.saturating_sub(1)),
            _ => return false,
        }
        true
    }

    fn view_product(&self, model: &mut Model) -> Step {
        match self.product(self.column, self.row) {
            Some(asset) => {
                let viewer = Viewer::new(asset.clone());
                Step { effects: viewer.begin(), ..Step::open(viewer.into()) }
            }
            None => {
                model.say(Tone::Note, "there is no product in this cell");
                Step::stay()
            }
        }
    }
}

impl Component for SheetOfRuns {
    fn key(&mut self, model: &mut Model, _key: KeyEvent, action: Option<Action>) -> Step {
        let Some(action) = action else { return Step::pass() };
        if self.move_to(action) {
            return Step::stay();
        }
        match action {
            Action::Back | Action::Quit | Action::Sheet => return Step::close(),
            Action::SheetColumns => self.turn(true, model),
            Action::SheetRows => self.turn(false, model),
            Action::SheetExchange if self.y.is_some() => {
                std::mem::swap(&mut self.x, &mut self.y);
                (self.column, self.row) = (self.row, self.column);
                self.arrange();
            }
            Action::SheetProduct => {
                if !self.products.turn() {
                    model.say(Tone::Note, "these runs have no other product");
                }
            }
            Action::SheetLarger | Action::SheetSmaller => {
                let now = view::width(self, model.areas.layer.unwrap_or_default());
                let is_larger = action == Action::SheetLarger;
                let next = if is_larger { (now + 1).min(WIDTHS.len() - 1) } else { now.saturating_sub(1) };
                self.width = Some(next);
            }
            Action::Open => return self.view_product(model),
            Action::Pin => {
                let run = self.found(self.column, self.row).map(|(run, _)| run.id);
                return run.map_or_else(Step::stay, |run| Step::close_with(model.pin(run)));
            }
            _ => return Step::pass(),
        }
        Step::stay()
    }

    fn mouse(&mut self, model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
        let columns = self.sheet.x.values.len();
        match (mouse.kind, hit) {
            (MouseEventKind::Down(_), Some(Hit::Row(cell))) if columns > 0 => {
                let to = (cell % columns, cell / columns);
                if to == (self.column, self.row) {
                    return self.view_product(model);
                }
                (self.column, self.row) = to;
            }
            (MouseEventKind::ScrollDown, _) => {
                self.move_to(Action::Down);
            }
            (MouseEventKind::ScrollUp, _) => {
                self.move_to(Action::Up);
            }
            _ => {}
        }
        Step::stay()
    }

    fn response(&mut self, model: &mut Model, response: &mut Response) -> Vec<Effect> {
        match response {
            Response::Table(request, page) if self.asked.as_ref() == Some(request) => {
                self.take(&page.rows, page.cursor.as_ref()).into_iter().collect()
            }
            Response::Assets { to: Address::Sheet(run), page } => {
                self.products.take(*run, page, model);
                Vec::new()
            }
            Response::Failed { request, error, .. } => {
                match &**request {
                    Effect::ListAssets { to: Address::Sheet(run), .. } => {
                        self.products.failed(*run);
                    }
                    Effect::ReadTable(request) if self.asked.as_ref() == Some(request) => {
                        self.problem = Some(error.clone());
                    }
                    _ => {}
                }
                Vec::new()
            }
            _ => Vec::new(),
        }
    }

    fn notification(&mut self, _model: &mut Model, notification: &Notification) -> Vec<Effect> {
        self.products.notification(notification);
        if let Notification::Daemon { event, .. } = notification {
            self.changed(event);
        }
        Vec::new()
    }

    fn missed(&mut self, _model: &mut Model) -> Vec<Effect> {
        self.products.missed();
        self.read.clear();
        self.asked.clone_from(&self.request);
        self.asked.clone().map(Effect::ReadTable).into_iter().collect()
    }

    fn shown(&mut self, model: &mut Model) -> Vec<Effect> {
        let Some(inside) = model.areas.layer else { return Vec::new() };
        let (mut effects, mut pictures) = (Vec::new(), Vec::new());
        for (column, row, place) in view::cells(self, inside) {
            let Some((run, found)) = self.found(column, row).map(|(run, found)| (run.id, found)) else {
                continue;
            };
            if found.state != RunStatus::Completed {
                continue;
            }
            effects.extend(self.products.want(run));
            if let Some(asset) = self.products.of(run) {
                match view::picture(asset, place) {
                    Some(request) => pictures.push(request),
                    None => effects.extend(model.gallery.previews.want(asset)),
                }
            }
        }
        effects.extend(model.pictures.want(pictures));
        effects
    }

    fn scope(&self) -> Option<Scope> {
        Some(Scope::Sheet)
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![
            Action::Open,
            Action::SheetColumns,
            Action::SheetRows,
            Action::SheetExchange,
            Action::SheetProduct,
            Action::SheetLarger,
            Action::SheetSmaller,
            Action::Pin,
            Action::Back,
        ]
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        view::view(self, model, theme, area, buffer, areas);
    }
}

#[cfg(test)]
mod tests;
