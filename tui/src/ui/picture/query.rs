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
    /// Whether it knows kitty's protocol.
    pub kitty: bool,
    /// Whether it knows sixels.
    pub sixel: bool,
    /// Width and height of a cell in pixels.
    pub font: Option<(u16, u16)>,
    /// Whether it answered at all.
    pub any: bool,
}

/// What is asked; `None` where nothing needs to be known.
#[must_use]
pub fn question(mode: PictureMode, multiplexer: bool) -> Option<String> {
    let kitty = "\u{1b}_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\u{1b}\\";
    let kitty = match (mode, multiplexer) {
        (PictureMode::Off | PictureMode::Blocks, _) => return None,
        (PictureMode::Auto, false) => kitty.to_owned(),
        // The terminal around it is asked, where what is meant for it is let through.
        (PictureMode::Auto, true) => {
            format!("\u{1b}Ptmux;{}\u{1b}\\", kitty.replace('\u{1b}', "\u{1b}\u{1b}"))
        }
        _ => String::new(),
    };
    Some(format!("{kitty}\u{1b}[16t\u{1b}[c"))
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
            match bytes[1] == b'_' && rest.starts_with(b"Gi=31") {
                true => Taken::Read(Read::Kitty(rest.windows(3).any(|it| it == b";OK"))),
                false => Taken::Nothing,
            }
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

    /// Whether a key is part of an answer. An answer begins with alt and `_`, and comes at once.
    pub fn swallows(&mut self, key: &KeyEvent, now: Instant) -> bool {
        let alt =
            |character| key.code == KeyCode::Char(character) && key.modifiers.contains(KeyModifiers::ALT);
        match self.inside {
            Some(last) if now.duration_since(last) < REST => {
                self.inside = (!alt('\\')).then_some(now);
                true
            }
            _ if now < self.until && alt('_') => {
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
        assert_eq!(question(PictureMode::Off, false), None);
        assert!(
            question(PictureMode::Sixel, false).is_some_and(|it| !it.contains("_G") && it.ends_with("[c"))
        );
        assert!(
            question(PictureMode::Auto, true).is_some_and(|it| it.starts_with("\u{1b}Ptmux;\u{1b}\u{1b}_G"))
        );
    }
}
