//! Sets up the terminal, and restores it in every case.

mod graphemes;
mod screen;

use std::io::{self, BufWriter, Stdout, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::cursor::{Hide, Show};
use crossterm::event::{
    DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture,
};
use crossterm::terminal::{
    BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use graphemes::Graphemes;
use screen::Screen;

/// The maximum size of a frame before it is written in parts.
const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Whether the terminal is set up, so that it is restored once.
static RAW_MODE: AtomicBool = AtomicBool::new(false);

/// The terminal in use; restored when dropped.
#[derive(Debug)]
pub struct Terminal {
    inner: ratatui::Terminal<Screen<BufWriter<Stdout>>>,
    graphemes: Graphemes,
    mouse: bool,
}

impl Terminal {
    /// Sets up the terminal. From now on a panic restores it before the message is printed.
    ///
    /// # Errors
    /// Standard output isn't a terminal, or it can't be set up.
    pub fn take() -> io::Result<Self> {
        on_panic();
        let screen = Screen::new(BufWriter::with_capacity(MAX_FRAME_BYTES, io::stdout()));
        let inner = ratatui::Terminal::new(screen)?;
        let mut terminal = Self { inner, graphemes: Graphemes::default(), mouse: false };
        terminal.enter()?;
        Ok(terminal)
    }

    fn enter(&mut self) -> io::Result<()> {
        RAW_MODE.store(true, Ordering::Release);
        enable_raw_mode()?;
        execute!(self.inner.backend_mut(), EnterAlternateScreen, EnableBracketedPaste, Hide)?;
        if self.mouse {
            execute!(self.inner.backend_mut(), EnableMouseCapture)?;
        }
        Ok(())
    }

    /// Restores the terminal for another program, until [`Terminal::again`].
    pub fn give(&mut self) {
        let _ = Write::flush(self.inner.backend_mut());
        give_back();
    }

    /// Sets it up again, and forgets what it showed.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub fn again(&mut self) -> io::Result<()> {
        self.enter()?;
        self.forget()
    }

    /// Sets it up again after this process was stopped from outside, when the shell has reset it.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub fn resume(&mut self) -> io::Result<()> {
        // Otherwise raw mode counts as on, and would not be set.
        let _ = disable_raw_mode();
        self.again()
    }

    /// Forgets what it shows, so that the next frame is drawn in full.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub fn forget(&mut self) -> io::Result<()> {
        // Not `clear` of the inner terminal, which queries the cursor position: it would swallow keys, and fail on a
        // slow line.
        execute!(self.inner.backend_mut(), Clear(ClearType::All))?;
        self.inner.swap_buffers();
        self.graphemes.forget();
        Ok(())
    }

    /// Enables or disables the mouse.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub fn mouse(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        let out = self.inner.backend_mut();
        if on { execute!(out, EnableMouseCapture) } else { execute!(out, DisableMouseCapture) }
    }

    /// Returns its size in cells.
    ///
    /// # Errors
    /// The size is unknown.
    pub fn size(&self) -> io::Result<(u16, u16)> {
        self.inner.size().map(|size| (size.width, size.height))
    }

    /// Writes an escape sequence.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        let out = self.inner.backend_mut();
        out.write_all(text.as_bytes())?;
        Write::flush(out)
    }

    /// Paints one frame, as a synchronized update. The cursor is where `draw` puts it, so that input methods open
    /// there.
    ///
    /// # Errors
    /// The terminal can't be written to.
    pub fn paint<T: Default>(
        &mut self,
        draw: impl FnOnce(Rect, &mut Buffer) -> (T, Option<Position>),
    ) -> io::Result<T> {
        queue!(self.inner.backend_mut(), BeginSynchronizedUpdate)?;
        let mut answer = T::default();
        let graphemes = &mut self.graphemes;
        let painted = self.inner.draw(|frame| {
            let caret;
            (answer, caret) = draw(frame.area(), frame.buffer_mut());
            graphemes.settle(frame.buffer_mut());
            if let Some(caret) = caret {
                frame.set_cursor_position(caret);
            }
        });
        let painted = painted.map(|_| ());
        execute!(self.inner.backend_mut(), EndSynchronizedUpdate)?;
        painted.map(|()| answer)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.give();
    }
}

/// Restores the terminal if it is set up, ignoring errors.
fn give_back() {
    if RAW_MODE.swap(false, Ordering::AcqRel) {
        let mut out = io::stdout();
        let _ = execute!(
            out,
            EndSynchronizedUpdate,
            DisableMouseCapture,
            DisableBracketedPaste,
            LeaveAlternateScreen,
            Show
        );
        let _ = disable_raw_mode();
    }
}

fn on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let tell = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            give_back();
            tell(panic);
        }));
    });
}
