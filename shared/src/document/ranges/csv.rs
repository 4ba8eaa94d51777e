//! Comma-separated values, with quotes around those that contain a comma.

use crate::value::cut;

/// One value.
#[derive(Clone, PartialEq, Eq, Debug)]
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
        let (part, behind) = match rest.trim_start().strip_prefix('"') {
            Some(inside) => quoted(inside, text)?,
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                let part = Part { text: rest[..end].trim().to_owned(), quoted: false };
                if part.text.is_empty() {
                    return Err(format!("`{}` has an empty place between its commas", cut(text, 60)));
                }
                (part, &rest[end..])
            }
        };
        parts.push(part);
        match behind.strip_prefix(',') {
            Some(more) => rest = more,
            None => return Ok(parts),
        }
    }
}

/// Returns a quoted value and what follows it: nothing, or a comma and more.
fn quoted<'t>(inside: &'t str, text: &str) -> Result<(Part, &'t str), String> {
    let mut value = String::new();
    let mut rest = inside;
    loop {
        let Some(end) = rest.find('"') else {
            return Err(format!("a quote in `{}` is not closed", cut(text, 60)));
        };
        value.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(more) => {
                value.push('"');
                rest = more;
            }
            None => break,
        }
    }
    let behind = rest.trim_start();
    if !behind.is_empty() && !behind.starts_with(',') {
        let message = "text follows a closing quote; double a quote that is inside quotes";
        return Err(format!("in `{}` {message}", cut(text, 60)));
    }
    Ok((Part { text: value, quoted: true }, behind))
}

#[cfg(test)]
mod tests {
    use super::*;

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
