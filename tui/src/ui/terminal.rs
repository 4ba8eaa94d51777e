//! The terminal itself: taken at the start, given back however the program ends.

use std::io::{self, Stdout, Write, stdout};

use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture};
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};
use crossterm::{execute, queue};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The terminal while the UI has it.
pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    mouse: bool,
    taken: bool,
}

impl Screen {
    /// Takes the terminal. It is given back when this is dropped, and before a panic is told.
    pub(super) fn take() -> io::Result<Self> {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let _ = give_back();
            usual(panic);
        }));
        let mut screen =
            Self { terminal: Terminal::new(CrosstermBackend::new(stdout()))?, mouse: false, taken: false };
        screen.resume()?;
        Ok(screen)
    }

    /// Takes the terminal again, after another program had it.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        execute!(stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        self.taken = true;
        self.take_mouse(self.mouse)?;
        self.terminal.clear()
    }

    /// Gives the terminal to another program.
    pub(super) fn release(&mut self) -> io::Result<()> {
        self.taken = false;
        give_back()
    }

    /// Takes the mouse, or leaves it to the terminal.
    pub(super) fn take_mouse(&mut self, mouse: bool) -> io::Result<()> {
        self.mouse = mouse;
        if mouse { execute!(stdout(), EnableMouseCapture) } else { execute!(stdout(), DisableMouseCapture) }
    }

    /// Its size in cells.
    pub(super) fn size(&self) -> io::Result<(u16, u16)> {
        self.terminal.size().map(|size| (size.width, size.height))
    }

    /// Everything is drawn anew by the next paint.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.terminal.clear()
    }

    /// Paints one frame at once, as far as the terminal can.
    pub(super) fn paint(&mut self, draw: impl FnOnce(Rect, &mut Buffer)) -> io::Result<()> {
        queue!(stdout(), BeginSynchronizedUpdate)?;
        let painted = self.terminal.draw(|frame| draw(frame.area(), frame.buffer_mut())).map(|_| ());
        execute!(stdout(), EndSynchronizedUpdate)?;
        painted
    }

    /// Sends what is no picture of the model: a bell, text for the clipboard.
    pub(super) fn send(&mut self, text: &str) -> io::Result<()> {
        let mut out = stdout();
        out.write_all(text.as_bytes())?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.taken {
            let _ = give_back();
        }
    }
}

fn give_back() -> io::Result<()> {
    let left = execute!(stdout(), DisableMouseCapture, DisableBracketedPaste, LeaveAlternateScreen, Show);
    disable_raw_mode()?;
    left
}
