//! Separates the terminal's replies from keys that are typed meanwhile.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// The maximum length of a sequence in bytes; longer ones are ignored.
const MAX_SEQUENCE: usize = 256;

/// A reply or a key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Read {
    Key(KeyEvent),
    Kitty(bool),
    Version { placeholders: bool },
    Deep,
    Font((u16, u16)),
    Attributes { sixel: bool },
}

/// Separates replies and keys. Knows typed keys: characters, arrows and the like.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// An incomplete sequence or character.
    begun: Vec<u8>,
}

impl Reader {
    pub(super) fn is_open(&self) -> bool {
        !self.begun.is_empty()
    }

    pub(super) fn read(&mut self, bytes: &[u8]) -> Vec<Read> {
        let mut read = Vec::new();
        for byte in bytes {
            self.begun.push(*byte);
            match take(&self.begun) {
                Taken::More if self.begun.len() < MAX_SEQUENCE => {}
                Taken::More | Taken::Nothing => self.begun.clear(),
                Taken::Read(it) => {
                    self.begun.clear();
                    read.push(it);
                }
            }
        }
        read
    }

    /// Ends an incomplete sequence: a lone escape is a key, and so is one before a character.
    pub(super) fn close(&mut self) -> Option<KeyEvent> {
        let begun = std::mem::take(&mut self.begun);
        match begun[..] {
            [0x1b] => Some(KeyEvent::from(KeyCode::Esc)),
            [0x1b, letter @ (b'[' | b'_' | b'P' | b'O')] => {
                Some(KeyEvent::new(KeyCode::Char(char::from(letter)), KeyModifiers::ALT))
            }
            _ => None,
        }
    }
}

enum Taken {
    More,
    Nothing,
    Read(Read),
}

fn take(bytes: &[u8]) -> Taken {
    let typed = |code| Taken::Read(Read::Key(KeyEvent::from(code)));
    match bytes {
        [0x1b] | [0x1b, b'['] | [0x1b, b'O'] => Taken::More,
        [0x1b, b'_' | b'P', rest @ ..] => {
            if !rest.ends_with(b"\x1b\\") {
                return Taken::More;
            }
            let text = String::from_utf8_lossy(&rest[..rest.len() - 2]);
            string(bytes[1] == b'_', &text)
        }
        [0x1b, b'[', parameters @ .., last] if (0x40..=0x7e).contains(last) => control(parameters, *last),
        [0x1b, b'[', ..] => Taken::More,
        [0x1b, b'O', last] => control(&[], *last),
        [0x1b, rest @ ..] => match take(rest) {
            Taken::Read(Read::Key(key)) => Taken::Read(Read::Key(KeyEvent::new(key.code, KeyModifiers::ALT))),
            other => other,
        },
        [b'\r' | b'\n'] => typed(KeyCode::Enter),
        [b'\t'] => typed(KeyCode::Tab),
        [0x7f | 0x08] => typed(KeyCode::Backspace),
        [control @ 1..=26] => {
            let letter = char::from(control - 1 + b'a');
            Taken::Read(Read::Key(KeyEvent::new(KeyCode::Char(letter), KeyModifiers::CONTROL)))
        }
        [0..=0x1f] => Taken::Nothing,
        text => match std::str::from_utf8(text) {
            Ok(text) => text.chars().next().map_or(Taken::Nothing, |it| typed(KeyCode::Char(it))),
            Err(error) if error.error_len().is_none() => Taken::More,
            Err(_) => Taken::Nothing,
        },
    }
}

/// Parses a string of the terminal: an application command (APC), else a device control string (DCS).
fn string(application: bool, text: &str) -> Taken {
    if application {
        let of_question = text.strip_prefix("Gi=31");
        return of_question.map_or(Taken::Nothing, |it| Taken::Read(Read::Kitty(it.contains(";OK"))));
    }
    if let Some(version) = text.strip_prefix(">|") {
        return Taken::Read(Read::Version { placeholders: has_placeholders(version) });
    }
    let capability =
        text.strip_prefix("1+r").is_some_and(|it| it.starts_with("524742") || it.starts_with("5463"));
    let colour = text.contains("$r") && (text.contains("48:2:") || text.contains("48;2;"));
    if capability || colour { Taken::Read(Read::Deep) } else { Taken::Nothing }
}

/// Returns whether a terminal with this name and version, such as `kitty(0.41.1)`, supports placeholders.
fn has_placeholders(version: &str) -> bool {
    let version = version.to_lowercase();
    if version.starts_with("ghostty") {
        return true;
    }
    let Some(numbers) = version.strip_prefix("kitty") else { return false };
    let mut numbers = numbers.trim_start_matches(['(', ' ']).split(|it: char| !it.is_ascii_digit());
    let mut next = || numbers.next().and_then(|it| it.parse::<u32>().ok()).unwrap_or(0);
    (next(), next()) >= (0, 28)
}

/// Reads a control sequence, `ESC [ parameters last`.
fn control(parameters: &[u8], last: u8) -> Taken {
    let numbers: Vec<u16> = String::from_utf8_lossy(parameters)
        .trim_start_matches('?')
        .split(';')
        .filter_map(|it| it.parse().ok())
        .collect();
    let code = match (last, &numbers[..]) {
        (b'c', numbers) if parameters.starts_with(b"?") => {
            return Taken::Read(Read::Attributes { sixel: numbers.iter().skip(1).any(|it| *it == 4) });
        }
        (b't', [6, height, width]) if *height > 0 && *width > 0 => {
            return Taken::Read(Read::Font((*width, *height)));
        }
        (b'A', _) => KeyCode::Up,
        (b'B', _) => KeyCode::Down,
        (b'C', _) => KeyCode::Right,
        (b'D', _) => KeyCode::Left,
        (b'H', _) | (b'~', [1 | 7]) => KeyCode::Home,
        (b'F', _) | (b'~', [4 | 8]) => KeyCode::End,
        (b'~', [3]) => KeyCode::Delete,
        (b'~', [5]) => KeyCode::PageUp,
        (b'~', [6]) => KeyCode::PageDown,
        (b'Z', _) => return Taken::Read(Read::Key(KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT))),
        _ => return Taken::Nothing,
    };
    Taken::Read(Read::Key(KeyEvent::from(code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<Read> {
        Reader::default().read(bytes)
    }

    fn key(code: KeyCode) -> Read {
        Read::Key(KeyEvent::from(code))
    }

    #[test]
    fn replies_and_keys_are_distinguished() {
        let all = read(b"r\x1b_Gi=31;OK\x1b\\j\x1b[6;18;9t\x1b[A\x1b[?62;4;22c\r");
        assert_eq!(
            all,
            [
                key(KeyCode::Char('r')),
                Read::Kitty(true),
                key(KeyCode::Char('j')),
                Read::Font((9, 18)),
                key(KeyCode::Up),
                Read::Attributes { sixel: true },
                key(KeyCode::Enter),
            ]
        );
        assert_eq!(
            read(b"\x1b_Gi=31;ENOTSUP:no\x1b\\\x1b[?4c"),
            [Read::Kitty(false), Read::Attributes { sixel: false }]
        );
    }

    #[test]
    fn kitty_placeholders_are_used_from_version_0_28_on() {
        let version = |text: &str| read(format!("\u{1b}P>|{text}\u{1b}\\").as_bytes());
        for (text, placeholders) in [
            ("kitty(0.26.5)", false),
            ("kitty(0.28.0)", true),
            ("kitty(0.41.1)", true),
            ("kitty(1.0)", true),
            ("ghostty 1.1.3", true),
            ("WezTerm 20240203", false),
            ("XTerm(390)", false),
        ] {
            assert_eq!(version(text), [Read::Version { placeholders }], "{text}");
        }
    }

    #[test]
    fn true_colour_is_detected_from_the_environment_or_by_a_query() {
        assert_eq!(read(b"\x1bP1+r524742=382F382F38\x1b\\"), [Read::Deep]);
        assert_eq!(read(b"\x1bP1+r5463\x1b\\"), [Read::Deep]);
        assert_eq!(read(b"\x1bP1$r0;48:2::1:2:3m\x1b\\"), [Read::Deep]);
        assert_eq!(read(b"\x1bP1$r0;48;2;1;2;3m\x1b\\"), [Read::Deep]);
        assert_eq!(read(b"\x1bP0+r524742\x1b\\\x1bP1$r0;48;5;16m\x1b\\\x1bP0$r\x1b\\"), []);
    }

    #[test]
    fn bytes_may_come_one_by_one() {
        let mut reader = Reader::default();
        let whole = "日\u{1b}[?1;2c".as_bytes();
        let all: Vec<Read> = whole.iter().flat_map(|byte| reader.read(&[*byte])).collect();
        assert_eq!(all, [key(KeyCode::Char('日')), Read::Attributes { sixel: false }]);
        assert!(!reader.is_open());
    }

    #[test]
    fn an_escape_alone_is_the_escape_key() {
        let mut reader = Reader::default();
        assert_eq!(reader.read(b"\x1b"), []);
        assert_eq!(reader.close(), Some(KeyEvent::from(KeyCode::Esc)));
        let alt = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::ALT);
        assert_eq!(reader.read(b"\x1bx"), [Read::Key(alt)]);
    }

    #[test]
    fn an_incomplete_sequence_leaves_nothing_behind() {
        let mut reader = Reader::default();
        reader.read(b"\x1b_never ends");
        assert_eq!(reader.read(&[b'x'; 2 * MAX_SEQUENCE]).len(), 2 * MAX_SEQUENCE - (MAX_SEQUENCE - 12));
    }
}
