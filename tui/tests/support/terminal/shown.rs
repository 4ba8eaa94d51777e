//! The screen of a terminal, and its recorded output.

use std::num::NonZero;

/// The sequences before and after a frame (a synchronized update): in between the screen is half drawn, which terminals
/// don't show.
const BEGIN: [u8; 8] = *b"\x1b[?2026h";
const END: [u8; 8] = *b"\x1b[?2026l";

/// The state of a terminal.
pub struct Shown {
    parser: vt100::Parser,
    /// The screen before the frame that is being drawn.
    before: Option<vt100::Screen>,
    /// The last bytes: sequences may arrive in pieces.
    tail: [u8; 8],
    /// The number of bytes so far.
    pub bytes: u64,
    /// The number of frames so far.
    pub paints: u64,
    /// The recording, if there is one.
    kept: Option<Kept>,
    /// Nothing more comes.
    pub ended: bool,
}

/// The recorded output.
#[derive(Default)]
pub struct Kept {
    /// Every byte.
    pub raw: Vec<u8>,
    /// The text of every complete frame, with the number of bytes before its end.
    pub frames: Vec<(u64, String)>,
}

impl Shown {
    /// Returns an empty screen of this size.
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

    /// Handles the beginning or end of a frame, after this many bytes.
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

    /// Returns what the user sees, which is never half a frame.
    pub fn screen(&self) -> &vt100::Screen {
        self.before.as_ref().filter(|_| !self.ended).unwrap_or_else(|| self.parser.screen())
    }

    /// Returns the recorded output, if it is recorded.
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
