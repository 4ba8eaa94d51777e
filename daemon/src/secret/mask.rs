//! Replaces secrets in what an attempt writes, while it is being written.

use std::sync::Arc;

use super::automaton::{Automaton, START, State};
use super::encoding;

/// What stands in the place of a secret.
const MASK: &[u8] = b"***";

/// The most bytes in a row that a view leaves out: what follows a longer run is another text.
const MAX_SKIPPED: u8 = 64;

/// The ways to look at a stream: as it is, and without escape sequences, as a terminal shows it. Digits of base64 are
/// also looked for without white space, since they are often wrapped.
const VIEWS: [u8; 4] = [TEXT, VISIBLE_TEXT, DIGITS, VISIBLE_DIGITS];
const TEXT: u8 = 1;
const VISIBLE_TEXT: u8 = 2;
const DIGITS: u8 = 4;
const VISIBLE_DIGITS: u8 = 8;
/// The mark of a byte that is part of a secret.
const COVERED: u8 = 16;

/// Knows a set of secrets in all their forms: cheap to clone.
#[derive(Clone)]
pub(super) struct Mask {
    inner: Arc<Inner>,
}

struct Inner {
    texts: Automaton,
    digits: Automaton,
}

impl Mask {
    /// Returns the mask of these values.
    pub(super) fn new(values: &[String]) -> Self {
        let of = |forms: fn(&str) -> std::collections::BTreeSet<Vec<u8>>| {
            let numbered = values.iter().zip(0_u32..);
            Automaton::new(
                numbered.flat_map(|(value, owner)| forms(value).into_iter().map(move |it| (it, owner))),
            )
        };
        Self { inner: Arc::new(Inner { texts: of(encoding::texts), digits: of(encoding::digits) }) }
    }

    /// Returns a stream that is masked.
    pub(super) fn stream(&self) -> MaskStream {
        MaskStream {
            mask: self.clone(),
            held: Vec::new(),
            views: Default::default(),
            escape: Escape::None,
            covering: false,
            found: None,
        }
    }

    /// Returns the masked text; `None` if it contains no secret.
    pub(super) fn text(&self, text: &str) -> Option<String> {
        let mut stream = self.stream();
        let mut out = Vec::with_capacity(text.len());
        stream.push(text.as_bytes(), &mut out);
        stream.finish(&mut out);
        stream.found?;
        Some(
            String::from_utf8(out).unwrap_or_else(|out| String::from_utf8_lossy(out.as_bytes()).into_owned()),
        )
    }

    fn may_begin_with(&self, byte: u8) -> bool {
        byte == ESCAPE || self.inner.texts.begins_with(byte) || self.inner.digits.begins_with(byte)
    }
}

const ESCAPE: u8 = 0x1b;

/// A position within an escape sequence that changes how text looks (`ESC [ … letter`).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escape {
    None,
    Begun,
    Parameters,
}

impl Escape {
    /// Takes the next byte. Returns whether it belongs to a sequence.
    fn takes(&mut self, byte: u8) -> bool {
        let (next, belongs) = match (*self, byte) {
            (_, ESCAPE) => (Self::Begun, true),
            (Self::Begun, b'[') | (Self::Parameters, 0x20..=0x3f) => (Self::Parameters, true),
            (Self::Parameters, 0x40..=0x7e) => (Self::None, true),
            _ => (Self::None, false),
        };
        *self = next;
        belongs
    }
}

#[derive(Clone, Copy, Default)]
struct View {
    state: State,
    /// How many bytes in a row were left out.
    skipped: u8,
}

/// A byte that may be part of a secret, with the views that it belongs to.
#[derive(Clone, Copy)]
struct Held {
    byte: u8,
    marks: u8,
}

/// Masks one stream, whatever chunks it comes in. It holds back only what may be the beginning of a secret, so that other
/// output appears at once.
pub(crate) struct MaskStream {
    mask: Mask,
    held: Vec<Held>,
    views: [View; VIEWS.len()],
    escape: Escape,
    /// The last byte that was given out was part of a secret.
    covering: bool,
    found: Option<u32>,
}

impl std::fmt::Debug for MaskStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MaskStream").finish_non_exhaustive()
    }
}

impl MaskStream {
    /// Takes more of the stream, and appends to `out` what is certain to be masked completely.
    pub(crate) fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let mut rest = bytes;
        while let Some((byte, tail)) = rest.split_first() {
            if self.is_at_rest() {
                self.give(out);
                let other = rest.iter().position(|it| self.mask.may_begin_with(*it)).unwrap_or(rest.len());
                if other > 0 {
                    out.extend_from_slice(&rest[..other]);
                    self.covering = false;
                    rest = &rest[other..];
                    continue;
                }
            }
            self.take(*byte);
            rest = tail;
        }
        self.give(out);
    }

    /// Ends the stream: appends what was held back. A beginning of a secret without its end is not a secret.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        (self.views, self.escape) = (Default::default(), Escape::None);
        self.give(out);
    }

    /// Returns whether a secret was found.
    pub(crate) fn has_found(&self) -> bool {
        self.found.is_some()
    }

    /// Returns the number of the secret that was found first.
    pub(super) fn found(&self) -> Option<usize> {
        self.found.and_then(|owner| usize::try_from(owner).ok())
    }

    fn is_at_rest(&self) -> bool {
        self.escape == Escape::None && self.views.iter().all(|view| view.state == START)
    }

    fn automaton(&self, view: u8) -> &Automaton {
        match view {
            DIGITS | VISIBLE_DIGITS => &self.mask.inner.digits,
            _ => &self.mask.inner.texts,
        }
    }

    fn take(&mut self, byte: u8) {
        let mut marks = TEXT | DIGITS;
        if !self.escape.takes(byte) {
            marks |= VISIBLE_TEXT | VISIBLE_DIGITS;
        }
        if byte.is_ascii_whitespace() {
            marks &= !(DIGITS | VISIBLE_DIGITS);
        }
        self.held.push(Held { byte, marks });
        for (number, view) in VIEWS.into_iter().enumerate() {
            let View { state, skipped } = self.views[number];
            if marks & view == 0 {
                let skipped = skipped.saturating_add(1);
                let state = if skipped > MAX_SKIPPED { START } else { state };
                self.views[number] = View { state, skipped };
                continue;
            }
            let automaton = self.automaton(view);
            let state = automaton.step(state, byte);
            let found = automaton.found(state);
            self.views[number] = View { state, skipped: 0 };
            if let Some((length, owner)) = found {
                self.found.get_or_insert(owner);
                let begin = begin_of(&self.held, view, length);
                self.held[begin..].iter_mut().for_each(|held| held.marks |= COVERED);
            }
        }
    }

    /// Appends everything before the first byte that may be the beginning of a secret.
    fn give(&mut self, out: &mut Vec<u8>) {
        let views = VIEWS.into_iter().zip(self.views);
        let begins = views.map(|(view, it)| begin_of(&self.held, view, self.automaton(view).depth(it.state)));
        let certain = begins.min().unwrap_or(0);
        for held in self.held.drain(..certain) {
            let covered = held.marks & COVERED != 0;
            match (covered, self.covering) {
                (true, false) => out.extend_from_slice(MASK),
                (true, true) => {}
                (false, _) => out.push(held.byte),
            }
            self.covering = covered;
        }
    }
}

/// Returns where the last `length` bytes of a view begin.
fn begin_of(held: &[Held], view: u8, length: usize) -> usize {
    let mut left = length;
    let mut at = held.len();
    while left > 0 && at > 0 {
        at -= 1;
        left -= usize::from(held[at].marks & view != 0);
    }
    at
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TOKEN: &str = "s3cr3t-t0ken";

    fn mask(values: &[&str]) -> Mask {
        Mask::new(&values.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    fn masked(values: &[&str], text: &str) -> String {
        mask(values).text(text).unwrap_or_else(|| text.to_owned())
    }

    #[test]
    fn a_secret_is_replaced_and_the_rest_stays() {
        assert_eq!(masked(&[TOKEN], "a s3cr3t-t0ken b"), "a *** b");
        assert_eq!(masked(&[TOKEN], "s3cr3t-t0kens3cr3t-t0ken!"), "***!");
        assert_eq!(mask(&[TOKEN]).text("s3cr3t-t0ke").as_deref(), None);
        assert_eq!(masked(&["abcdefgh", "efghijkl"], "1abcdefghijkl2"), "1***2", "they overlap");
        assert_eq!(masked(&["abcdefgh", "abcdefghij"], "abcdefghij"), "***", "one contains the other");
        assert_eq!(masked(&["abcdefgh", "abcdefghijkl"], "abcdefghij"), "***ij");
    }

    #[test]
    fn output_that_is_no_secret_is_not_held_back() {
        let mut stream = mask(&[TOKEN]).stream();
        let mut out = Vec::new();
        stream.push(b"progress\nname? ", &mut out);
        assert_eq!(out, b"progress\nname? ");
        stream.push(b"s3cr", &mut out);
        assert_eq!(out, b"progress\nname? ", "this may be its beginning");
        stream.push(b"ecy\n", &mut out);
        assert_eq!(out, b"progress\nname? s3crecy\n");
    }

    #[test]
    fn digits_are_found_when_their_lines_are_wrapped_and_indented() {
        use base64::Engine as _;
        let value = "a long secret value that takes more than one line of base64 digits";
        let text = base64::engine::general_purpose::STANDARD.encode(format!("user:{value}!"));
        let wrapped = text.as_bytes().chunks(20).map(|it| std::str::from_utf8(it).unwrap());
        let wrapped = wrapped.collect::<Vec<_>>().join("\r\n    ");
        let masked = masked(&[value], &wrapped);
        assert!(masked.len() < 20 && masked.contains("***"), "{masked}");
        let hex: String = value.bytes().map(|byte| format!("{byte:02x} ")).collect();
        assert_eq!(super::tests::masked(&[value], &hex), "*** ");
    }

    #[test]
    fn a_secret_that_is_coloured_in_part_is_replaced() {
        assert_eq!(masked(&[TOKEN], "\x1b[1ms3\x1b[31;1mcr3t\x1b[0m-t0ken\x1b[0m"), "\x1b[1m***\x1b[0m");
        assert_eq!(
            masked(&[TOKEN], "\x1b[s3cr3t-t0ken"),
            "\x1b[***",
            "a sequence that is cut off hides nothing"
        );
    }

    #[test]
    fn endless_white_space_takes_no_memory() {
        let mut stream = mask(&[TOKEN]).stream();
        let mut out = Vec::new();
        stream.push(b"czN", &mut out);
        for _ in 0..1_000 {
            stream.push(&[b' '; 1_000], &mut out);
        }
        assert!(stream.held.is_empty());
        assert_eq!(out.len(), 1_000_003);
    }

    fn piece() -> impl Strategy<Value = String> {
        prop_oneof![
            Just(TOKEN.to_owned()),
            Just("s3cr3t-".to_owned()),
            Just("t0ken".to_owned()),
            Just("czNjcjN0LXQwa2Vu".to_owned()),
            Just("N0LXQw\na2Vu".to_owned()),
            Just("\u{1b}[3".to_owned()),
            Just("\u{1b}[0m".to_owned()),
            "[a-zA-Z0-9 \n]{0,6}",
        ]
    }

    proptest! {
        #[test]
        fn chunks_make_no_difference_and_leave_no_secret(
            pieces in prop::collection::vec(piece(), 0..12),
            size in 1_usize..9,
        ) {
            let text = pieces.concat();
            let mask = mask(&[TOKEN]);
            let mut stream = mask.stream();
            let mut out = Vec::new();
            for chunk in text.as_bytes().chunks(size) {
                stream.push(chunk, &mut out);
            }
            stream.finish(&mut out);
            let out = String::from_utf8(out).unwrap();
            prop_assert_eq!(&out, &mask.text(&text).unwrap_or_else(|| text.clone()));
            prop_assert!(!out.contains(TOKEN));
            prop_assert!(!out.replace(char::is_whitespace, "").contains("czNjcjN0LXQwa2Vu"));
        }
    }
}
