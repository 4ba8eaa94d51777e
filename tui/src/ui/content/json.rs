//! Highlights JSON, and lays it out.

use std::borrow::Cow;

use fanlight_shared::value::json::is_document;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::ui::theme::Theme;
use crate::ui::wrap::wrap;

/// How many bytes a layout may have for each byte of its text: deep lists of little would be almost only indentation.
const MAX_GROWTH: usize = 8;
/// How many bytes a layout may have in any case.
const ALWAYS_ALLOWED: usize = 4096;

/// Returns lines of JSON with styles for keys, strings, numbers and literals; text that isn't JSON stays as it is.
#[must_use]
pub fn highlight<'a>(text: &str, theme: &Theme) -> Vec<Line<'a>> {
    text.lines().map(|line| Line::from(spans(line, theme))).collect()
}

/// Returns lines of JSON as [`highlight`] does, none of them wider than this.
#[must_use]
pub fn wrapped<'a>(text: &str, theme: &Theme, columns: u16) -> Vec<Line<'a>> {
    wrap(text, columns).iter().map(|line| Line::from(spans(line, theme))).collect()
}

/// Returns the parts of one line.
#[must_use]
pub fn spans<'a>(line: &str, theme: &Theme) -> Vec<Span<'a>> {
    let mut spans = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        let (length, style): (usize, Style) = match first {
            '"' => {
                let end = end_of_text(rest);
                let key = rest[end..].trim_start().starts_with(':');
                (end, if key { theme.key } else { theme.good })
            }
            '0'..='9' | '-' => (run(rest, |it| it.is_ascii_digit() || "+-.eE".contains(it)), theme.matched),
            'a'..='z' => (run(rest, |it| it.is_ascii_alphabetic()), theme.marked),
            _ => (
                run(rest, |it| !it.is_ascii_alphanumeric() && !"\"-".contains(it)).max(first.len_utf8()),
                theme.dim,
            ),
        };
        let (part, after) = rest.split_at(length);
        spans.push(Span::styled(part.to_owned(), style));
        rest = after;
    }
    spans
}

fn run(text: &str, of: impl Fn(char) -> bool) -> usize {
    text.find(|it| !of(it)).unwrap_or(text.len())
}

fn end_of_text(text: &str) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

/// Returns whether a text has one line, whatever follows it.
#[must_use]
pub fn has_one_line(text: &str) -> bool {
    !text.trim_end().contains('\n')
}

/// Returns JSON that is on one line with a line for each value, or little of it would be visible; other text as it is.
#[must_use]
pub fn readable(text: &str) -> Cow<'_, str> {
    let laid_out = has_one_line(text).then(|| laid_out(text)).flatten();
    laid_out.map_or(Cow::Borrowed(text), Cow::Owned)
}

/// Returns JSON with a line for each value, and nothing else changed; `None` if it is not JSON, or the layout would
/// be far longer than the text.
#[must_use]
pub fn laid_out(text: &str) -> Option<String> {
    if !is_document(text) {
        return None;
    }
    let most = text.len() * MAX_GROWTH + ALWAYS_ALLOWED;
    let (mut out, mut depth) = (String::with_capacity(text.len() * 2), 0_usize);
    let (mut in_text, mut is_escaped) = (false, false);
    for c in text.chars() {
        if in_text {
            out.push(c);
            in_text = is_escaped || c != '"';
            is_escaped = c == '\\' && !is_escaped;
            continue;
        }
        if c.is_ascii_whitespace() {
            continue;
        }
        let closes = matches!(c, '}' | ']');
        depth = depth.saturating_sub(usize::from(closes));
        // Nothing is between the two ends of an empty list.
        if out.ends_with(['{', '[']) != closes || out.ends_with(',') {
            out.push('\n');
            out.extend(std::iter::repeat_n("  ", depth));
            if out.len() > most {
                return None;
            }
        }
        out.push(c);
        match c {
            '{' | '[' => depth += 1,
            ':' => out.push(' '),
            '"' => in_text = true,
            _ => {}
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost() {
        let theme = Theme::default();
        for text in [r#"{"a \"b": [1.5e3, true, null, "ü"]}"#, "no json ß {", "\"open", "-", "日本"] {
            let joined: String =
                spans(text, &theme).into_iter().map(|span| span.content.into_owned()).collect();
            assert_eq!(joined, text);
        }
    }

    #[test]
    fn json_on_one_line_is_laid_out_and_a_part_of_it_is_wrapped() {
        assert_eq!(readable("{\"a\":1.00}\n"), "{\n  \"a\": 1.00\n}");
        for text in ["{\n\"a\":1}", "{\"a\":1", "text"] {
            assert_eq!(readable(text), text);
        }
        let lines = wrapped("[1, 22, 333", &Theme::default(), 4);
        let text: Vec<String> = lines.iter().map(ToString::to_string).collect();
        assert!(lines.len() > 2 && text.concat().contains("333"), "{text:?}");
    }

    #[test]
    fn json_that_is_too_deep_or_grows_too_much_stays_as_it_is() {
        let nested = |levels: usize, inside: &str| "[".repeat(levels) + inside + &"]".repeat(levels);
        assert_eq!(laid_out(&nested(3, "1")).as_deref(), Some("[\n  [\n    [\n      1\n    ]\n  ]\n]"));
        for text in [nested(10_000, ""), nested(60, &format!("0{}", ",0".repeat(100_000)))] {
            assert!(laid_out(&text).is_none());
            assert_eq!(readable(&text), text);
        }
    }

    #[test]
    fn keys_and_texts_differ() {
        let theme = Theme::default();
        let spans = spans(r#""a": "b""#, &theme);
        assert_eq!((spans[0].style, spans[2].style), (theme.key, theme.good));
    }
}
