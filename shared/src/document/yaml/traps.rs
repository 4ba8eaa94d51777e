//! The traps of YAML: texts that YAML reads differently from what was meant.

use super::{Kind, Node};
use crate::problem::{Position, Problem, Span};

/// Returns a syntax error, explained by the trap behind it if there is one. `at` is its byte offset.
pub(super) fn syntax_error(text: &str, place: Position, at: usize, info: &str) -> Problem {
    // Something that ends too early is shown at its end, not on the empty line after it.
    let (place, at) = if text.get(at..).is_none_or(|rest| rest.trim().is_empty()) {
        let end = text.trim_end().len();
        (position_of(text, end), end)
    } else {
        (place, floor(text, at))
    };
    if let Some(open) = flow_expression(text, at) {
        let span = span_of(text, open, 3);
        return Problem::error("flow_expression", span, "`${{` inside `{ }` or `[ ]` must be quoted")
            .hint("write \"${{ … }}\" with quotes around it");
    }
    let line_start = text[..at].rfind('\n').map_or(0, |end| end + 1);
    let line = text[line_start..].lines().next().unwrap_or("");
    let colon = info.contains("mapping values are not allowed") || info.contains("value is not allowed");
    if let Some(second) = second_colon(line).filter(|_| colon) {
        let span = span_of(text, line_start + second, 1);
        return Problem::error("second_colon", span, "a second `: ` in one line begins a map inside a value")
            .hint("put quotes around the value, or use a block `|`");
    }
    let span = Span { start: place, end: Position { column: place.column.saturating_add(1), ..place } };
    if info.contains("unknown anchor") {
        let star = text[..at.saturating_add(1).min(text.len())].rfind('*').unwrap_or(at);
        let span = span_of(text, floor(text, star), 1);
        return Problem::error("yaml_alias", span, "an unquoted value that begins with `*` is a YAML alias")
            .hint("put quotes around the value, as in \"*.png\"");
    }
    let problem = Problem::error("yaml_syntax", span, format!("this is not YAML: {info}"));
    let here = text[at..].chars().next();
    if line.trim_start_matches(' ').starts_with('\t') || info.contains("tab") {
        return problem.hint("indent with spaces; YAML allows no tabs there");
    }
    if info.contains("Unicode character escape") {
        return problem
            .hint("write the character itself, or `\\U` and eight digits, such as \"\\U0001f600\"; pairs of `\\u` are JSON only");
    }
    if info.contains("escape character") {
        return problem.hint("write a backslash within \" as `\\\\`, or put the value into ' instead");
    }
    match here {
        Some(sign @ ('%' | '@' | '`')) => {
            problem.hint(format!("an unquoted value can't begin with `{sign}`; put quotes around it"))
        }
        Some('}' | ']' | ',') => problem.hint("look for an extra or missing bracket before it"),
        _ if info.contains("quoted scalar")
            || info.contains("end of stream")
            || info.contains("did not find expected") =>
        {
            problem.hint("a quote or a bracket that was opened before is not closed")
        }
        _ => problem,
    }
}

/// Returns the last unquoted `${{` in a flow collection before `at`, or shortly after it.
fn flow_expression(text: &str, at: usize) -> Option<usize> {
    let line_end = text[at..].find('\n').map_or(text.len(), |end| at + end);
    let mut from = at;
    for _ in 0..2 {
        from = text[..from].rfind('\n').unwrap_or(0);
    }
    let part = &text[from..line_end];
    let (mut quote, mut depth, mut found, mut before) = (None, 0usize, None, ' ');
    for (offset, character) in part.char_indices() {
        match (quote, character) {
            (Some(open), it) if it == open => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') if !before.is_alphanumeric() => quote = Some(character),
            (None, '$') if depth > 0 && part[offset..].starts_with("${{") => {
                found = Some(from + offset);
                break;
            }
            (None, '{' | '[') if depth > 0 || matches!(before, ' ' | '\n') => depth += 1,
            (None, '}' | ']') => depth = depth.saturating_sub(1),
            (None, '\n') => depth = 0,
            _ => {}
        }
        before = character;
    }
    found
}

/// Returns the second `: ` of a line outside quotes.
fn second_colon(line: &str) -> Option<usize> {
    let mut colons = line.match_indices(": ").map(|(at, _)| at).chain(line.strip_suffix(':').map(str::len));
    colons.next()?;
    colons.next()
}

/// Reports a value that begins with `!`.
pub(super) fn tag(text: &str, node: &Node) -> Problem {
    let span = before(text, node, '!');
    Problem::error("yaml_tag", span, "an unquoted value that begins with `!` is a YAML tag, not text")
        .hint("put quotes around the value; in a condition write `not`")
}

/// Reports a value that begins with `&` and has no alias.
pub(super) fn unused_anchor(text: &str, node: &Node) -> Problem {
    let span = before(text, node, '&');
    Problem::error(
        "yaml_anchor",
        span,
        "an unquoted value that begins with `&` is a YAML anchor, and no alias uses this one",
    )
    .hint("put quotes around the value, or remove the anchor; in a condition write `and`")
}

/// Reports a map or list in the place of a key.
pub(super) fn complex_key(text: &str, key: &Node) -> Problem {
    let problem = Problem::error("complex_key", key.span, "a key must be a word, not a list or map");
    if matches!(key.kind, Kind::Map(_)) && text.get(key.raw.clone()).is_some_and(|raw| raw.starts_with('{')) {
        return problem.hint("a value that begins with `{{` needs quotes: \"{{ … }}\"");
    }
    problem
}

/// Reports a comment that cuts an unquoted value short.
pub(super) fn comment(text: &str, node: &Node) -> Option<Problem> {
    let Kind::Scalar(scalar) = &node.kind else { return None };
    let rest = text.get(node.raw.end..)?;
    let rest = rest.lines().next().unwrap_or("");
    let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
    let comment = rest[blanks..].strip_prefix('#')?;
    let joined = text[..node.raw.end].ends_with([' ', '\t', ':', '-']);
    if blanks == 0 && !joined {
        return None;
    }
    let end = node.span.end;
    let start =
        Position { column: end.column.saturating_add(u32::try_from(blanks).unwrap_or(u32::MAX)), ..end };
    let span = Span { start, end: Position { column: start.column.saturating_add(1), ..start } };
    if let Some(open) = left_open(&scalar.text) {
        let message = format!("` #` begins a comment here and leaves {open} open");
        return Some(
            Problem::error("comment_cuts_value", span, message).hint("put quotes around the whole value"),
        );
    }
    if comment.starts_with([' ', '\t', '#', '!', '-', '=', '*', ':']) || comment.is_empty() {
        return None;
    }
    let message = "` #` begins a comment, so what follows is not part of the value";
    Some(
        Problem::warning("comment_without_blank", span, message)
            .hint("put quotes around the whole value, or a space after the `#` if it is a comment"),
    )
}

/// Returns the bracket or quote that an unquoted value opens and does not close.
fn left_open(value: &str) -> Option<&'static str> {
    if value.rfind("${{").is_some_and(|at| !value[at..].contains("}}")) {
        return Some("`${{`");
    }
    let mut quote = None;
    let mut before = ' ';
    for character in value.chars() {
        match quote {
            Some(open) if open == character => quote = None,
            // An apostrophe inside a word opens nothing.
            None if matches!(character, '"' | '\'') && !before.is_alphanumeric() => quote = Some(character),
            _ => {}
        }
        before = character;
    }
    quote.map(|quote| if quote == '"' { "a `\"`" } else { "a `'`" })
}

/// Returns the span of the sign before a node, or of the node if there is none.
fn before(text: &str, node: &Node, sign: char) -> Span {
    let start = floor(text, node.raw.start.saturating_add(1).min(text.len()));
    let line = text[..start].rfind(sign);
    match line {
        Some(at) if text[at..start].matches('\n').count() <= 1 => {
            let word = text[at..].split(char::is_whitespace).next().unwrap_or("");
            span_of(text, at, word.chars().count())
        }
        _ => node.span,
    }
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Returns the span of `length` characters from byte `at`.
fn span_of(text: &str, at: usize, length: usize) -> Span {
    let start = position_of(text, at);
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    Span { start, end: Position { column: start.column.saturating_add(length), ..start } }
}

/// Returns the line and column of byte `at`.
pub(in crate::document) fn position_of(text: &str, at: usize) -> Position {
    let before = &text[..floor(text, at)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    Position {
        line: u32::try_from(line).unwrap_or(u32::MAX),
        column: u32::try_from(column).unwrap_or(u32::MAX),
    }
}
