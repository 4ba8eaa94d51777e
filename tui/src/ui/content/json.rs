//! Highlights JSON.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::ui::theme::Theme;

/// Returns lines of JSON with styles for keys, strings, numbers and literals; text that isn't JSON stays as it is.
#[must_use]
pub fn highlight<'a>(text: &str, theme: &Theme) -> Vec<Line<'a>> {
    text.lines().map(|line| Line::from(spans(line, theme))).collect()
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
    fn keys_and_texts_differ() {
        let theme = Theme::default();
        let spans = spans(r#""a": "b""#, &theme);
        assert_eq!((spans[0].style, spans[2].style), (theme.key, theme.good));
    }
}
