//! Places of mistakes in TOML.

/// Returns the line of a byte of a text, from 1.
pub(super) fn line_of(text: &str, byte: usize) -> usize {
    text.as_bytes().iter().take(byte).filter(|it| **it == b'\n').count() + 1
}

/// Returns the error for a text that isn't valid TOML.
pub(super) fn syntax_error(text: &str, error: &toml::de::Error) -> String {
    let line = error.span().map_or(1, |span| line_of(text, span.start));
    format!("line {line}: {}", error.message())
}
