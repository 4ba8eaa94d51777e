//! The records of a CSV text, each with its line.

use csv::{ReaderBuilder, StringRecord};
use fanlight_shared::value::{Value, Values};

use super::delimiter;
use crate::node_type::typed_inputs::TypedInputs;

/// The most bytes of all rows as values.
pub(super) const MAX_BYTES: u64 = 16 << 20;
/// The most skipped rows that are listed.
const MAX_LISTED: usize = 1_000;

/// The format of a text.
pub(super) struct Format {
    delimiter: u8,
    quote: u8,
    skip_lines: u32,
    header: bool,
    names: Option<Vec<String>>,
    limit: usize,
}

/// The records of a table, all with a cell for each name.
pub(super) struct Records {
    pub(super) names: Vec<String>,
    /// Each with its line.
    pub(super) rows: Vec<(u64, StringRecord)>,
}

impl Format {
    /// Reads the inputs that describe the format of this text.
    ///
    /// # Errors
    /// A sentence that names an input.
    pub(super) fn read(inputs: &Values, text: &str) -> Result<Self, String> {
        let quote = match inputs.text("quote")?.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'\r' | b'\n') => *byte,
            _ => return Err("`quote` must be a single character, such as `\"`".into()),
        };
        let skip_lines = inputs.count("skip_lines")?;
        let delimiter = match inputs.text("delimiter")? {
            "auto" => most_frequent(without_lines(text, skip_lines), quote),
            given => delimiter(given)?,
        };
        if delimiter == quote {
            return Err(format!("`delimiter` and `quote` are both `{}`", char::from(quote)));
        }
        let texts = |list: &[Value]| list.iter().filter_map(Value::as_text).map(str::to_owned).collect();
        let limit = inputs.maybe("limit").and_then(Value::as_int).and_then(|it| usize::try_from(it).ok());
        Ok(Self {
            delimiter,
            quote,
            skip_lines,
            header: inputs.flag("header")?,
            names: inputs.maybe("names").and_then(Value::as_list).map(texts),
            limit: limit.unwrap_or(usize::MAX),
        })
    }

    /// Reads the records of a text. Those with too few or too many cells are `bad`.
    ///
    /// # Errors
    /// A sentence: a row is bad and none may be, a quote is never closed, the rows take too much memory.
    pub(super) fn records(mut self, text: &str, bad: &mut BadRows) -> Result<Records, String> {
        let rest = without_lines(text, self.skip_lines);
        let mut reader = ReaderBuilder::new()
            .delimiter(self.delimiter)
            .quote(self.quote)
            .has_headers(false)
            .flexible(true)
            .from_reader(rest.as_bytes());
        let mut places = Places { text: rest.as_bytes(), at: 0, line: u64::from(self.skip_lines) + 1 };
        let mut names = self.names.take();
        let mut rows = Vec::new();
        let (mut header, mut bytes) = (self.header, 0);
        let mut last = None;
        for record in reader.records() {
            let record = record.map_err(|error| format!("the table can't be read: {error}"))?;
            if rows.len() == self.limit && !header {
                // The rest isn't read, whatever is wrong with it.
                last = None;
                break;
            }
            let (line, start) = places.of(&record);
            last = Some((line, start));
            if std::mem::take(&mut header) {
                names.get_or_insert_with(|| record.iter().map(|name| name.trim().to_owned()).collect());
                continue;
            }
            let width = names.get_or_insert_with(|| vec![String::new(); record.len()]).len();
            if record.len() != width {
                self.check_closed(&rest.as_bytes()[start..], line)?;
                let cells =
                    if record.len() == 1 { "1 cell".into() } else { format!("{} cells", record.len()) };
                bad.add(line, &format!("it has {cells}, and the table has {width} columns"))?;
                continue;
            }
            bytes += record.as_slice().len() as u64;
            if bytes > MAX_BYTES * 4 {
                return Err(too_much());
            }
            rows.push((line, record));
        }
        if let Some((line, start)) = last {
            self.check_closed(&rest.as_bytes()[start..], line)?;
        }
        Ok(Records { names: names.unwrap_or_default(), rows })
    }

    /// Checks that the record with which `rest` begins does not reach the end of the text within a quote. Such a quote
    /// swallows the rest of the table, and in a file that was cut, an unknown part of it is missing.
    fn check_closed(&self, rest: &[u8], line: u64) -> Result<(), String> {
        #[derive(PartialEq)]
        enum At {
            StartOfCell,
            Cell,
            Quoted,
            QuoteInQuoted,
        }
        let mut at = At::StartOfCell;
        for &byte in rest {
            at = match at {
                At::Quoted if byte == self.quote => At::QuoteInQuoted,
                At::Quoted => At::Quoted,
                At::StartOfCell | At::QuoteInQuoted if byte == self.quote => At::Quoted,
                _ if byte == self.delimiter => At::StartOfCell,
                _ if matches!(byte, b'\r' | b'\n') => return Ok(()),
                _ => At::Cell,
            };
        }
        if at == At::Quoted {
            return Err(format!(
                "line {line}: a quote is opened and never closed; close it, or set `quote` to a character that the file does not contain"
            ));
        }
        Ok(())
    }
}

/// Finds the lines of records, counted as an editor does.
struct Places<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Places<'_> {
    /// Returns the line of the next record, and where it begins. The reader counts the blank lines before a record to it.
    fn of(&mut self, record: &StringRecord) -> (u64, usize) {
        let start = record.position().and_then(|it| usize::try_from(it.byte()).ok()).unwrap_or(self.at);
        let blank = |byte: &&u8| matches!(byte, b'\r' | b'\n');
        let start = start + self.text[start..].iter().take_while(blank).count();
        for at in self.at..start {
            let is_end = match self.text[at] {
                b'\n' => true,
                b'\r' => self.text.get(at + 1) != Some(&b'\n'),
                _ => false,
            };
            self.line += u64::from(is_end);
        }
        self.at = start;
        (self.line, start)
    }
}

/// Rows that can't be taken.
pub(super) struct BadRows {
    skip: bool,
    skipped: Vec<(u64, String)>,
}

impl BadRows {
    /// Creates an empty list. With `skip`, bad rows are skipped; otherwise the first one is an error.
    pub(super) fn new(skip: bool) -> Self {
        Self { skip, skipped: Vec::new() }
    }

    /// Adds a bad row.
    ///
    /// # Errors
    /// The sentence, if rows aren't skipped.
    pub(super) fn add(&mut self, line: u64, error: &str) -> Result<(), String> {
        if !self.skip {
            return Err(format!("line {line}: {error}; correct it, or set `bad_rows: skip`"));
        }
        if self.skipped.len() < MAX_LISTED {
            self.skipped.push((line, error.to_owned()));
        }
        Ok(())
    }

    /// Returns them as a table, in the order of their lines.
    pub(super) fn into_rows(mut self) -> Vec<Value> {
        self.skipped.sort_by_key(|(line, _)| *line);
        let row = |(line, error): (u64, String)| {
            let line = Value::Int(i64::try_from(line).unwrap_or(i64::MAX));
            let fields = [("line".to_owned(), line), ("error".to_owned(), error.into())];
            Value::Object(fields.into_iter().collect())
        };
        self.skipped.into_iter().map(row).collect()
    }
}

/// Returns the text after its first lines.
fn without_lines(text: &str, count: u32) -> &str {
    (0..count).fold(text, |rest, _| match rest.find(['\r', '\n']) {
        Some(end) => rest[end..].strip_prefix("\r\n").unwrap_or_else(|| &rest[end + 1..]),
        None => "",
    })
}

/// Returns the delimiter that occurs most often in the first line, outside of quotes; a comma if there is none.
fn most_frequent(text: &str, quote: u8) -> u8 {
    const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
    let mut counts = [0_u32; 4];
    let mut quoted = false;
    for byte in text.bytes() {
        match byte {
            byte if byte == quote => quoted = !quoted,
            b'\r' | b'\n' if !quoted => break,
            byte if !quoted => {
                if let Some(at) = DELIMITERS.iter().position(|it| *it == byte) {
                    counts[at] += 1;
                }
            }
            _ => {}
        }
    }
    let most = counts.iter().copied().max().unwrap_or_default();
    counts.iter().position(|count| *count == most).map_or(b',', |at| DELIMITERS[at])
}

/// Returns the error about rows that take too much memory.
pub(super) fn too_much() -> String {
    format!(
        "the rows take more than {} MiB; read fewer `columns`, or fewer rows with `limit`",
        MAX_BYTES >> 20
    )
}
