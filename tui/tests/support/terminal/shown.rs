//! What a terminal shows, and what came to it.

use std::num::NonZero;

/// What the program writes before and after a frame (a synchronized update): in between, the screen is half drawn, and no
/// terminal shows it.
const BEGIN: [u8; 8] = *b"\x1b[?2026h";
const END: [u8; 8] = *b"\x1b[?2026l";

/// The state of a terminal.
pub struct Shown {
    parser: vt100::Parser,
    /// While a frame is being drawn: the screen before it.
    before: Option<vt100::Screen>,
    /// The last bytes: marks may come in pieces.
    tail: [u8; 8],
    /// Bytes that came so far.
    pub bytes: u64,
    /// Frames that were drawn so far.
    pub paints: u64,
    /// All that came, where it is kept.
    kept: Option<Kept>,
    /// Nothing more comes.
    pub ended: bool,
}

/// All that came so far.
#[derive(Default)]
pub struct Kept {
    /// Every byte.
    pub raw: Vec<u8>,
    /// What every whole frame showed, with the number of bytes before its end.
    pub frames: Vec<(u64, String)>,
}

impl Shown {
    /// An empty screen of so many columns and rows.
    pub fn new(columns: u16, rows: u16, keeps: bool) -> Self {
        Self {
            parser: vt100::Parser::new(cells(rows), cells(columns), 0),
            before: None,
            tail: [0; 8],
            bytes: 0,
            paints: 0,
            kept: keeps.then(Kept::default),
            ended: false,
        }
    }

    /// Adds output of the program.
    pub fn take(&mut self, bytes: &[u8]) {
        let mut drawn = 0;
        for (at, byte) in bytes.iter().enumerate() {
            self.tail.rotate_left(1);
            self.tail[7] = *byte;
            if self.tail == BEGIN || self.tail == END {
                self.parser.process(&bytes[drawn..=at]);
                drawn = at + 1;
                self.mark(self.bytes + drawn as u64);
            }
        }
        self.parser.process(&bytes[drawn..]);
        self.bytes += bytes.len() as u64;
        if let Some(kept) = &mut self.kept {
            kept.raw.extend_from_slice(bytes);
        }
    }

    /// A frame begins or is whole, after so many bytes.
    fn mark(&mut self, bytes: u64) {
        if self.tail == BEGIN {
            self.before = Some(self.parser.screen().clone());
            return;
        }
        self.before = None;
        self.paints += 1;
        if let Some(kept) = &mut self.kept {
            kept.frames.push((bytes, self.parser.screen().contents()));
        }
    }

    /// What a person sees: never half a frame.
    pub fn screen(&self) -> &vt100::Screen {
        self.before.as_ref().filter(|_| !self.ended).unwrap_or_else(|| self.parser.screen())
    }

    /// What came, of a terminal that keeps it.
    pub fn kept(&self) -> &Kept {
        self.kept.as_ref().expect("a terminal that keeps what came")
    }

    /// Another size.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(cells(rows), cells(columns));
    }
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has cells")
}
