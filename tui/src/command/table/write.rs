//! Writes a table of runs as text, CSV, JSON or Markdown.

use std::time::Duration;

use fanlight_shared::client::table::{Cell, Table};
use fanlight_shared::metric::same;
use fanlight_shared::time::human_duration;
use fanlight_shared::value::float::Number;
use serde_json::{Map, Value as Json, json};

use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::{Out, json, table};
use crate::text;

/// The sign of the best value of a column.
const BEST: &str = " *";

/// How a table is written.
#[derive(Clone, Copy)]
pub(super) enum Format {
    /// For people.
    Text,
    /// Comma-separated values.
    Csv,
    /// One object per line.
    Json,
    /// A table in Markdown.
    Markdown,
}

/// Rows and columns of a table, in this order.
pub(super) struct Shown<'a> {
    pub(super) table: &'a Table,
    pub(super) rows: Vec<usize>,
    pub(super) columns: Vec<usize>,
}

impl Format {
    /// Writes a table.
    pub(super) fn write(self, out: &mut Out, shown: &Shown<'_>) -> Result<(), Failure> {
        match self {
            Self::Text => shown.text(out),
            Self::Csv => shown.csv(out),
            Self::Json => shown.objects(out),
            Self::Markdown => shown.markdown(out),
        }
    }
}

impl Shown<'_> {
    fn names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|at| self.table.columns()[*at].name.as_str())
    }

    /// Returns the cells of each row.
    fn rows(&self) -> impl Iterator<Item = Vec<&Cell>> {
        let cells = move |row: &usize| {
            let row = &self.table.rows()[*row];
            self.columns.iter().map(|at| self.table.cell(row, *at)).collect()
        };
        self.rows.iter().map(cells)
    }

    /// Returns the cells of each row as people read them, and whether they are the best of their column.
    fn words(&self) -> impl Iterator<Item = Vec<(String, bool)>> {
        let best: Vec<Option<f64>> = self.columns.iter().map(|at| self.table.best(&self.rows, *at)).collect();
        let is_time: Vec<bool> = self.columns.iter().map(|at| self.table.columns()[*at].is_time()).collect();
        self.rows().map(move |cells| {
            let cells = cells.into_iter().zip(best.iter().zip(&is_time));
            let shown = cells.map(|(cell, (best, is_time))| {
                let is_best = best.zip(cell.number()).is_some_and(|(best, number)| same(best, number));
                (words(cell, *is_time), is_best)
            });
            shown.collect()
        })
    }

    fn text(&self, out: &mut Out) -> Result<(), Failure> {
        let mut lines = table::Table::new(&self.names().collect::<Vec<_>>());
        for row in self.words() {
            let cell = |(text, is_best): (String, bool)| match is_best {
                true => table::Cell::new(format!("{text}{BEST}"), Role::Strong),
                false => text.into(),
            };
            lines.row(row.into_iter().map(cell).collect());
        }
        lines.print(out)
    }

    fn markdown(&self, out: &mut Out) -> Result<(), Failure> {
        markdown_row(out, self.names().map(str::to_owned))?;
        out.line(&format!("|{}", "---|".repeat(self.columns.len())))?;
        for row in self.words() {
            let cell = |(text, is_best): (String, bool)| {
                let text = escaped(&text);
                if is_best { format!("**{text}**") } else { text }
            };
            out.line(&format!("| {} |", row.into_iter().map(cell).collect::<Vec<_>>().join(" | ")))?;
        }
        Ok(())
    }

    fn csv(&self, out: &mut Out) -> Result<(), Failure> {
        csv_record(out, self.names())?;
        // A program reads them as they are; a terminal would obey them.
        let is_raw = !out.is_terminal();
        let word =
            |cell: &Cell| cell.raw().filter(|_| is_raw).map_or_else(|| cell.to_string(), str::to_owned);
        self.rows().try_for_each(|cells| csv_record(out, cells.into_iter().map(word)))
    }

    fn objects(&self, out: &mut Out) -> Result<(), Failure> {
        let names: Vec<&str> = self.names().collect();
        for cells in self.rows() {
            let value = |cell: &Cell| match cell {
                Cell::None => Json::Null,
                Cell::Int(number) => json!(number),
                Cell::Float(number) => json!(Number(*number)),
                Cell::Text(_) | Cell::Raw(_) | Cell::Long(_) => json!(cell.raw()),
            };
            let cells = names.iter().zip(cells).map(|(name, cell)| ((*name).to_owned(), value(cell)));
            json::print(out, &cells.collect::<Map<String, Json>>())?;
        }
        Ok(())
    }
}

/// Returns a cell as people read it.
fn words(cell: &Cell, is_time: bool) -> String {
    match cell {
        Cell::Float(seconds) if is_time => {
            human_duration(Duration::try_from_secs_f64(*seconds).unwrap_or_default())
        }
        Cell::Float(number) => text::number(*number),
        other => other.to_string(),
    }
}

/// Writes a line of CSV.
pub(super) fn csv_record(
    out: &mut Out,
    words: impl IntoIterator<Item = impl AsRef<[u8]>>,
) -> Result<(), Failure> {
    let failed = |why: String| Failure::failed(format!("the table can't be written as CSV: {why}"));
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(words).map_err(|error| failed(error.to_string()))?;
    out.bytes(&writer.into_inner().map_err(|error| failed(error.to_string()))?)
}

/// Writes a row of a table in Markdown, in which none of the words means anything.
pub(super) fn markdown_row(out: &mut Out, words: impl IntoIterator<Item = String>) -> Result<(), Failure> {
    let words: Vec<String> = words.into_iter().map(|it| escaped(&it)).collect();
    out.line(&format!("| {} |", words.join(" | ")))
}

/// Returns a text of which nothing means something in a table of Markdown.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '|' | '\\' | '<' | '>' | '`' | '*' | '_' | '[' | ']') {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}
