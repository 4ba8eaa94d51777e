//! `csv.read`

use std::fs::File;
use std::io::Read as _;

use csv::{ReaderBuilder, StringRecord};
use fanlight_shared::problem::near;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use indexmap::IndexMap;

use super::cells::Kind;
use super::decode::decode;
use super::delimiter;
use crate::file_error::FileError;
use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// The largest file, in bytes.
const MAX_FILE_BYTES: u64 = 256 << 20;
/// The most bytes of all rows as values.
const MAX_BYTES: u64 = 16 << 20;
/// The most columns.
const MAX_COLUMNS: usize = 10_000;
/// How many rows that were left out are listed.
const MAX_LISTED: usize = 1_000;

pub(super) fn node_type() -> NodeType {
    Build::new("csv.read", "Reads a table: a row becomes an object with the cells by the names of their columns.")
        .input("file", Type::Any, "The file, or its text.")
        .input("delimiter", Type::Text, "What separates two cells: one sign, `tab`, or `auto`: of `,`, `;`, `|` and the tab the one that the first line has most of.")
        .default("auto")
        .input("quote", Type::Text, "What stands around cells that hold separators or ends of lines.")
        .default("\"")
        .input("header", Type::Bool, "Whether the first line names the columns; otherwise they are `column1`, `column2`, ….")
        .default(true)
        .input("names", Type::Text.list(), "Names of all columns, in place of those of the header.")
        .optional()
        .input("columns", Type::Text.list(), "Which columns are taken, in this order; all where it is left out.")
        .optional()
        .input("types", Type::Json, "What columns hold: `{ price: float, code: text }`, of `text`, `int`, `float`, `bool` and `auto`. A column that isn't named has numbers or bools if all of its cells are, and nothing is lost: `007` stays text.")
        .optional()
        .input("empty", Type::Text.list(), "Texts that stand for an empty cell, such as `NA`. An empty cell is `null`.")
        .default(Vec::new())
        .input("bad_rows", Type::Choice, "What becomes of rows with too few or too many cells, or with cells that are not of their type.")
        .default("fail")
        .choices(&["fail", "skip"])
        .input("skip_lines", Type::Int, "How many lines stand before the table.")
        .default(0_i64)
        .range(0.0, 1e6)
        .input("limit", Type::Int, "How many rows are taken at most.")
        .optional()
        .range(0.0, 1e9)
        .input("encoding", Type::Choice, "How the text is encoded; UTF-16 is known by its mark.")
        .default("utf-8")
        .choices(&["utf-8", "windows-1252"])
        .output("rows", Type::Json.list(), "The rows.")
        .output("columns", Type::Text.list(), "The names of the columns, in their order.")
        .output("count", Type::Int, "How many rows there are.")
        .output("skipped", Type::Json.list(), "The rows that were left out, with their `line` and the reason, `error`; the first 1,000.")
        .max_bytes(MAX_BYTES)
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let bytes = match inputs.value("file")? {
        Value::Text(text) => text.clone().into_bytes(),
        file @ Value::Media(media) => {
            if media.bytes > MAX_FILE_BYTES {
                return Err(format!(
                    "`{}` has {} MiB; at most {} MiB are read: let a command take out what is needed",
                    cut(&media.name, 60),
                    media.bytes >> 20,
                    MAX_FILE_BYTES >> 20
                )
                .into());
            }
            let mut bytes = Vec::new();
            File::open(workspace.path(file)?)
                .and_then(|mut open| open.read_to_end(&mut bytes))
                .map_err(|error| FileError::of("the file can't be read", &error))?;
            bytes
        }
        other => return Err(format!("input `file`: expected a file or text, got {}", other.type_of()).into()),
    };
    Ok(read(&bytes, &inputs)?)
}

fn read(bytes: &[u8], inputs: &Values) -> Result<Values, String> {
    let text = decode(bytes, inputs.text("encoding")? == "windows-1252")?;
    let skipped_lines = inputs.count("skip_lines")?;
    let text = (0..skipped_lines).fold(text.as_ref(), |rest, _| rest.split_once('\n').map_or("", |it| it.1));
    let quote = match inputs.text("quote")?.as_bytes() {
        [byte] if byte.is_ascii() => *byte,
        _ => return Err("`quote` must be one sign, such as `\"`".into()),
    };
    let delimiter = match inputs.text("delimiter")? {
        "auto" => most_frequent(text, quote),
        given => delimiter(given)?,
    };
    let skip_bad = inputs.text("bad_rows")? == "skip";
    let limit = inputs.maybe("limit").and_then(Value::as_int).and_then(|it| usize::try_from(it).ok());
    let limit = limit.unwrap_or(usize::MAX);
    let mut reader = ReaderBuilder::new()
        .delimiter(delimiter)
        .quote(quote)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let line_of =
        |record: &StringRecord| record.position().map_or(0, |it| it.line()) + u64::from(skipped_lines);
    let check_closed = |record: &StringRecord, line: u64| match is_unclosed(text, record, quote) {
        true => Err(format!(
            "line {line}: a quote is opened and never closed; close it, or set `quote` to a sign that the file does not have"
        )),
        false => Ok(()),
    };
    let mut bad = Bad { skip: skip_bad, skipped: Vec::new() };
    let mut names: Option<Vec<String>> =
        inputs.maybe("names").and_then(Value::as_list).map(|it| it.iter().map(text_of).collect());
    let mut rows: Vec<(u64, StringRecord)> = Vec::new();
    let mut header = inputs.flag("header")?;
    let mut bytes_so_far = 0;
    for record in reader.records() {
        let record = record.map_err(|error| format!("the table can't be read: {error}"))?;
        let line = line_of(&record);
        if std::mem::take(&mut header) {
            if names.is_none() {
                names = Some(record.iter().map(|name| name.trim().to_owned()).collect());
            }
            continue;
        }
        if rows.len() == limit {
            break;
        }
        let width = names.get_or_insert_with(|| vec![String::new(); record.len()]).len();
        if record.len() != width {
            check_closed(&record, line)?;
            let cells = |n: usize| if n == 1 { "1 cell".to_owned() } else { format!("{n} cells") };
            bad.row(line, &format!("it has {}, and the table has {width} columns", cells(record.len())))?;
            continue;
        }
        bytes_so_far += record.as_slice().len() as u64;
        if bytes_so_far > MAX_BYTES * 4 {
            return Err(too_much());
        }
        rows.push((line, record));
    }
    if let Some((line, last)) = rows.last() {
        check_closed(last, *line)?;
    }
    let names = column_names(names.unwrap_or_default())?;
    let taken = taken(&names, inputs)?;
    let empty: Vec<&str> = inputs.list("empty")?.iter().filter_map(Value::as_text).collect();
    let kinds = kinds(&names, &taken, &rows, &empty, inputs)?;
    let mut table = Vec::with_capacity(rows.len());
    let mut bytes = 0;
    for (line, record) in rows {
        let cells: Result<IndexMap<String, Value>, String> = taken
            .iter()
            .zip(&kinds)
            .map(|(column, kind)| {
                let cell = cell(&record, *column, &empty);
                let value = kind
                    .value(cell)
                    .map_err(|error| format!("column `{}`: {error}", cut(&names[*column], 60)))?;
                Ok((names[*column].clone(), value))
            })
            .collect();
        match cells {
            Ok(cells) => {
                let row = Value::Object(cells);
                bytes += row.content_bytes();
                if bytes > MAX_BYTES {
                    return Err(too_much());
                }
                table.push(row);
            }
            Err(error) => bad.row(line, &error)?,
        }
    }
    let columns: Vec<Value> = taken.iter().map(|column| names[*column].as_str().into()).collect();
    let count = Value::Int(i64::try_from(table.len()).unwrap_or(i64::MAX));
    let outputs = [
        ("rows", table.into()),
        ("columns", columns.into()),
        ("count", count),
        ("skipped", bad.into_rows().into()),
    ];
    Ok(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn too_much() -> String {
    format!(
        "the rows take more than {} MiB; take fewer `columns`, or a part of them by `limit`",
        MAX_BYTES >> 20
    )
}

fn text_of(value: &Value) -> String {
    value.as_text().unwrap_or_default().to_owned()
}

/// Rows that can't be taken.
struct Bad {
    skip: bool,
    skipped: Vec<(u64, String)>,
}

impl Bad {
    fn row(&mut self, line: u64, error: &str) -> Result<(), String> {
        if !self.skip {
            return Err(format!("line {line}: {error}; mend it, or set `bad_rows: skip`"));
        }
        if self.skipped.len() < MAX_LISTED {
            self.skipped.push((line, error.to_owned()));
        }
        Ok(())
    }

    /// As a table, in the order of the lines.
    fn into_rows(mut self) -> Vec<Value> {
        self.skipped.sort_by_key(|(line, _)| *line);
        let row = |(line, error): (u64, String)| {
            let line = Value::Int(i64::try_from(line).unwrap_or(i64::MAX));
            let fields = [("line".to_owned(), line), ("error".to_owned(), error.into())];
            Value::Object(fields.into_iter().collect())
        };
        self.skipped.into_iter().map(row).collect()
    }
}

/// The separator that the first line has most of, outside of quotes; a comma where it has none.
fn most_frequent(text: &str, quote: u8) -> u8 {
    let mut counts = [0_u32; 4];
    const SIGNS: [u8; 4] = [b',', b';', b'\t', b'|'];
    let mut quoted = false;
    for byte in text.bytes() {
        match byte {
            byte if byte == quote => quoted = !quoted,
            b'\n' if !quoted => break,
            byte if !quoted => {
                if let Some(at) = SIGNS.iter().position(|sign| *sign == byte) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    counts.iter().position(|count| *count == most).map_or(b',', |at| SIGNS[at])
}

/// Whether a row is all that follows a quote which is never closed: such a quote swallows the rest of the table.
fn is_unclosed(text: &str, record: &StringRecord, quote: u8) -> bool {
    let start = record.position().and_then(|it| usize::try_from(it.byte()).ok()).unwrap_or_default();
    let rest = text.as_bytes().get(start..).unwrap_or_default().trim_ascii_end();
    let quotes = rest.iter().filter(|byte| **byte == quote).count();
    let to_the_end = record.as_slice().len() + record.len() + quotes >= rest.len();
    to_the_end && quotes % 2 == 1 && record.iter().any(|cell| cell.contains('\n'))
}

/// Names of columns: each once, none empty.
fn column_names(names: Vec<String>) -> Result<Vec<String>, String> {
    if names.len() > MAX_COLUMNS {
        return Err(format!("the table has {} columns; at most {MAX_COLUMNS} are taken", names.len()));
    }
    let named = names.into_iter().enumerate();
    let names: Vec<String> =
        named.map(|(at, name)| if name.is_empty() { format!("column{}", at + 1) } else { name }).collect();
    let mut known = IndexMap::new();
    for (at, name) in names.iter().enumerate() {
        if let Some(before) = known.insert(name, at) {
            return Err(format!(
                "columns {} and {} are both named `{}`; give other names by `names`",
                before + 1,
                at + 1,
                cut(name, 60)
            ));
        }
    }
    Ok(names)
}

/// Which columns are taken, by their places.
fn taken(names: &[String], inputs: &Values) -> Result<Vec<usize>, String> {
    let Some(wanted) = inputs.maybe("columns").and_then(Value::as_list) else {
        return Ok((0..names.len()).collect());
    };
    wanted.iter().map(|it| place(names, it.as_text().unwrap_or_default())).collect()
}

fn place(names: &[String], wanted: &str) -> Result<usize, String> {
    names.iter().position(|name| name == wanted).ok_or_else(|| {
        let hint = near(wanted, names.iter().map(String::as_str)).map_or_else(
            || format!("; it has {}", cut(&names.join(", "), 200)),
            |near| format!("; did you mean `{near}`?"),
        );
        format!("the table has no column `{}`{hint}", cut(wanted, 60))
    })
}

/// What the taken columns hold.
fn kinds(
    names: &[String],
    taken: &[usize],
    rows: &[(u64, StringRecord)],
    empty: &[&str],
    inputs: &Values,
) -> Result<Vec<Kind>, String> {
    let mut given: IndexMap<usize, Kind> = IndexMap::new();
    match inputs.maybe("types") {
        None => {}
        Some(Value::Object(types)) => {
            for (name, kind) in types {
                let kind =
                    kind.as_text().ok_or_else(|| format!("the type of `{}` is not text", cut(name, 60)))?;
                let column = place(names, name)?;
                given.extend(Kind::named(kind)?.map(|kind| (column, kind)));
            }
        }
        Some(_) => return Err("`types` is not an object; write `{ price: float }`".into()),
    }
    let found = |column: usize| Kind::of_column(rows.iter().map(|(_, record)| cell(record, column, empty)));
    Ok(taken.iter().map(|column| given.get(column).copied().unwrap_or_else(|| found(*column))).collect())
}

fn cell<'a>(record: &'a StringRecord, column: usize, empty: &[&str]) -> &'a str {
    let cell = record.get(column).unwrap_or_default();
    if empty.contains(&cell) { "" } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::{inputs, json};

    fn table(bytes: &[u8], given: &[(&str, Value)]) -> Result<Values, String> {
        let mut all = vec![("file", "".into())];
        all.extend(given.iter().cloned());
        read(bytes, &inputs(&node_type(), &all)?)
    }

    fn rows(text: &str, given: &[(&str, Value)]) -> Result<String, String> {
        table(text.as_bytes(), given).map(|made| made["rows"].to_json().to_string())
    }

    #[test]
    fn columns_have_numbers_where_all_cells_are_and_nothing_is_lost() {
        let text = "name,zip,n,price,ok\r\nAda,01234,1,9.90,true\r\n\"Bob, \"\"B\"\"\",99999,,10,false\r\n";
        let expected = r#"[{"name":"Ada","zip":"01234","n":1,"price":9.9,"ok":true},{"name":"Bob, \"B\"","zip":"99999","n":null,"price":10.0,"ok":false}]"#;
        assert_eq!(rows(text, &[]).unwrap(), expected);
        let typed = [("types", json(r#"{"n": "text", "zip": "int"}"#)), ("columns", json(r#"["zip", "n"]"#))];
        assert_eq!(rows(text, &typed).unwrap(), r#"[{"zip":1234,"n":"1"},{"zip":99999,"n":null}]"#);
    }

    #[test]
    fn separators_marks_and_encodings_of_other_programs_are_read() {
        assert_eq!(rows("\u{feff}a;b\n1,5;x", &[]).unwrap(), r#"[{"a":"1,5","b":"x"}]"#);
        assert_eq!(
            rows("# by hand\na\tb\n1\t2\n\n", &[("skip_lines", Value::Int(1))]).unwrap(),
            r#"[{"a":1,"b":2}]"#
        );
        assert_eq!(rows("a|b\n1|2", &[("delimiter", "tab".into())]).unwrap(), r#"[{"a|b":"1|2"}]"#);
        assert_eq!(rows("a,b\n'1,2',3", &[("quote", "'".into())]).unwrap(), r#"[{"a":"1,2","b":3}]"#);
    }

    #[test]
    fn tables_without_a_header_and_empty_tables_are_read() {
        assert_eq!(
            rows("1,x\n2,NA", &[("header", false.into()), ("empty", json(r#"["NA"]"#))]).unwrap(),
            r#"[{"column1":1,"column2":"x"},{"column1":2,"column2":null}]"#
        );
        assert_eq!(rows("a,b\n1,2", &[("names", json(r#"["x", "y"]"#))]).unwrap(), r#"[{"x":1,"y":2}]"#);
        assert_eq!(rows("a,\n1,2\n3,4", &[("limit", Value::Int(1))]).unwrap(), r#"[{"a":1,"column2":2}]"#);
        let made = table(b"a,b\n", &[]).unwrap();
        assert_eq!((&made["columns"], &made["count"]), (&json(r#"["a", "b"]"#), &Value::Int(0)));
        assert_eq!(table(b"", &[]).unwrap()["columns"], json("[]"));
    }

    #[test]
    fn a_bad_row_is_named_by_its_line_or_left_out() {
        let text = "# note\na,b\n\"x\ny\",1\n2\n3,4,5\n6,7\n";
        let given = [("skip_lines", Value::Int(1))];
        assert_eq!(
            rows(text, &given).unwrap_err(),
            "line 5: it has 1 cell, and the table has 2 columns; mend it, or set `bad_rows: skip`"
        );
        let skip =
            [("skip_lines", Value::Int(1)), ("bad_rows", "skip".into()), ("types", json(r#"{"a": "int"}"#))];
        let made = table(text.as_bytes(), &skip).unwrap();
        assert_eq!(made["rows"], json(r#"[{"a": 6, "b": 7}]"#));
        let lines: Vec<i64> = made["skipped"]
            .as_list()
            .unwrap()
            .iter()
            .map(|it| match it {
                Value::Object(fields) => fields["line"].as_int().unwrap(),
                _ => 0,
            })
            .collect();
        assert_eq!(lines, [3, 5, 6]);
        let typed = [("types", json(r#"{"b": "int"}"#))];
        assert!(
            rows("a,b\n1,2\n1,x\n", &typed)
                .unwrap_err()
                .starts_with("line 3: column `b`: `x` is not a whole number")
        );
    }

    #[test]
    fn a_table_that_is_not_what_was_said_is_refused() {
        assert!(rows("a,a\n1,2", &[]).unwrap_err().contains("columns 1 and 2 are both named `a`"));
        assert!(
            rows("price,n\n1,2", &[("columns", json(r#"["prize"]"#))])
                .unwrap_err()
                .contains("did you mean `price`?")
        );
        assert!(rows("a\n1", &[("types", json(r#"{"a": "date"}"#))]).unwrap_err().contains("is not a type"));
        assert!(rows("a\n1", &[("delimiter", "ab".into())]).unwrap_err().contains("does not separate cells"));
        let open = "a,b\n1,\"open\n2,3\n4,5\n";
        assert!(rows(open, &[]).unwrap_err().starts_with("line 2: a quote is opened and never closed"));
        let long = format!("a\n{}", format!("{}\n", "x".repeat(1_000)).repeat(17_000));
        assert!(rows(&long, &[]).unwrap_err().contains("more than 16 MiB"));
    }
}
