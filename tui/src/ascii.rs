//! Replaces other characters by ASCII, for terminals that show nothing else: `--ascii`, or a locale without UTF-8.

use std::borrow::Cow;
use std::sync::OnceLock;

use unicode_width::UnicodeWidthChar as _;

static WANTED: OnceLock<bool> = OnceLock::new();

/// Sets whether the user asked for ASCII by a flag; otherwise the locale decides. Only the first call counts.
pub(crate) fn want(flag: bool) {
    let _ = WANTED.set(flag);
}

/// Returns whether the user asked for ASCII by a flag.
pub(crate) fn is_asked_for() -> bool {
    WANTED.get().copied().unwrap_or(false)
}

/// Returns whether text for people must be ASCII: the user asked for it, or the locale or console supports nothing
/// else.
pub(crate) fn is_wanted() -> bool {
    is_asked_for() || !locale_has_utf8(|name| std::env::var(name).ok())
}

/// Returns whether the locale, and the Linux console, can show more than ASCII. Without any locale variable they can:
/// most containers have none.
pub(crate) fn locale_has_utf8(variable: impl Fn(&str) -> Option<String>) -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| variable(name).filter(|it| !it.is_empty()));
    let console = variable("TERM").is_some_and(|it| it == "linux");
    !console && locale.is_none_or(|it| it != "C" && it != "POSIX")
}

/// Returns the text in ASCII, with as many columns as before.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match plain(character) {
            Some(plain) => out.push(plain),
            None => out.extend(std::iter::repeat_n('?', character.width().unwrap_or(0))),
        }
    }
    Cow::Owned(out)
}

/// Returns JSON in ASCII: other characters become escapes, so that nothing is lost.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() * 2);
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            let mut units = [0; 2];
            out.extend(character.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    Cow::Owned(out)
}

/// Returns the ASCII replacement of a character, one column wide, if there is one.
fn plain(character: char) -> Option<char> {
    Some(match character {
        it if it.is_ascii() => it,
        '─' | '━' | '┄' | '┅' | '┈' | '┉' | '╌' | '╍' | '╴' | '╶' | '╸' | '╺' | '╼' | '╾' | '═' => {
            '-'
        }
        '│' | '┃' | '┆' | '┇' | '┊' | '┋' | '╎' | '╏' | '╵' | '╷' | '╹' | '╻' | '║' | '▌' | '▐' => {
            '|'
        }
        '\u{250C}'..='\u{254B}' | '\u{2550}'..='\u{2570}' => '+',
        '‐' | '‑' | '‒' | '–' | '—' | '−' | '·' | '⊘' => '-',
        '…' => '~',
        '‘' | '’' | '′' => '\'',
        '“' | '”' | '″' => '"',
        '\u{A0}' => ' ',
        '×' | '✗' => 'x',
        '✓' => '+',
        '○' => '.',
        '◌' | '◔' => ':',
        '≡' => '=',
        '●' | '★' | '•' => '*',
        '▸' | '▶' | '→' | '↷' | '»' => '>',
        '◂' | '◀' | '←' | '«' => '<',
        '▴' | '▲' | '↑' => '^',
        '▾' | '▼' | '↓' => 'v',
        '\u{2580}'..='\u{259F}' => '#',
        // Spinners and curves.
        '\u{2800}' => ' ',
        '\u{2801}'..='\u{28FF}' => '*',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_glyph_has_an_ascii_form_of_the_same_width() {
        let drawn = "╭─ ✓ sky ×9 ├┄▸┤ ━━── 60 % ⠹ … seed=7 · place=Hove – ▌#12";
        assert_eq!(text(drawn), "+- + sky x9 +->+ ---- 60 % * ~ seed=7 - place=Hove - |#12");
        assert_eq!(text("日本 e\u{301} Göteborg"), "???? e G?teborg");
    }

    #[test]
    fn json_is_complete() {
        let line = r#"{"name":"Göteborg 🚀"}"#;
        let plain = json(line);
        assert!(plain.is_ascii());
        let back: serde_json::Value = serde_json::from_str(&plain).unwrap();
        assert_eq!(back["name"], "Göteborg 🚀");
    }

    #[test]
    fn the_c_locale_uses_only_ascii() {
        let locale = |set: &'static [(&str, &str)]| {
            locale_has_utf8(|name| set.iter().find(|it| it.0 == name).map(|it| it.1.to_owned()))
        };
        assert!(!locale(&[("LC_ALL", "C"), ("LANG", "en_GB.UTF-8")]));
        assert!(!locale(&[("LANG", "POSIX")]));
        assert!(!locale(&[("TERM", "linux")]));
        assert!(locale(&[("LC_ALL", ""), ("LANG", "C.UTF-8")]));
        assert!(locale(&[]));
    }
}
