//! The lines of a table: CSV, of which the first line names the columns, or one JSON object each.

use fanlight_shared::value::Value;
use fanlight_shared::workflow::Metrics;
use serde_json::Value as Json;

use super::super::event::{self, CommandEvent};
use super::super::text;
use super::{Notes, metric, number, step};

/// How deep fields of JSON may be; their names are joined by dots.
const MAX_DEPTH: usize = 4;

/// Reads the lines of a table.
pub(super) struct Table {
    separator: char,
    /// The columns of CSV, from its first line.
    columns: Option<Vec<Column>>,
    /// Whether each line is a JSON object.
    is_json: bool,
    line: u64,
    rows: Rows,
    /// Whether the lack of a column was said.
    was_named: bool,
    /// The wanted columns that were not found yet.
    missing: Vec<String>,
    found: bool,
}

/// The rows of a file.
#[derive(Default)]
struct Rows {
    count: u64,
    has_steps: bool,
}

impl Rows {
    /// Returns the step of the next row, given whether it names one. Rows without steps are numbered, so that points
    /// replace themselves if the file is written again.
    fn step(&mut self, is_named: bool, step: Option<u64>) -> Option<u64> {
        let row = self.count;
        self.count += 1;
        self.has_steps |= is_named;
        if self.has_steps { step } else { Some(row) }
    }
}

struct Column {
    name: String,
    use_as: Use,
}

#[derive(Clone, Copy, PartialEq)]
enum Use {
    Step,
    Metric,
    /// It isn't known yet whether it holds numbers.
    Unknown,
    Nothing,
}

impl Table {
    pub(super) fn new(of: &Metrics, by_tabs: bool) -> Self {
        let separator = if by_tabs { '\t' } else { ',' };
        let (columns, missing) = (None, of.columns.clone());
        let rows = Rows::default();
        Self { separator, columns, is_json: false, line: 0, rows, was_named: false, missing, found: false }
    }

    /// Begins with the first line of a file that was written again.
    pub(super) fn begin_again(&mut self) {
        (self.columns, self.is_json, self.line, self.rows) = (None, false, 0, Rows::default());
    }

    pub(super) fn take(
        &mut self,
        line: &str,
        of: &Metrics,
        notes: &mut Notes,
        visit: &mut dyn FnMut(CommandEvent),
    ) {
        self.line += 1;
        if line.trim().is_empty() {
            return;
        }
        if self.columns.is_none() && (self.is_json || line.trim_start().starts_with('{')) {
            self.is_json = true;
            return self.object(line, of, notes, visit);
        }
        let cells = cells(line, self.separator);
        match &mut self.columns {
            None => self.head(cells, of, notes),
            Some(columns) => {
                let at = columns.iter().position(|column| column.use_as == Use::Step);
                let step = at.and_then(|at| cells.get(at)).and_then(|cell| {
                    let step = step(cell);
                    if step.is_none() {
                        let (cell, name) = (text::line(cell), &columns[at.unwrap_or(0)].name);
                        notes.say(&bad(self.line, name, &cell, "is not a step, a whole number from 0 on"));
                    }
                    step
                });
                let step = self.rows.step(at.is_some(), step);
                for (column, cell) in columns.iter_mut().zip(&cells) {
                    // Loggers leave cells empty that they have no value for.
                    if matches!(column.use_as, Use::Nothing | Use::Step) || cell.trim().is_empty() {
                        continue;
                    }
                    match number(cell) {
                        Some(value) => {
                            (column.use_as, self.found) = (Use::Metric, true);
                            visit(metric(&column.name, value, step, of));
                        }
                        None if column.use_as == Use::Unknown => column.use_as = Use::Nothing,
                        None => {
                            notes.say(&bad(self.line, &column.name, &text::line(cell), "is not a number"))
                        }
                    }
                }
            }
        }
    }

    /// Takes the names of the columns.
    fn head(&mut self, names: Vec<String>, of: &Metrics, notes: &mut Notes) {
        let wanted_step = of.step_name();
        let known = names.iter().map(|name| text::line(name.trim())).collect::<Vec<_>>().join(", ");
        let column = |name: String| {
            let name = name.trim().to_owned();
            let use_as = match () {
                () if name == wanted_step => Use::Step,
                () if of.columns.contains(&name) => Use::Metric,
                () if of.columns.is_empty() && !name.is_empty() => Use::Unknown,
                () => Use::Nothing,
            };
            Column { name, use_as }
        };
        let columns: Vec<Column> = names.into_iter().map(column).collect();
        self.missing.retain(|wanted| columns.iter().all(|column| column.name != *wanted));
        let lacks = |step: &&String| !self.was_named && columns.iter().all(|column| column.name != **step);
        let step = of.step.iter().filter(lacks);
        for name in self.missing.drain(..).collect::<Vec<_>>().iter().chain(step) {
            notes.say(&format!("there is no column `{}`; it has {known}", text::line(name)));
        }
        (self.columns, self.was_named) = (Some(columns), true);
    }

    fn object(&mut self, line: &str, of: &Metrics, notes: &mut Notes, visit: &mut dyn FnMut(CommandEvent)) {
        let object = match event::json_of(line.as_bytes()) {
            Ok(json @ Json::Object(_)) => Value::from_json(json),
            Ok(_) => return notes.say(&format!("line {}: it is not a JSON object", self.line)),
            Err(why) => return notes.say(&format!("line {}: {why}", self.line)),
        };
        let mut fields = Vec::new();
        flatten("", &object, 0, &mut fields);
        let wanted_step = of.step_name();
        let named = fields.iter().find(|(name, _)| name == wanted_step);
        let step = self.rows.step(named.is_some(), named.and_then(|(_, value)| step(value)));
        for (name, value) in fields.iter().filter(|(name, _)| name != wanted_step) {
            let wanted = of.columns.contains(name);
            if !wanted && !of.columns.is_empty() {
                continue;
            }
            self.missing.retain(|missing| missing != name);
            match number(value) {
                Some(value) => {
                    self.found = true;
                    visit(metric(name, value, step, of));
                }
                None if wanted => notes.say(&bad(self.line, name, &text::line(value), "is not a number")),
                None => {}
            }
        }
    }

    /// Returns why it has no metrics, or lacks some.
    pub(super) fn nothing(&self) -> Option<String> {
        if self.line == 0 {
            return Some("did not appear, is empty, or was not written by this attempt".to_owned());
        }
        if self.is_json && !self.missing.is_empty() {
            let names: Vec<String> =
                self.missing.iter().map(|name| format!("`{}`", text::line(name))).collect();
            return Some(format!("has no field {}", names.join(", ")));
        }
        (!self.found).then(|| "has no numbers".to_owned())
    }
}

fn bad(line: u64, name: &str, cell: &str, why: &str) -> String {
    format!("line {line}: `{cell}` in the column `{}` {why}", text::line(name))
}

/// Returns the cells of a line; those in quotes may contain separators and doubled quotes.
fn cells(line: &str, separator: char) -> Vec<String> {
    let line = line.trim_end_matches('\r').trim_start_matches('\u{feff}');
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted || cell.trim().is_empty() => quoted = !quoted,
            it if it == separator && !quoted => cells.push(std::mem::take(&mut cell)),
            it => cell.push(it),
        }
    }
    cells.push(cell);
    cells
}

/// Adds the numbers and texts of an object, with the names of nested ones joined by dots.
fn flatten(prefix: &str, value: &Value, depth: usize, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) if depth < MAX_DEPTH => {
            for (name, value) in map {
                let name = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                flatten(&name, value, depth + 1, fields);
            }
        }
        Value::Int(int) => fields.push((prefix.to_owned(), int.to_string())),
        Value::Float(float) => fields.push((prefix.to_owned(), float.to_string())),
        Value::Text(text) => fields.push((prefix.to_owned(), text.clone())),
        _ => {}
    }
}
