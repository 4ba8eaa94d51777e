//! Characters that JSON writes as two escapes, which YAML doesn't have.

use serde::de::IgnoredAny;

/// How long two escapes are, such as `\ud83d\ude00`.
const PAIR: usize = 12;

/// Returns a file in JSON with one escape of YAML in place of each pair of surrogates: a zero, which no such file has
/// otherwise, and the character. It is as long as the pair, so that all positions stay. Returns `None` if the file is not
/// JSON or has no pair.
pub(super) fn joined(text: &str) -> Option<String> {
    let escaped = text.contains("\\u") && !text.contains("\\u0000");
    if !escaped || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut found = false;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at..];
        let taken = match pair(escape) {
            Some(character) => {
                found = true;
                out.push_str(&format!("\\0\\U{:08x}", u32::from(character)));
                PAIR
            }
            // The character after a backslash begins no escape, whatever it is.
            None => {
                let taken = 1 + escape[1..].chars().next().map_or(0, char::len_utf8);
                out.push_str(&escape[..taken]);
                taken
            }
        };
        rest = &escape[taken..];
    }
    out.push_str(rest);
    found.then_some(out)
}

/// Returns a text of a file that was [`joined`] as it was meant.
pub(super) fn read(text: &str) -> String {
    text.replace('\0', "")
}

/// Returns the character that two escapes at the beginning of a text stand for.
fn pair(text: &str) -> Option<char> {
    let unit = |escape: &str| u16::from_str_radix(escape.strip_prefix("\\u")?, 16).ok();
    let units = [unit(text.get(..PAIR / 2)?)?, unit(text.get(PAIR / 2..PAIR)?)?];
    char::decode_utf16(units).next()?.ok().filter(|it| it.len_utf16() == 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_joined_and_positions_stay() {
        let text =
            r#"{"a": "\ud83d\ude00 ä \uD83C\uDF0A\u00e4", "b": "\\ud83d\\ude00", "c": "\u00e4\u00e4"}"#;
        let joined = joined(text).unwrap();
        assert_eq!(joined.len(), text.len());
        assert_eq!(
            joined,
            r#"{"a": "\0\U0001f600 ä \0\U0001f30a\u00e4", "b": "\\ud83d\\ude00", "c": "\u00e4\u00e4"}"#
        );
        assert_eq!(read("\0😀 ä"), "😀 ä");
    }

    #[test]
    fn other_files_stay_as_they_are() {
        for text in [
            r#"{"a": "😀"}"#,
            r#"{"a": "\u00e4"}"#,
            r#"{"a": "\ud83d alone"}"#,
            r#"{"a": "\ud83d\ude00\u0000"}"#,
            r#"a: "\ud83d\ude00""#,
        ] {
            assert_eq!(joined(text), None, "{text}");
        }
    }
}
