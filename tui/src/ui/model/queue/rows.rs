//! The rows of the pane from top to bottom: headings, and the runs of sections that aren't folded. Rows are looked up
//! by number, so that nothing is built per run.

use fanlight_shared::client::projection::Projection;
use fanlight_shared::id::RunId;

use crate::ui::model::Model;
use crate::ui::model::queue::sweeps::SweepId;
use crate::ui::model::queue::{At, Queue, Section};

/// A row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::ui) enum Row {
    /// A heading.
    Heading(Section),
    /// A folded sweep.
    Sweep(SweepId),
    /// A run.
    Run(RunId),
}

/// The positions of the sections.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::ui) struct Rows {
    /// A section, the row of its heading, and its number of visible rows.
    sections: Vec<(Section, usize, usize)>,
    /// How many rows there are.
    pub(in crate::ui) len: usize,
}

impl Rows {
    pub(in crate::ui) fn of(queue: &Queue) -> Self {
        let mut len = 0;
        let mut sections = Vec::new();
        for section in Section::ALL {
            let runs = queue.sections.len(section);
            if runs == 0 {
                continue;
            }
            let shown = if queue.is_folded(section) { 0 } else { runs };
            sections.push((section, len, shown));
            len += 1 + shown;
        }
        Self { sections, len }
    }

    /// Returns a row by its number.
    pub(in crate::ui) fn row(&self, queue: &Queue, row: usize) -> Option<Row> {
        let (section, first, shown) = self.sections.iter().rev().find(|(_, first, _)| *first <= row)?;
        match row - first {
            0 => Some(Row::Heading(*section)),
            at if at <= *shown => queue.sections.at(*section, at - 1),
            _ => None,
        }
    }

    /// Returns the section that a row belongs to.
    pub(in crate::ui) fn section(&self, row: usize) -> Option<Section> {
        self.sections.iter().rev().find(|(_, first, _)| *first <= row).map(|(section, ..)| *section)
    }

    /// Returns the row of a heading.
    pub(in crate::ui) fn heading(&self, section: Section) -> Option<usize> {
        self.sections.iter().find(|(it, ..)| *it == section).map(|(_, first, _)| *first)
    }

    /// Returns the last row of a section.
    pub(in crate::ui) fn end(&self, section: Section) -> Option<usize> {
        self.sections.iter().find(|(it, ..)| *it == section).map(|(_, first, shown)| first + shown)
    }

    fn find(&self, queue: &Queue, at: At, projection: &Projection) -> Option<usize> {
        let (section, index) = match at {
            At::Section(section) => return self.heading(section),
            At::Sweep(sweep) => queue.sections.find_sweep(sweep)?,
            At::Run(run) => queue.sections.find(run, projection)?,
        };
        let heading = self.heading(section)?;
        Some(if queue.is_folded(section) { heading } else { heading + 1 + index })
    }

    /// Returns the row of the cursor, which is on the run in focus until the user moves it, or on the first run if that one is
    /// not shown.
    pub(in crate::ui) fn cursor(&self, model: &Model) -> usize {
        let queue = &model.queue;
        let found = match queue.cursor {
            Some(at) => self.find(queue, at, &model.projection),
            None => {
                let focus = model.focus().and_then(|run| self.find(queue, At::Run(run), &model.projection));
                let is_shown = |row: &usize| !matches!(self.row(queue, *row), Some(Row::Heading(_)));
                focus.filter(is_shown).or_else(|| self.first_run(queue))
            }
        };
        found.unwrap_or(queue.row).min(self.len.saturating_sub(1))
    }

    /// Returns the row of the first run that is shown.
    fn first_run(&self, queue: &Queue) -> Option<usize> {
        (0..self.len).find(|row| matches!(self.row(queue, *row), Some(Row::Run(_))))
    }
}

/// Returns the row under the cursor.
pub(in crate::ui) fn current(model: &Model) -> Option<Row> {
    let rows = Rows::of(&model.queue);
    rows.row(&model.queue, rows.cursor(model))
}
