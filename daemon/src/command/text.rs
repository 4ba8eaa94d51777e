//! Sanitises text that a command wrote.

use fanlight_shared::sanitise;

/// The longest line, in characters; longer ones are cut.
const MAX_CHARS: usize = 500;

/// Returns the text as one short, sanitised line.
pub(super) fn line(text: &str) -> String {
    fanlight_shared::value::cut(&sanitise::line(text), MAX_CHARS)
}

/// Returns the last line in these bytes that is not blank, sanitised. Of progress that overwrites itself, the last
/// state counts.
pub(super) fn last_line(bytes: &[u8]) -> Option<String> {
    bytes
        .rsplit(|byte| matches!(byte, b'\n' | b'\r'))
        .map(|it| line(&String::from_utf8_lossy(it)))
        .find(|it| !it.is_empty())
}

/// Returns the last line of what git said, without its advice on how to use it.
pub(super) fn last_line_of_git(bytes: &[u8]) -> Option<String> {
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| !line.starts_with(b"hint:"));
    last_line(&lines.collect::<Vec<_>>().concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_visible_line_is_sanitised() {
        let bytes = b"first\n\x1b[31merror:\x1b[0m \x1b]0;title\x07boom\r\n\x1b[K\n  \n";
        assert_eq!(last_line(bytes).as_deref(), Some("error: boom"));
        assert_eq!(last_line(b"10 %\r20 %\r").as_deref(), Some("20 %"));
        assert_eq!(last_line(b"\n\x1b[2J\n"), None);
    }

    #[test]
    fn advice_of_git_is_no_reason() {
        let said = b"fatal: it is locked\nhint: remove the lock\nhint: or wait\n";
        assert_eq!(last_line_of_git(said).as_deref(), Some("fatal: it is locked"));
        assert_eq!(last_line_of_git(b"hint: wait\n"), None);
    }
}
