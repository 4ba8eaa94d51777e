//! The rows of the table: read page by page, then one by one as they change.

use std::sync::Arc;

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{Page, runs};
use fanlight_shared::time::Time;

use super::{MAX_RUNS, RunsTable};
use crate::ui::effect::Effect;
use crate::ui::model::Model;

/// The most waiting runs that events name.
const MAX_NAMED: u32 = 200;

impl RunsTable {
    /// Takes a page, and requests the next one.
    pub(super) fn take(
        &mut self,
        request: &runs::Table,
        page: &Page<runs::TableRow>,
        model: &Model,
    ) -> Option<Effect> {
        let next = page.cursor.clone().map(|cursor| runs::Table { cursor: Some(cursor), ..request.clone() });
        if self.asked.as_ref() == Some(request) {
            self.put(&page.rows, model);
            self.read += page.rows.len();
            self.further = self.read >= MAX_RUNS && next.is_some();
            self.asked = next.filter(|_| !self.further);
            if self.asked.is_none() {
                let doubtful = std::mem::take(&mut self.doubtful);
                self.remove(|run| doubtful.contains(&run));
            }
            return self.asked.clone().map(Effect::ReadTable);
        }
        if !self.changes.take(request) {
            return None;
        }
        // The pages of new runs end where the known ones begin.
        let goes_on = !request.run_ids.is_empty()
            || page.rows.last().is_some_and(|row| self.find(row.run.number).is_err());
        self.put(&page.rows, model);
        next.filter(|_| goes_on).map(|next| self.changes.ask(next))
    }

    /// Handles an event of the daemon.
    pub(super) fn event(&mut self, event: &DaemonEvent, now: Time) {
        match event {
            DaemonEvent::RunUpdate { run } if Some(run.workflow_id) == self.request.workflow_id => {
                self.changes.changed(run.id, now);
            }
            DaemonEvent::RunDelete { run_id, .. } => self.deleted(*run_id),
            DaemonEvent::QueueUpdate { queue } => {
                // No event names the runs at the end of a long queue.
                if queue.queued > self.queued.max(MAX_NAMED) {
                    self.changes.added();
                }
                self.queued = queue.queued;
            }
            _ => {}
        }
    }

    /// Handles the deletion of a run.
    pub(super) fn deleted(&mut self, run: RunId) {
        self.changes.deleted(run);
        self.remove(|it| it == run);
    }

    /// Reads again what has changed, once all pages are there.
    pub(super) fn follow(&mut self, model: &Model) -> Vec<Effect> {
        if self.asked.is_some() || !model.is_up() {
            return Vec::new();
        }
        self.changes.follow(&self.request, model.now).into_iter().collect()
    }

    /// Returns the place of a run, or where it would be: the newest first.
    fn find(&self, number: u32) -> Result<usize, usize> {
        self.runs.binary_search_by(|row| number.cmp(&row.run.number))
    }

    /// Replaces rows, or adds them. The cursor stays on its run.
    fn put(&mut self, rows: &[runs::TableRow], model: &Model) {
        let under = self.run().map(|run| run.id);
        for row in rows {
            self.doubtful.remove(&row.run.id);
            let known = Arc::new(row.without_results());
            match self.find(row.run.number) {
                Ok(at) => {
                    self.table.replace(at, row, model.now);
                    self.runs[at] = known;
                }
                Err(at) => {
                    self.table.insert(at, row, model.now);
                    self.runs.insert(at, known);
                }
            }
        }
        while self.runs.len() > MAX_RUNS {
            self.further = true;
            self.runs.pop();
            self.table.truncate(self.runs.len());
        }
        self.table.name_columns();
        self.arrange(under);
    }

    /// Removes the rows of these runs. If one is under the cursor, the next one is.
    fn remove(&mut self, is_gone: impl Fn(RunId) -> bool) {
        let under = self.run().map(|run| run.id).filter(|run| !is_gone(*run));
        let gone: Vec<RunId> = self.runs.iter().map(|row| row.run.id).filter(|run| is_gone(*run)).collect();
        if gone.is_empty() {
            return;
        }
        self.table.retain(|row| !is_gone(row.run));
        self.runs.retain(|row| !is_gone(row.run.id));
        for run in gone {
            self.marks.remove(&run);
            self.changes.deleted(run);
        }
        self.arrange(under);
    }

    /// Reads all runs again, because changes were missed. Those that are shown stay until then.
    pub(super) fn read_again(&mut self) -> Effect {
        self.changes.clear();
        self.doubtful = self.runs.iter().map(|row| row.run.id).collect();
        (self.asked, self.read) = (Some(self.request.clone()), 0);
        Effect::ReadTable(self.request.clone())
    }

    /// Decides which rows and columns are shown. The cursor goes to the row of a run.
    pub(super) fn arrange(&mut self, under: Option<RunId>) {
        let column = self.columns.get(self.column).copied();
        self.rows = self.table.matching(&self.conditions);
        if let Some((column, descending)) = self.sorted {
            self.table.sort(&mut self.rows, column, descending);
        }
        self.columns = self.table.ordered(true);
        self.columns.retain(|column| !self.hidden.contains(column));
        let last = self.rows.len().saturating_sub(1);
        let place = under.and_then(|run| self.rows.iter().position(|at| self.runs[*at].run.id == run));
        self.cursor.at = place.unwrap_or_else(|| self.cursor.at.min(last));
        let last = self.columns.len().saturating_sub(1);
        let place = column.and_then(|it| self.columns.iter().position(|other| *other == it));
        self.column = place.unwrap_or_else(|| self.column.min(last));
    }
}
