//! Text that a command wrote, made safe to show.

/// Longer lines are cut.
const LONGEST: usize = 500;

/// One safe, short line.
pub(super) fn line(text: &str) -> String {
    fanlight_shared::value::cut(&plain(text), LONGEST)
}

/// The last line in these bytes that shows anything, safe to show. Progress that was written over itself counts by its
/// last state.
pub(super) fn last_line(bytes: &[u8]) -> Option<String> {
    bytes
        .rsplit(|byte| matches!(byte, b'\n' | b'\r'))
        .map(|it| line(&String::from_utf8_lossy(it)))
        .find(|it| !it.is_empty())
}

/// The text without control characters and escape sequences.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => match rest.next() {
                Some('[') => while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                Some(']' | 'P' | '_' | '^' | 'X') => {
                    while let Some(c) = rest.next() {
                        if c == '\u{7}' || c == '\u{1b}' && rest.next_if_eq(&'\\').is_some() {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\t' | '\n' => out.push(c),
            '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_shows_anything_is_safe() {
        let bytes = b"first\n\x1b[31merror:\x1b[0m \x1b]0;title\x07boom\r\n\x1b[K\n  \n";
        assert_eq!(last_line(bytes).as_deref(), Some("error: boom"));
        assert_eq!(last_line(b"10 %\r20 %\r").as_deref(), Some("20 %"));
        assert_eq!(last_line(b"\n\x1b[2J\n"), None);
    }
}
