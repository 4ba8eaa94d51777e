//! Reads rows of params: CSV with a column for each param, a JSON list of objects, or one JSON object per line.

use std::collections::HashSet;
use std::fmt;

use indexmap::IndexMap;

use super::csv;
use super::ranges::{fit_param, param_value};
use super::spelling::is_text;
use crate::problem::near;
use crate::sweep::RUN_LIMIT;
use crate::types::Type;
use crate::value::{Value, Values, cut, repeated_key};
use crate::workflow::Param;

/// The most errors that are reported at once.
const ERROR_LIMIT: usize = 100;

/// The params of one row.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Its values; params without one are left out.
    pub params: Values,
}

/// What is wrong with a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RowError {
    /// The line, from 1.
    pub line: usize,
    /// A sentence.
    pub message: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.message)
    }
}

/// Reads rows; the first character shows the format.
///
/// # Errors
/// All errors with their lines: unknown params, values that don't fit, and whatever else can't be read.
pub fn read(text: &str, params: &IndexMap<String, Param>) -> Result<Vec<Row>, Vec<RowError>> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reading = Reading { params, rows: Vec::new(), errors: Vec::new(), unknown: HashSet::new() };
    match text.trim_start().chars().next() {
        None => reading.error(1, "there are no rows"),
        Some('[') => reading.list(text),
        Some('{') => reading.objects(text),
        Some(_) => reading.table(text),
    }
    if reading.rows.is_empty() && reading.errors.is_empty() {
        reading.error(1, "there are no rows");
    }
    if reading.errors.is_empty() { Ok(reading.rows) } else { Err(reading.errors) }
}

/// Reads `seed=3,place=Hove`, with quotes as in CSV around a value or around a whole part.
///
/// # Errors
/// A sentence: a part has no value, a param is unknown or given twice, or a value doesn't fit.
pub fn entry(text: &str, params: &IndexMap<String, Param>) -> Result<Values, String> {
    let mut values = Values::new();
    for (name, value) in csv::named(text)? {
        let name = name.as_str();
        let value =
            value.ok_or_else(|| format!("`{}` has no value; write `seed=3,place=Hove`", cut(name, 60)))?;
        let param = params.get(name).ok_or_else(|| unknown(name, params))?;
        let value = param_value(&value, param).map_err(|why| format!("param `{name}`: {why}"))?;
        if values.insert(name.to_owned(), value).is_some() {
            return Err(format!("the param `{name}` is given twice"));
        }
    }
    Ok(values)
}

fn unknown(name: &str, params: &IndexMap<String, Param>) -> String {
    let shown = cut(name, 60);
    match near(name, params.keys().map(String::as_str)) {
        Some(near) => format!("there is no param `{shown}`; did you mean `{near}`?"),
        None => format!("there is no param `{shown}`"),
    }
}

struct Reading<'a> {
    params: &'a IndexMap<String, Param>,
    rows: Vec<Row>,
    errors: Vec<RowError>,
    /// The unknown params that were reported.
    unknown: HashSet<String>,
}

impl Reading<'_> {
    fn error(&mut self, line: usize, message: impl Into<String>) {
        if self.errors.len() < ERROR_LIMIT {
            self.errors.push(RowError { line, message: message.into() });
        }
    }

    /// Adds a row. Returns `false` if there are too many.
    fn row(&mut self, line: usize, params: Values) -> bool {
        if self.rows.len() == RUN_LIMIT {
            self.error(line, format!("there are more than {RUN_LIMIT} rows, the limit of one sweep"));
            return false;
        }
        self.rows.push(Row { line, params });
        true
    }

    /// Reads CSV with a header.
    fn table(&mut self, text: &str) {
        let records = match csv::records(text) {
            Ok(records) => records,
            Err((line, why)) => return self.error(line, why),
        };
        let Some((header, records)) = records.split_first() else { return };
        let mut columns = Vec::new();
        for part in &header.parts {
            let name = part.text.as_str();
            if columns.contains(&name) {
                self.error(header.line, format!("the column `{}` is there twice", cut(name, 60)));
            } else if name.is_empty() {
                self.error(header.line, "a column has no name; the first line names a param for each column");
            } else if !self.params.contains_key(name) {
                let separated = if name.contains([';', '\t']) { "; a comma separates columns" } else { "" };
                self.error(header.line, unknown(name, self.params) + separated);
            }
            columns.push(name);
        }
        for record in records {
            if record.parts.len() != columns.len() {
                let (cells, columns) = (record.parts.len(), columns.len());
                let of =
                    |count: usize, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
                let (cells, columns) = (of(cells, "value"), of(columns, "column"));
                self.error(record.line, format!("this row has {cells} for {columns}"));
                continue;
            }
            let mut row = Values::new();
            for (name, part) in columns.iter().zip(&record.parts) {
                let Some(param) = self.params.get(*name) else { continue };
                if part.text.is_empty() && !part.quoted {
                    continue;
                }
                match param_value(&part.text, param) {
                    Ok(value) => {
                        row.insert((*name).to_owned(), value);
                    }
                    Err(why) => self.error(record.line, format!("param `{name}`: {why}")),
                }
            }
            if !self.row(record.line, row) {
                return;
            }
        }
    }

    /// Reads an object on each line.
    fn objects(&mut self, text: &str) {
        for (line, text) in (1..).zip(text.lines()) {
            if !text.trim().is_empty() && !self.object(line, text) {
                return;
            }
        }
    }

    /// Reads a list of objects.
    fn list(&mut self, text: &str) {
        let line_of = |at: usize| text[..at].matches('\n').count() + 1;
        let Some(begin) = text.find('[') else { return };
        // Counting lines from the beginning for each object would take too long.
        let (mut at, mut line) = (begin + 1, line_of(begin));
        loop {
            let rest = &text[at..];
            let Some(length) = end_of_element(rest) else {
                return self.error(line_of(text.len()), "the list is not closed with `]`");
            };
            let element = &rest[..length];
            let indent = element.len() - element.trim_start().len();
            let begins = line + element[..indent].matches('\n').count();
            let ends = rest[length..].starts_with(']');
            if element.trim().is_empty() && ends && self.rows.is_empty() && self.errors.is_empty() {
                // An empty list.
            } else if !self.object(begins, element) {
                return;
            }
            line += element.matches('\n').count();
            at += length + 1;
            if ends {
                let behind = &text[at..];
                if !behind.trim().is_empty() {
                    let indent = behind.len() - behind.trim_start().len();
                    self.error(line_of(at + indent), "text follows the end of the list");
                }
                return;
            }
        }
    }

    /// Reads an object. Returns `false` if there are too many.
    fn object(&mut self, line: usize, text: &str) -> bool {
        let parsed =
            Value::parse_json_rounded(text).and_then(|value| Ok((value, Value::parse_json_texts(text)?)));
        let (fields, texts) = match parsed {
            Ok((Value::Object(fields), Value::Object(texts))) => match repeated_key(text) {
                None => (fields, texts),
                Some(key) => {
                    self.error(line, format!("the key `{}` is there twice", cut(&key, 60)));
                    return true;
                }
            },
            Ok(_) => {
                self.error(line, format!("`{}` is not an object of params", cut(text.trim(), 60)));
                return true;
            }
            Err(why) => {
                self.error(line, format!("`{}` is not a JSON object: {why}", cut(text.trim(), 60)));
                return true;
            }
        };
        let mut row = Values::new();
        for (name, mut value) in fields {
            let Some(param) = self.params.get(&name) else {
                if self.unknown.insert(name.clone()) {
                    self.error(line, unknown(&name, self.params));
                }
                continue;
            };
            if value == Value::None && !matches!(param.ty, Type::Json | Type::Any) {
                continue;
            }
            if let Some(text) = texts.get(&name) {
                if is_text(param.ty.innermost()) {
                    value = text.clone();
                } else if let Err(why) = value.check_rounded(text) {
                    self.error(line, format!("param `{name}`: {why}"));
                    continue;
                }
            }
            match fit_param(value, param) {
                Ok(value) => {
                    row.insert(name, value);
                }
                Err(why) => self.error(line, format!("param `{name}`: {why}")),
            }
        }
        self.row(line, row)
    }
}

/// Returns the place of the comma or bracket that ends an element of a JSON list.
fn end_of_element(text: &str) -> Option<usize> {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'{' | b'[' => depth += 1,
            b',' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
