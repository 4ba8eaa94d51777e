//! Tables: columns by display width, cut to the terminal only where a terminal shows them.

use super::Out;
use super::style::{Paint, Role};
use crate::failure::Failure;
use crate::text;

/// The minimum width of a cut column.
const MIN_COLUMN_WIDTH: usize = 6;
/// Between columns.
pub(super) const GAP: usize = 2;

/// A cell: its text and what it stands for.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    text: String,
    role: Role,
}

impl Cell {
    /// Returns a cell in the colour of a role.
    pub(crate) fn new(text: impl Into<String>, role: Role) -> Self {
        Self { text: text.into(), role }
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::new(text, Role::Plain)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::new(text, Role::Plain)
    }
}

/// Rows under a heading.
#[derive(Debug)]
pub(crate) struct Table {
    rows: Vec<Vec<Cell>>,
    columns: usize,
}

impl Table {
    /// Returns an empty table with these headings.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let heading = headings.iter().map(|text| Cell::new(*text, Role::Dim)).collect();
        Self { rows: vec![heading], columns: headings.len() }
    }

    /// Adds a row.
    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        debug_assert_eq!(cells.len(), self.columns);
        self.rows.push(cells);
    }

    /// Returns the lines, at most `limit` columns wide where that is given.
    fn lines(&self, limit: Option<usize>, paint: Paint) -> Vec<String> {
        let mut widths = vec![0; self.columns];
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(text::width(&cell.text));
            }
        }
        if let Some(limit) = limit {
            shrink(&mut widths, limit);
        }
        self.rows.iter().map(|row| line(row, &widths, limit, paint)).collect()
    }

    /// Writes it.
    pub(crate) fn print(&self, out: &mut Out) -> Result<(), Failure> {
        self.print_from(out, 0)
    }

    /// Writes it without its heading.
    pub(crate) fn print_body(&self, out: &mut Out) -> Result<(), Failure> {
        self.print_from(out, 1)
    }

    fn print_from(&self, out: &mut Out, first: usize) -> Result<(), Failure> {
        let limit = out.columns();
        for line in self.lines(limit, Paint::stdout()).into_iter().skip(first) {
            out.line(&line)?;
        }
        Ok(())
    }
}

/// Takes columns off the widest until everything fits, or nothing is left to take.
pub(super) fn shrink(widths: &mut [usize], limit: usize) {
    let gaps = GAP * widths.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > limit {
        match widths.iter_mut().max() {
            Some(widest) if *widest > MIN_COLUMN_WIDTH => *widest -= 1,
            _ => return,
        }
    }
}

fn line(row: &[Cell], widths: &[usize], limit: Option<usize>, paint: Paint) -> String {
    let mut out = String::new();
    let mut taken = 0;
    for (at, (cell, width)) in row.iter().zip(widths).enumerate() {
        let room = limit.map_or(*width, |limit| limit.saturating_sub(taken).min(*width));
        let shown = text::fit(&cell.text, room);
        let more = row[at + 1..].iter().any(|cell| !cell.text.is_empty());
        out.push_str(&paint.apply(cell.role, &shown));
        if !more {
            break;
        }
        let blanks = (width + GAP).saturating_sub(text::width(&shown));
        taken += text::width(&shown) + blanks;
        if limit.is_some_and(|limit| taken >= limit) {
            break;
        }
        out.push_str(&" ".repeat(blanks));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&["RUN", "LABEL", "STATE"]);
        table.row(vec!["poster#1".into(), "place=北海道".into(), "completed".into()]);
        table.row(vec!["poster#12".into(), "seed=7 · place=Hove".into(), "failed".into()]);
        table.row(vec!["x#1".into(), "".into(), "".into()]);
        table
    }

    fn lines(limit: Option<usize>) -> Vec<String> {
        table().lines(limit, Paint::none())
    }

    #[test]
    fn columns_are_aligned_by_display_width() {
        insta::assert_snapshot!(lines(None).join("\n"));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for limit in 1..60 {
            for line in lines(Some(limit)) {
                assert!(text::width(&line) <= limit, "{limit}: {line}");
            }
        }
        insta::assert_snapshot!(lines(Some(30)).join("\n"));
    }
}
