//! Escape sequences that tmux hands on to the terminal behind it.

use std::fmt::Write;

/// How escape sequences are written: plain, or wrapped so that tmux hands them on.
#[derive(Clone, Copy)]
pub(super) struct Passthrough {
    /// Starts a wrapped sequence.
    pub(super) start: &'static str,
    /// The escape character; inside a wrapped sequence it is doubled.
    pub(super) escape: &'static str,
    /// Ends a wrapped sequence.
    pub(super) end: &'static str,
}

impl Passthrough {
    pub(super) fn new(tmux: bool) -> Self {
        if tmux {
            Self { start: "\u{1b}Ptmux;", escape: "\u{1b}\u{1b}", end: "\u{1b}\\" }
        } else {
            Self { start: "", escape: "\u{1b}", end: "" }
        }
    }

    /// Appends sequences that clear the cells below and right of the cursor, and leave the cursor where it was.
    pub(super) fn clear(self, data: &mut String, (width, height): (u16, u16)) {
        let escape = self.escape;
        if height == 1 {
            let _ = write!(data, "{escape}[{width}X");
            return;
        }
        for _ in 0..height {
            let _ = write!(data, "{escape}[{width}X{escape}[1B");
        }
        let _ = write!(data, "{escape}[{height}A");
    }
}
