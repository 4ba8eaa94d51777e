//! `csv.read`

use std::borrow::Cow;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;

use super::columns::{Column, Empty};
use super::records::{BadRows, Format, MAX_BYTES, too_much};
use crate::file_error::FileError;
use crate::node_type::bound::Bound;
use crate::node_type::build::Build;
use crate::node_type::decode::decode;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// The largest file, in bytes.
const MAX_FILE_BYTES: u64 = 256 << 20;

pub(super) fn node_type() -> NodeType {
    Build::new("csv.read", "Reads a CSV table: each row becomes an object with a field per column.")
        .input("file", Type::Any, "The file, or its text.")
        .input("delimiter", Type::Text, "The character between cells, or `tab`. `auto` takes the one of `,`, `;`, `|` and tab that occurs most often in the first line.")
        .default("auto")
        .input("quote", Type::Text, "The character around cells that contain delimiters or line breaks.")
        .default("\"")
        .input("header", Type::Bool, "Whether the first line has the names of the columns; otherwise they are `column1`, `column2`, ….")
        .default(true)
        .input("names", Type::Text.list(), "The names of all columns, instead of those in the header.")
        .optional()
        .input("columns", Type::Text.list(), "The columns to read, in this order; all columns by default.")
        .optional()
        .input("types", Type::Json, "The types of columns: `{ price: float, code: text }`, each `text`, `int`, `float`, `bool` or `auto`. A column that isn't listed has numbers or bools if all its cells are such and nothing is lost: `007` stays text.")
        .optional()
        .input("empty", Type::Text.list(), "Texts that mean an empty cell, such as `NA`. An empty cell is `null`.")
        .default(Vec::new())
        .input("bad_rows", Type::Choice, "What to do with rows that have too few or too many cells, or cells that are not of their type.")
        .default("fail")
        .choices(&["fail", "skip"])
        .input("skip_lines", Type::Int, "The number of lines before the table.")
        .default(0_i64)
        .range(0.0, 1e6)
        .input("limit", Type::Int, "The maximum number of rows to read; the rest of the file is ignored.")
        .optional()
        .range(0.0, 1e9)
        .input("encoding", Type::Choice, "The encoding of a file. UTF-16 is recognised by its byte order mark.")
        .default("utf-8")
        .choices(&["utf-8", "windows-1252"])
        .output("rows", Type::Json.list(), "The rows.")
        .output("columns", Type::Text.list(), "The names of the columns, in order.")
        .output("count", Type::Int, "The number of rows.")
        .output("skipped", Type::Json.list(), "The skipped rows, each with its `line` and an `error`; at most the first 1,000.")
        .max_bytes(MAX_BYTES)
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let bytes;
    let text = match inputs.value("file")? {
        // Text is decoded already, whatever `encoding` says.
        Value::Text(text) => Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text)),
        file @ Value::Media(_) => {
            bytes = workspace.read(file, MAX_FILE_BYTES)?;
            decode(&bytes, inputs.text("encoding")? == "windows-1252")?
        }
        other => return Err(format!("input `file`: expected a file or text, got {}", other.type_of()).into()),
    };
    Ok(read(&text, &inputs)?)
}

fn read(text: &str, inputs: &Values) -> Result<Values, String> {
    let mut bad = BadRows::new(inputs.text("bad_rows")? == "skip");
    let mut records = Format::read(inputs, text)?.records(text, &mut bad)?;
    let empty = Empty::read(inputs)?;
    let columns = Column::taken(&mut records, &empty, inputs)?;
    let mut bound = Bound::new(MAX_BYTES);
    let mut rows = Vec::with_capacity(records.rows.len());
    for (line, record) in records.rows {
        let cells = columns
            .iter()
            .map(|column| Ok::<_, String>((column.name.clone(), column.value(&record, &empty)?)));
        match cells.collect::<Result<IndexMap<String, Value>, String>>() {
            Ok(cells) => {
                let row = Value::Object(cells);
                bound.add(&row).map_err(|_| too_much())?;
                rows.push(row);
            }
            Err(error) => bad.add(line, &error)?,
        }
    }
    let columns: Vec<Value> = columns.into_iter().map(|column| column.name.into()).collect();
    let count = Value::Int(i64::try_from(rows.len()).unwrap_or(i64::MAX));
    let outputs = [
        ("rows", rows.into()),
        ("columns", columns.into()),
        ("count", count),
        ("skipped", bad.into_rows().into()),
    ];
    Ok(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

#[cfg(test)]
mod tests;
