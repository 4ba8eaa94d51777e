//! What blocks draw, as text for snapshots and as a terminal takes it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier};

/// Returns what a block draws: its text, then a letter per cell for its style (a capital is bold; `.` is plain).
pub(crate) fn draw(columns: u16, rows: u16, block: impl FnOnce(Rect, &mut Buffer)) -> String {
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    block(area, &mut buffer);
    let (mut text, mut styles) = (String::new(), String::new());
    for y in 0..rows {
        let (mut line, mut letters) = (String::new(), String::new());
        let mut covered = 0;
        for x in 0..columns {
            let cell = &buffer[(x, y)];
            if covered > 0 {
                covered -= 1;
            } else {
                line.push_str(cell.symbol());
                covered = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            }
            letters.push(letter(cell));
        }
        text.push_str(line.trim_end());
        text.push('\n');
        styles.push_str(letters.trim_end_matches('.'));
        styles.push('\n');
    }
    format!("{}\n=== styles\n{}", text.trim_end(), styles.trim_end())
}

fn letter(cell: &ratatui::buffer::Cell) -> char {
    let letter = match cell.fg {
        Color::Reset => '.',
        Color::Red | Color::LightRed => 'r',
        Color::Green | Color::LightGreen => 'g',
        Color::Yellow | Color::LightYellow => 'y',
        Color::Blue | Color::LightBlue => 'b',
        Color::Magenta | Color::LightMagenta => 'm',
        Color::Cyan | Color::LightCyan => 'c',
        Color::DarkGray => 'd',
        Color::Gray | Color::White => 'w',
        _ => 'o',
    };
    match letter {
        _ if cell.modifier.contains(Modifier::REVERSED) => '#',
        '.' if cell.modifier.contains(Modifier::BOLD) => 'B',
        letter if cell.modifier.contains(Modifier::BOLD) => letter.to_ascii_uppercase(),
        letter => letter,
    }
}

/// Returns what a block draws, as a terminal takes it: for looking at.
fn ansi(columns: u16, rows: u16, block: impl FnOnce(Rect, &mut Buffer)) -> String {
    use std::fmt::Write as _;
    let area = Rect::new(0, 0, columns, rows);
    let mut buffer = Buffer::empty(area);
    block(area, &mut buffer);
    let mut out = String::new();
    for y in 0..rows {
        let mut covered = 0;
        for x in 0..columns {
            let cell = &buffer[(x, y)];
            if covered > 0 {
                covered -= 1;
                continue;
            }
            covered = unicode_width::UnicodeWidthStr::width(cell.symbol()).saturating_sub(1);
            out.push_str("\u{1b}[0");
            for (modifier, code) in [(Modifier::BOLD, 1), (Modifier::UNDERLINED, 4), (Modifier::REVERSED, 7)]
            {
                if cell.modifier.contains(modifier) {
                    let _ = write!(out, ";{code}");
                }
            }
            let colour = match cell.fg {
                Color::Red => 31,
                Color::Green => 32,
                Color::Yellow => 33,
                Color::Blue => 34,
                Color::Magenta => 35,
                Color::Cyan => 36,
                Color::Gray => 37,
                Color::DarkGray => 90,
                _ => 39,
            };
            let _ = write!(out, ";{colour}m{}", cell.symbol());
        }
        out.push_str("\u{1b}[0m\r\n");
    }
    out
}

/// Writes pictures of blocks into the folder that `FANLIGHT_SHOTS` names, as ANSI files; nothing without it.
pub(crate) fn shot(name: &str, columns: u16, rows: u16, block: impl FnOnce(Rect, &mut Buffer)) {
    if let Some(folder) = std::env::var_os("FANLIGHT_SHOTS") {
        let path = std::path::Path::new(&folder).join(format!("{name}_{columns}x{rows}.ansi"));
        std::fs::write(path, ansi(columns, rows, block)).unwrap_or_else(|error| panic!("{error}"));
    }
}
