//! Draws live progress in place on stderr, or prints changes as lines if stderr isn't a terminal.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use fanlight_shared::client::projection::Projection;
use fanlight_shared::id::RunId;
use fanlight_shared::run::RunStatus;
use fanlight_shared::sanitise;
use fanlight_shared::time::Time;

use super::progress::{self, Frame};
use super::style::Paint;
use crate::text;

/// At most 15 frames per second.
pub(crate) const REDRAW_INTERVAL: Duration = Duration::from_millis(67);

/// Starts and ends a synchronized update; terminals that don't know it ignore it.
const BEGIN: &str = "\u{1b}[?2026h";
const END: &str = "\u{1b}[?2026l";

/// Returns the columns and lines of the terminal, or 80 × 24 if they are unknown.
pub(crate) fn terminal_size() -> (usize, usize) {
    match crossterm::terminal::size() {
        Ok((columns, lines)) if columns > 0 && lines > 0 => (columns.into(), lines.into()),
        _ => (80, 24),
    }
}

/// The progress of runs on stderr.
pub(crate) struct Live {
    mode: Mode,
    paint: Paint,
    /// The widths of the lines on screen, top to bottom.
    standing: Vec<usize>,
    drawn: Option<Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// Redrawn in place.
    InPlace,
    /// A line per change.
    Lines,
    /// Nothing.
    Silent,
}

impl Live {
    /// Creates it for the stderr of this process; `silent` prints nothing.
    pub(crate) fn new(silent: bool) -> Self {
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
        let mode = if silent {
            Mode::Silent
        } else if std::io::stderr().is_terminal() && !dumb {
            Mode::InPlace
        } else {
            Mode::Lines
        };
        Self { mode, paint: Paint::stderr(), standing: Vec::new(), drawn: None }
    }

    /// Creates it with a line per change, whatever stderr is.
    pub(crate) fn lines() -> Self {
        Self { mode: Mode::Lines, paint: Paint::stderr(), standing: Vec::new(), drawn: None }
    }

    /// Returns whether it wants to be drawn again and again.
    pub(crate) fn is_in_place(&self) -> bool {
        self.mode == Mode::InPlace
    }

    /// Handles a state change of a run.
    pub(crate) fn moved(&self, projection: &Projection, id: RunId) {
        if self.mode != Mode::Lines {
            return;
        }
        if let Some(row) = projection.row(id)
            && row.run.state != RunStatus::Queued
        {
            super::note(&progress::change_line(row, self.paint));
        }
    }

    /// Handles a change of the banners. The live picture always shows them.
    pub(crate) fn banners(&self, projection: &Projection) {
        if self.mode != Mode::Lines {
            return;
        }
        for banner in projection.banners() {
            super::note(&format!("fanlight: {}", sanitise::line(banner)));
        }
        if projection.banners().is_empty() {
            super::note("fanlight: the problem is resolved");
        }
    }

    /// Draws the runs, unless they were drawn a moment ago.
    pub(crate) fn draw(&mut self, projection: &Projection) {
        if self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW_INTERVAL) {
            self.draw_now(projection);
        }
    }

    /// Draws the runs.
    pub(crate) fn draw_now(&mut self, projection: &Projection) {
        if self.mode != Mode::InPlace {
            return;
        }
        let (columns, lines) = terminal_size();
        // The last column stays empty: some terminals wrap there. The last line belongs to the cursor.
        let frame = Frame {
            columns: columns.saturating_sub(1),
            lines: lines.saturating_sub(1).max(1),
            now: Time::now(),
            paint: self.paint,
        };
        let picture = progress::lines(projection, frame);
        let mut out = String::from(BEGIN);
        out.push_str(&self.back(columns, lines));
        for line in &picture {
            out.push_str(line);
            out.push_str("\r\n");
        }
        out.push_str(END);
        // Widths without colours: what the terminal shows.
        let bare = Frame { paint: Paint::none(), ..frame };
        self.standing = progress::lines(projection, bare).iter().map(|line| text::width(line)).collect();
        self.drawn = Some(Instant::now());
        write(&out);
    }

    /// Prints a line above the picture, which is redrawn below it.
    pub(crate) fn say(&mut self, line: &str) {
        match self.mode {
            Mode::Silent => return,
            Mode::Lines => return super::note(line),
            Mode::InPlace => {}
        }
        let (columns, lines) = terminal_size();
        let back = self.back(columns, lines);
        self.standing.clear();
        self.drawn = None;
        write(&format!("{back}{line}\r\n"));
    }

    /// Returns the sequence that moves to the start of the picture and clears everything below. A terminal that became
    /// narrower has wrapped the lines.
    fn back(&self, columns: usize, lines: usize) -> String {
        if self.standing.is_empty() {
            return String::new();
        }
        let rows: usize = self.standing.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum();
        format!("\r\u{1b}[{}A\u{1b}[J", rows.min(lines.saturating_sub(1)).max(1))
    }
}

/// Writes to stderr; a closed one is ignored.
fn write(text: &str) {
    let mut stderr = std::io::stderr().lock();
    let _ = stderr.write_all(super::for_people(text).as_bytes());
    let _ = stderr.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(widths: &[usize]) -> Live {
        Live { mode: Mode::InPlace, paint: Paint::none(), standing: widths.to_vec(), drawn: None }
    }

    #[test]
    fn the_first_picture_moves_nothing() {
        assert_eq!(standing(&[]).back(80, 24), "");
    }

    #[test]
    fn old_lines_are_erased_after_a_narrower_terminal_has_wrapped_them() {
        assert_eq!(standing(&[70, 70, 0]).back(80, 24), "\r\u{1b}[3A\u{1b}[J");
        assert_eq!(standing(&[70, 70, 0]).back(40, 24), "\r\u{1b}[5A\u{1b}[J");
    }

    #[test]
    fn the_cursor_never_leaves_the_terminal() {
        assert_eq!(standing(&[70; 30]).back(80, 10), "\r\u{1b}[9A\u{1b}[J");
    }
}
