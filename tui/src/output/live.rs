//! Draws live progress in place on stderr, or says changes in plain lines where that is no terminal.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use fanlight_shared::client::projection::Projection;
use fanlight_shared::id::RunId;
use fanlight_shared::run::RunStatus;
use fanlight_shared::sanitise;
use fanlight_shared::time::Time;

use super::progress::{self, Frame};
use super::style::Paint;
use super::text;

/// At most 15 pictures a second.
pub(crate) const REDRAW: Duration = Duration::from_millis(67);

/// Begin and end of a picture that the terminal shows at once (unknown ones ignore it).
const BEGIN: &str = "\u{1b}[?2026h";
const END: &str = "\u{1b}[?2026l";

/// Columns and lines of the terminal; 80 × 24 where it does not say.
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
    /// The widths of the lines that stand there now, top to bottom.
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
    /// For the stderr of this process; `silent` says nothing at all.
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

    /// Whether it wants to be drawn again and again.
    pub(crate) fn is_in_place(&self) -> bool {
        self.mode == Mode::InPlace
    }

    /// A run changed its state.
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

    /// The banners changed; the picture shows them by itself.
    pub(crate) fn banners(&self, projection: &Projection) {
        if self.mode != Mode::Lines {
            return;
        }
        for banner in projection.banners() {
            super::note(&format!("fanlight: {}", sanitise::line(banner)));
        }
        if projection.banners().is_empty() {
            super::note("fanlight: that is over");
        }
    }

    /// Draws the runs, unless that was done a moment ago.
    pub(crate) fn draw(&mut self, projection: &Projection) {
        if self.drawn.is_none_or(|drawn| drawn.elapsed() >= REDRAW) {
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

    /// Prints a line above the picture, which is drawn again below it.
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

    /// To the first column of the first line that stands there, and everything below gone. A terminal that became
    /// narrower has wrapped the lines meanwhile.
    fn back(&self, columns: usize, lines: usize) -> String {
        if self.standing.is_empty() {
            return String::new();
        }
        let rows: usize = self.standing.iter().map(|width| width.div_ceil(columns.max(1)).max(1)).sum();
        format!("\r\u{1b}[{}A\u{1b}[J", rows.min(lines.saturating_sub(1)).max(1))
    }
}

/// Nobody listening on stderr is no reason to stop.
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
    fn a_narrower_terminal_has_wrapped_what_stood_there() {
        assert_eq!(standing(&[70, 70, 0]).back(80, 24), "\r\u{1b}[3A\u{1b}[J");
        assert_eq!(standing(&[70, 70, 0]).back(40, 24), "\r\u{1b}[5A\u{1b}[J");
    }

    #[test]
    fn the_cursor_never_leaves_the_terminal() {
        assert_eq!(standing(&[70; 30]).back(80, 10), "\r\u{1b}[9A\u{1b}[J");
    }
}
