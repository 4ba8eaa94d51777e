//! Text in a page: nothing that a run made becomes markup.

use std::path::Path;

use fanlight_shared::sanitise;

/// Returns a text for the content of an element or the value of an attribute.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// Returns one line of text, without control characters.
pub(super) fn line(text: &str) -> String {
    escape(&sanitise::line(text))
}

/// Returns the relative URL of a file.
pub(super) fn url(path: &Path) -> String {
    let mut out = String::new();
    for byte in path.to_string_lossy().bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => out.push(byte as char),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_becomes_markup() {
        assert_eq!(
            escape("<a href='x' title=\"y\">&"),
            "&lt;a href=&#39;x&#39; title=&quot;y&quot;&gt;&amp;"
        );
        assert!(!line("a\u{1b}[31m\nb").contains('\u{1b}'));
        assert_eq!(url(Path::new("files/a b/\"é?#%.png")), "files/a%20b/%22%C3%A9%3F%23%25.png");
        assert_eq!(url(Path::new("javascript:x")), "javascript%3Ax");
    }
}
