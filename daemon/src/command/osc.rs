//! Recognises progress that existing tools write to their output: `ESC ] 9 ; 4 ; state ; percent`, ended by BEL or `ESC
//! \`.

/// The longest sequence, in bytes; a longer one is not progress.
const MAX_SEQUENCE: usize = 32;

/// Finds progress in a stream that arrives in arbitrary chunks.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    state: State,
    sequence: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Text,
    Escape,
    Sequence,
    /// An escape within a sequence: its end, or the beginning of another.
    SequenceEscape,
}

impl Scanner {
    /// Returns the newest progress in these bytes: between 0 and 1, or `None` for progress of unknown extent.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<Option<f64>> {
        let mut newest = None;
        let mut rest = bytes;
        while let Some((&byte, tail)) = rest.split_first() {
            if self.state == State::Text {
                match rest.iter().position(|it| *it == 0x1b) {
                    None => return newest,
                    Some(at) => {
                        self.state = State::Escape;
                        rest = &rest[at + 1..];
                        continue;
                    }
                }
            }
            rest = tail;
            if let Some(progress) = self.step(byte) {
                newest = Some(progress);
            }
        }
        newest
    }

    fn step(&mut self, byte: u8) -> Option<Option<f64>> {
        match (self.state, byte) {
            (State::Escape | State::SequenceEscape, b']') => {
                self.sequence.clear();
                self.state = State::Sequence;
            }
            (State::Sequence, 0x07) | (State::SequenceEscape, b'\\') => {
                self.state = State::Text;
                return parse(&self.sequence);
            }
            (State::Sequence, 0x1b) => self.state = State::SequenceEscape,
            (State::Escape | State::SequenceEscape, 0x1b) => self.state = State::Escape,
            // Progress has no control characters and isn't that long: this was something else, and text follows.
            (State::Sequence, byte) if byte >= 0x20 && self.sequence.len() < MAX_SEQUENCE => {
                self.sequence.push(byte)
            }
            _ => self.state = State::Text,
        }
        None
    }
}

fn parse(sequence: &[u8]) -> Option<Option<f64>> {
    let mut fields = std::str::from_utf8(sequence).ok()?.split(';');
    if (fields.next(), fields.next()) != (Some("9"), Some("4")) {
        return None;
    }
    let state: u8 = fields.next()?.parse().ok()?;
    let percent = fields.next().and_then(|it| it.parse::<u32>().ok());
    match state {
        // Removed, or of unknown extent.
        0 | 3 => Some(None),
        // Running, error, paused: the last two may leave the extent out.
        1 | 2 | 4 => percent.map(|it| Some(f64::from(it.min(100)) / 100.0)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) -> Option<Option<f64>> {
        Scanner::default().push(bytes)
    }

    #[test]
    fn progress_is_found_among_text() {
        assert_eq!(all(b"so \x1b]9;4;1;42\x07 far"), Some(Some(0.42)));
        assert_eq!(all(b"\x1b]9;4;1;42\x1b\\\x1b]9;4;3\x07"), Some(None));
        assert_eq!(all(b"\x1b]9;4;1;900\x07"), Some(Some(1.0)));
        assert_eq!(all(b"\x1b[1mbold\x1b]0;title\x07"), None);
        assert_eq!(all(b"\x1b]9;4;1;4x\x07\x1b]9;4;7;1\x07\x1b]9;4;1\x07"), None);
    }

    #[test]
    fn an_unterminated_sequence_hides_nothing_after_it() {
        let mut bytes = b"\x1b]9;4;1;".to_vec();
        bytes.extend([b'1'; 500]);
        bytes.extend(b"\x07\x1b]\n\x1b]9;4;1;7\x07");
        assert_eq!(all(&bytes), Some(Some(0.07)));
        assert_eq!(all(b"\x1b]9;4\x1b]9;4;1;8\x07"), Some(Some(0.08)));
    }

    proptest! {
        #[test]
        fn the_size_of_chunks_makes_no_difference(
            parts in prop::collection::vec(
                prop_oneof![
                    Just(b"\x1b]9;4;1;42\x07".to_vec()),
                    Just(b"\x1b]9;4;3\x1b\\".to_vec()),
                    Just(b"\x1b".to_vec()),
                    prop::collection::vec(any::<u8>(), 0..12),
                ],
                0..12,
            ),
            size in 1_usize..7,
        ) {
            let bytes = parts.concat();
            let mut scanner = Scanner::default();
            let mut newest = None;
            for chunk in bytes.chunks(size) {
                if let Some(found) = scanner.push(chunk) {
                    newest = Some(found);
                }
            }
            prop_assert_eq!(newest, all(&bytes));
        }
    }
}
