//! Writes cells to the terminal like crossterm, except for graphemes whose width differs between terminals.

use std::io::{self, Write};

use ratatui::backend::{Backend, ClearType, CrosstermBackend, WindowSize};
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Size};

use super::graphemes::{columns, is_contested};

/// The terminal backend for ratatui.
#[derive(Debug)]
pub(super) struct Screen<W: Write> {
    inner: CrosstermBackend<W>,
}

impl<W: Write> Screen<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { inner: CrosstermBackend::new(writer) }
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.inner.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.inner)
    }
}

impl<W: Write> Backend for Screen<W> {
    type Error = io::Error;

    fn draw<'a, I>(&mut self, content: I) -> io::Result<()>
    where
        I: Iterator<Item = (u16, u16, &'a Cell)>,
    {
        let mut plain: Vec<(u16, u16, &Cell)> = Vec::new();
        // The remaining columns of the last such grapheme.
        let mut own = (0, 0..0);
        for (x, y, cell) in content {
            if own.0 == y && own.1.contains(&x) {
                continue;
            }
            if !is_contested(cell.symbol()) {
                plain.push((x, y, cell));
                continue;
            }
            // Each call starts at the position of its first cell.
            self.inner.draw(plain.drain(..))?;
            let wide = columns(cell.symbol());
            let mut blank = cell.clone();
            blank.set_symbol(" ");
            self.inner.draw((x..x + wide).map(|x| (x, y, &blank)))?;
            self.inner.draw(std::iter::once((x, y, cell)))?;
            own = (y, x + 1..x + wide);
        }
        self.inner.draw(plain.into_iter())
    }

    fn hide_cursor(&mut self) -> io::Result<()> {
        self.inner.hide_cursor()
    }

    fn show_cursor(&mut self) -> io::Result<()> {
        self.inner.show_cursor()
    }

    fn get_cursor_position(&mut self) -> io::Result<Position> {
        self.inner.get_cursor_position()
    }

    fn set_cursor_position<P: Into<Position>>(&mut self, position: P) -> io::Result<()> {
        self.inner.set_cursor_position(position)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.inner.clear()
    }

    fn clear_region(&mut self, clear_type: ClearType) -> io::Result<()> {
        self.inner.clear_region(clear_type)
    }

    fn size(&self) -> io::Result<Size> {
        self.inner.size()
    }

    fn window_size(&mut self) -> io::Result<WindowSize> {
        self.inner.window_size()
    }

    fn flush(&mut self) -> io::Result<()> {
        Backend::flush(&mut self.inner)
    }
}

#[cfg(test)]
mod recorded {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was written.
    pub(in crate::ui::terminal) type Written = Arc<Mutex<Vec<u8>>>;

    /// Records what is written to it.
    pub(in crate::ui::terminal) struct Recorder(Written);

    impl Write for Recorder {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Screen<Recorder> {
        /// Returns one that records what it writes.
        pub(in crate::ui::terminal) fn recorded() -> (Self, Written) {
            let written = Written::default();
            (Self::new(Recorder(written.clone())), written)
        }
    }
}
