//! Comma-separated values, with quotes around those that contain a comma.

use crate::value::cut;

/// One value.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Part {
    pub(super) text: String,
    pub(super) quoted: bool,
}

/// Splits a line as CSV does: a value that begins with `"` ends with the next `"`, and `""` in it is one quote.
///
/// # Errors
/// A value is empty, a quote is not closed, or text follows a closing quote.
pub(super) fn split(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let (part, behind) = part(rest, text)?;
        parts.push(part);
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(parts),
        }
    }
}

/// A name, and its value if it has one.
type Named = (String, Option<String>);

/// Splits `seed=3,place="Hove, by the sea"` into names and values: at commas outside of quotes, which are around a value or around a
/// whole part.
///
/// # Errors
/// Those of [`split`].
pub(super) fn named(text: &str) -> Result<Vec<Named>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(',').unwrap_or(rest.len());
        let value = rest[..end].split_once('=').filter(|(name, _)| !name.trim_start().starts_with('"'));
        let behind = match value.map(|(name, value)| (name, value.trim_start())) {
            Some((name, value)) if value.starts_with('"') => {
                let from = rest.find('"').map_or(rest.len(), |at| at + 1);
                let (part, behind) = quoted(&rest[from..], text)?;
                parts.push((name.trim().to_owned(), Some(part.text)));
                behind
            }
            _ => {
                let (part, behind) = part(rest, text)?;
                parts.push(match part.text.split_once('=') {
                    Some((name, value)) => (name.trim().to_owned(), Some(value.to_owned())),
                    None => (part.text, None),
                });
                behind
            }
        };
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(parts),
        }
    }
}

/// Returns the first of some values, and what follows it: nothing, or a comma and more.
fn part<'t>(rest: &'t str, text: &str) -> Result<(Part, &'t str), String> {
    if let Some(inside) = rest.trim_start().strip_prefix('"') {
        return quoted(inside, text);
    }
    let end = rest.find(',').unwrap_or(rest.len());
    let part = Part { text: rest[..end].trim().to_owned(), quoted: false };
    if part.text.is_empty() {
        return Err(format!("`{}` has an empty place between its commas", cut(text, 60)));
    }
    Ok((part, &rest[end..]))
}

/// Returns a quoted value and what follows it: nothing, or a comma and more.
fn quoted<'t>(inside: &'t str, text: &str) -> Result<(Part, &'t str), String> {
    let (value, rest) =
        unquoted(inside).ok_or_else(|| format!("a quote in `{}` is not closed", cut(text, 60)))?;
    let behind = rest.trim_start();
    if !behind.is_empty() && !behind.starts_with(',') {
        let message = "text follows a closing quote; double a quote that is inside quotes";
        return Err(format!("in `{}` {message}", cut(text, 60)));
    }
    Ok((Part { text: value, quoted: true }, behind))
}

/// Returns the text up to the closing quote, and what follows the quote.
fn unquoted(inside: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = inside;
    loop {
        let end = rest.find('"')?;
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                value.push('"');
                rest = more;
            }
            None => return Some((value, rest)),
        }
    }
}

/// The values of one row of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Record {
    /// The line on which it begins, from 1.
    pub(super) line: usize,
    pub(super) parts: Vec<Part>,
}

/// Reads the rows of a file, without empty lines. Quoted values may contain line breaks, and values may be empty.
///
/// # Errors
/// The line of a quote that is not closed, or that text follows.
pub(super) fn records(text: &str) -> Result<Vec<Record>, (usize, String)> {
    let mut records = Vec::new();
    let mut record = Record { line: 1, parts: Vec::new() };
    let mut line = 1;
    let mut rest = text;
    while !rest.is_empty() {
        let blank = rest.trim_start_matches([' ', '\t']);
        let (part, behind) = match blank.strip_prefix('"') {
            Some(inside) => quoted_cell(inside).map_err(|why| (line, why.to_owned()))?,
            None => {
                let end = rest.find([',', '\n']).unwrap_or(rest.len());
                (Part { text: rest[..end].trim().to_owned(), quoted: false }, &rest[end..])
            }
        };
        line += part.text.matches('\n').count();
        record.parts.push(part);
        rest = match behind.strip_prefix(',') {
            // The last value of the file is empty.
            Some("") => {
                record.parts.push(Part::default());
                ""
            }
            Some(more) => {
                if more.starts_with('\n') {
                    record.parts.push(Part::default());
                    end_of_line(more, &mut line, &mut record, &mut records)
                } else {
                    more
                }
            }
            None => end_of_line(behind, &mut line, &mut record, &mut records),
        };
    }
    add(record, &mut records);
    Ok(records)
}

/// Ends a record at a line break.
fn end_of_line<'t>(
    rest: &'t str,
    line: &mut usize,
    record: &mut Record,
    records: &mut Vec<Record>,
) -> &'t str {
    *line += 1;
    let next = Record { line: *line, parts: Vec::new() };
    add(std::mem::replace(record, next), records);
    rest.strip_prefix('\n').unwrap_or(rest)
}

/// Adds a record, unless its line is empty.
fn add(record: Record, records: &mut Vec<Record>) {
    let is_empty = |part: &Part| part.text.is_empty() && !part.quoted;
    if !record.parts.iter().all(is_empty) || record.parts.len() > 1 {
        records.push(record);
    }
}

/// Returns a quoted value and what follows it: nothing, a comma, or the end of the line.
fn quoted_cell(inside: &str) -> Result<(Part, &str), &'static str> {
    let (text, behind) = unquoted(inside).ok_or("a quote is not closed")?;
    let behind = behind.trim_start_matches([' ', '\t', '\r']);
    if !behind.is_empty() && !behind.starts_with([',', '\n']) {
        return Err("text follows a closing quote; double a quote that is inside quotes");
    }
    Ok((Part { text, quoted: true }, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_have_their_lines_and_quoted_values_may_have_several() {
        let text = "a,b\r\n1,\"x, \"\"y\"\"\nz\" \r\n\n,2\n3,\n \n\"\"";
        let records = records(text).unwrap();
        let found: Vec<(usize, Vec<&str>)> = records
            .iter()
            .map(|record| (record.line, record.parts.iter().map(|part| part.text.as_str()).collect()))
            .collect();
        let expected: [(usize, Vec<&str>); 5] = [
            (1, vec!["a", "b"]),
            (2, vec!["1", "x, \"y\"\nz"]),
            (5, vec!["", "2"]),
            (6, vec!["3", ""]),
            (8, vec![""]),
        ];
        assert_eq!(found, expected);
        assert_eq!(super::records("a\n1,"), super::records("a\n1,\n"));
    }

    #[test]
    fn a_quote_that_is_not_closed_is_reported_with_its_line() {
        assert_eq!(records("a\n1\n\"x\ny").unwrap_err(), (3, "a quote is not closed".into()));
        assert_eq!(records("a\n\"x\" y").unwrap_err().0, 2);
    }

    fn texts(text: &str) -> Vec<String> {
        split(text).unwrap().into_iter().map(|part| part.text).collect()
    }

    #[test]
    fn quotes_protect_commas_as_in_csv() {
        assert_eq!(texts(r#""a cat, asleep","a dog""#), ["a cat, asleep", "a dog"]);
        assert_eq!(texts(r#"a, "b ""c"" ,d" , e"#), ["a", r#"b "c" ,d"#, "e"]);
        assert_eq!(texts(r#"5" disk,"""#), ["5\" disk", ""]);
        assert_eq!(texts("plain"), ["plain"]);
    }

    #[test]
    fn malformed_csv_is_reported() {
        for (text, part) in [("a,,b", "empty place"), ("a,", "empty place"), ("\"a", "not closed")] {
            assert!(split(text).unwrap_err().contains(part), "{text}");
        }
        assert!(split("\"a\" b").unwrap_err().contains("follows a closing quote"));
    }
}
