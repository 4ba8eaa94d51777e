//! The question to the terminal how it shows pictures, and its answers, told apart from keys that are typed meanwhile.
//!
//! The question ends with one that every terminal answers (its attributes), so the last answer is known as such. It is
//! sent before the first frame and listened for beside the loop, which paints meanwhile and gets the keys as they come.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use rustix::event::{PollFd, PollFlags, poll};

use crate::ui::model::PictureMode;

/// How long answers are waited for; over a slow line they may be late, and then the environment must do.
const PATIENCE: Duration = Duration::from_millis(400);
/// How long the rest of a sequence may take to come; an escape alone is a key.
const REST: Duration = Duration::from_millis(25);
/// Bytes of one sequence; a longer one is none of ours.
const LONGEST: usize = 256;

/// What the terminal answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Answers {
    /// Whether it knows kitty's protocol with placeholders, as far as it says so itself.
    pub kitty: bool,
    /// Whether its name and version are those of one that draws placeholders.
    pub placeholders: bool,
    /// Whether it has colours of 24 bits.
    pub deep: bool,
    /// Whether it knows sixels.
    pub sixel: bool,
    /// Width and height of a cell in pixels.
    pub font: Option<(u16, u16)>,
    /// Whether it answered at all.
    pub any: bool,
}

/// Asks whether it takes a picture for placeholders: kitty before 0.28 does not know `U` and says nothing.
const KITTY: &str = "\u{1b}_Gi=31,s=1,v=1,a=q,t=d,f=24,U=1;AAAA\u{1b}\\";
/// Asks for its name and version (XTVERSION).
const VERSION: &str = "\u{1b}[>0q";
/// Asks for the capabilities `RGB` and `Tc` (XTGETTCAP), then sets a colour of 24 bits and asks what became of it (DECRQSS).
const DEEP: &str = "\u{1b}P+q524742\u{1b}\\\u{1b}P+q5463\u{1b}\\\u{1b}[48;2;1;2;3m\u{1b}P$qm\u{1b}\\\u{1b}[m";

/// What is asked; `None` where nothing needs to be known. `deep`: it is known already that it has colours of 24 bits.
#[must_use]
pub fn question(mode: PictureMode, multiplexer: bool, deep: bool) -> Option<String> {
    let deep = if deep { "" } else { DEEP };
    let kitty = match (mode, multiplexer) {
        (PictureMode::Off, _) => return None,
        (PictureMode::Blocks, _) if deep.is_empty() => return None,
        (PictureMode::Blocks, _) => return Some(format!("{deep}\u{1b}[c")),
        (PictureMode::Auto, false) => format!("{KITTY}{VERSION}"),
        // The terminal around it is asked, where what is meant for it is let through.
        (PictureMode::Auto, true) => {
            format!("\u{1b}Ptmux;{}\u{1b}\\", KITTY.replace('\u{1b}', "\u{1b}\u{1b}"))
        }
        _ => String::new(),
    };
    Some(format!("{kitty}{deep}\u{1b}[16t\u{1b}[c"))
}

/// Listens until the last answer came or patience ends; keys go to `key` as they are typed. Waits: not for the loop.
pub fn listen(mut key: impl FnMut(KeyEvent)) -> Answers {
    let stdin = std::io::stdin();
    let (mut reader, mut answers) = (Reader::default(), Answers::default());
    let until = Instant::now() + PATIENCE;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let wait = if reader.is_open() { left.min(REST) } else { left };
        let Ok(timeout) = rustix::event::Timespec::try_from(wait) else { break };
        let ready = poll(&mut [PollFd::new(&stdin.as_fd(), PollFlags::IN)], Some(&timeout));
        let mut bytes = [0; 1024];
        let read = match ready {
            Ok(0) if reader.is_open() => {
                reader.close().into_iter().for_each(&mut key);
                continue;
            }
            Ok(0) => break,
            Ok(_) => rustix::io::read(stdin.as_fd(), &mut bytes),
            Err(rustix::io::Errno::INTR) => continue,
            Err(_) => break,
        };
        let Ok(count) = read else { break };
        if count == 0 {
            break;
        }
        for read in reader.read(&bytes[..count]) {
            match read {
                Read::Key(typed) => key(typed),
                Read::Kitty(good) => answers.kitty = good,
                Read::Version { placeholders } => answers.placeholders = placeholders,
                Read::Deep => answers.deep = true,
                Read::Font(font) => answers.font = Some(font),
                Read::Attributes { sixel } => {
                    (answers.sixel, answers.any) = (sixel, true);
                }
            }
        }
        // What is typed right behind the last answer is read, too.
        if answers.any && !reader.is_open() {
            break;
        }
    }
    reader.close().into_iter().for_each(&mut key);
    answers
}

/// Something that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Read {
    Key(KeyEvent),
    Kitty(bool),
    Version { placeholders: bool },
    Deep,
    Font((u16, u16)),
    Attributes { sixel: bool },
}

/// Tells answers and keys apart. Knows the keys that one types: characters, arrows and the like.
#[derive(Debug, Default)]
struct Reader {
    /// A sequence or character that has begun.
    begun: Vec<u8>,
}

impl Reader {
    fn is_open(&self) -> bool {
        !self.begun.is_empty()
    }

    fn read(&mut self, bytes: &[u8]) -> Vec<Read> {
        let mut read = Vec::new();
        for byte in bytes {
            self.begun.push(*byte);
            match take(&self.begun) {
                Taken::More if self.begun.len() < LONGEST => {}
                Taken::More | Taken::Nothing => self.begun.clear(),
                Taken::Read(it) => {
                    self.begun.clear();
                    read.push(it);
                }
            }
        }
        read
    }

    /// Nothing more came: an escape alone was a key, and so was one before a character.
    fn close(&mut self) -> Option<KeyEvent> {
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

/// A string of the terminal's: an application's command (APC), else a device's (DCS).
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

/// Whether a terminal of this name and version, such as `kitty(0.41.1)`, draws placeholders.
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

/// `ESC [ parameters last`.
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

/// Swallows answers that come after patience ended: read as keys, they would do things.
#[derive(Debug)]
pub struct Late {
    /// Until when answers are expected; afterwards it lets everything through.
    until: Instant,
    /// When the last key of an answer came.
    inside: Option<Instant>,
}

impl Late {
    /// Expects answers for so long.
    #[must_use]
    pub fn expect(patience: Duration) -> Self {
        Self { until: Instant::now() + patience, inside: None }
    }

    /// Whether a key is part of an answer. An answer begins with alt and `_` or `P`, and comes at once.
    pub fn swallows(&mut self, key: &KeyEvent, now: Instant) -> bool {
        let alt =
            |character| key.code == KeyCode::Char(character) && key.modifiers.contains(KeyModifiers::ALT);
        match self.inside {
            Some(last) if now.duration_since(last) < REST => {
                self.inside = (!alt('\\')).then_some(now);
                true
            }
            _ if now < self.until && (alt('_') || alt('P')) => {
                self.inside = Some(now);
                true
            }
            _ => {
                self.inside = None;
                false
            }
        }
    }
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
    fn answers_and_keys_are_told_apart() {
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
    fn kitty_draws_placeholders_from_0_28_on() {
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
    fn colours_of_24_bits_are_promised_or_shown() {
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
    fn an_escape_alone_is_a_key() {
        let mut reader = Reader::default();
        assert_eq!(reader.read(b"\x1b"), []);
        assert_eq!(reader.close(), Some(KeyEvent::from(KeyCode::Esc)));
        let alt = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::ALT);
        assert_eq!(reader.read(b"\x1bx"), [Read::Key(alt)]);
    }

    #[test]
    fn what_no_terminal_sends_leaves_nothing_behind() {
        let mut reader = Reader::default();
        reader.read(b"\x1b_never ends");
        assert_eq!(reader.read(&[b'x'; 2 * LONGEST]).len(), 2 * LONGEST - (LONGEST - 12));
    }

    #[test]
    fn late_answers_are_no_keys() {
        let mut late = Late::expect(Duration::from_secs(5));
        let now = Instant::now();
        let alt = |it| KeyEvent::new(KeyCode::Char(it), KeyModifiers::ALT);
        let plain = |it| KeyEvent::from(KeyCode::Char(it));
        assert!(!late.swallows(&plain('q'), now));
        for of_answer in [alt('_'), plain('G'), plain('q'), alt('\\')] {
            assert!(late.swallows(&of_answer, now));
        }
        assert!(!late.swallows(&plain('q'), now));
        assert!(late.swallows(&alt('_'), now));
        assert!(!late.swallows(&plain('q'), now + Duration::from_secs(1)));
    }

    #[test]
    fn only_what_matters_is_asked() {
        let question = |mode, multiplexer, deep| question(mode, multiplexer, deep).unwrap_or_default();
        assert_eq!(question(PictureMode::Off, false, false), "");
        assert_eq!(question(PictureMode::Blocks, false, true), "");
        assert!(question(PictureMode::Blocks, false, false).ends_with("$qm\u{1b}\\\u{1b}[m\u{1b}[c"));
        let sixel = question(PictureMode::Sixel, false, true);
        assert!(!sixel.contains("_G") && sixel.ends_with("[c"));
        assert!(question(PictureMode::Auto, true, true).starts_with("\u{1b}Ptmux;\u{1b}\u{1b}_G"));
    }
}
