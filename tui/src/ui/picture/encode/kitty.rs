//! kitty's protocol: the picture is sent once, under a number; cells of placeholder characters show it.
//!
//! Source: <https://sw.kovidgoyal.net/kitty/graphics-protocol/#unicode-placeholders>

use std::fmt::Write;
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::DynamicImage;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

use super::passthrough::Passthrough;
use super::single_cell::ONE_COLUMN;

/// The character that stands for a part of a picture.
const PLACEHOLDER: char = '\u{10EEEE}';

/// Bytes of the picture in one sequence: 4,096 characters of base64, the protocol's limit.
const CHUNK_BYTES: usize = 4096 / 4 * 3;

/// The diacritics that number rows and columns, in order: characters of combining class 230 that Unicode 6.0 doesn't
/// decompose, as the protocol lists them.
#[rustfmt::skip]
const MARKS: [(u32, u32); 86] = [
    (0x305, 0x305), (0x30D, 0x30E), (0x310, 0x310), (0x312, 0x312), (0x33D, 0x33F), (0x346, 0x346), (0x34A, 0x34C),
    (0x350, 0x352), (0x357, 0x357), (0x35B, 0x35B), (0x363, 0x36F), (0x483, 0x487), (0x592, 0x595), (0x597, 0x599),
    (0x59C, 0x5A1), (0x5A8, 0x5A9), (0x5AB, 0x5AC), (0x5AF, 0x5AF), (0x5C4, 0x5C4), (0x610, 0x617), (0x657, 0x65B),
    (0x65D, 0x65E), (0x6D6, 0x6DC), (0x6DF, 0x6E2), (0x6E4, 0x6E4), (0x6E7, 0x6E8), (0x6EB, 0x6EC), (0x730, 0x730),
    (0x732, 0x733), (0x735, 0x736), (0x73A, 0x73A), (0x73D, 0x73D), (0x73F, 0x741), (0x743, 0x743), (0x745, 0x745),
    (0x747, 0x747), (0x749, 0x74A), (0x7EB, 0x7F1), (0x7F3, 0x7F3), (0x816, 0x819), (0x81B, 0x823), (0x825, 0x827),
    (0x829, 0x82D), (0x951, 0x951), (0x953, 0x954), (0xF82, 0xF83), (0xF86, 0xF87), (0x135D, 0x135F), (0x17DD, 0x17DD),
    (0x193A, 0x193A), (0x1A17, 0x1A17), (0x1A75, 0x1A7C), (0x1B6B, 0x1B6B), (0x1B6D, 0x1B73), (0x1CD0, 0x1CD2),
    (0x1CDA, 0x1CDB), (0x1CE0, 0x1CE0), (0x1DC0, 0x1DC1), (0x1DC3, 0x1DC9), (0x1DCB, 0x1DCC), (0x1DD1, 0x1DE6),
    (0x1DFE, 0x1DFE), (0x20D0, 0x20D1), (0x20D4, 0x20D7), (0x20DB, 0x20DC), (0x20E1, 0x20E1), (0x20E7, 0x20E7),
    (0x20E9, 0x20E9), (0x20F0, 0x20F0), (0x2CEF, 0x2CF1), (0x2DE0, 0x2DFF), (0xA66F, 0xA66F), (0xA67C, 0xA67D),
    (0xA6F0, 0xA6F1), (0xA8E0, 0xA8F1), (0xAAB0, 0xAAB0), (0xAAB2, 0xAAB3), (0xAAB7, 0xAAB8), (0xAABE, 0xAABF),
    (0xAAC1, 0xAAC1), (0xFE20, 0xFE26), (0x10A0F, 0x10A0F), (0x10A38, 0x10A38), (0x1D185, 0x1D189),
    (0x1D1AA, 0x1D1AD), (0x1D242, 0x1D244),
];

static MARK: LazyLock<Vec<char>> = LazyLock::new(|| {
    MARKS.iter().flat_map(|&(first, last)| first..=last).filter_map(char::from_u32).collect()
});

/// Returns the sequences that transmit the picture to the terminal as image `id`, for placeholders.
pub(super) fn transmit(picture: &DynamicImage, id: u32, tmux: bool) -> String {
    let Passthrough { start, escape, end } = Passthrough::new(tmux);
    let pixels = picture.to_rgba8();
    let (width, height) = pixels.dimensions();
    let chunks = pixels.as_raw().chunks(CHUNK_BYTES);
    let count = chunks.len();
    let mut data = String::with_capacity(count * (CHUNK_BYTES / 3 * 4 + 32) + 64);
    for (index, chunk) in chunks.enumerate() {
        let more = u8::from(index + 1 < count);
        let _ = write!(data, "{start}{escape}_Gq=2,");
        if index == 0 {
            let _ = write!(data, "i={id},a=T,U=1,f=32,t=d,s={width},v={height},");
        }
        let _ = write!(data, "m={more};");
        STANDARD.encode_string(chunk, &mut data);
        let _ = write!(data, "{escape}\\{end}");
    }
    data
}

/// Returns the cells that show image `id`: at most 297 rows and columns, the limit of the protocol.
pub(super) fn cells(id: u32, (width, height): (u16, u16)) -> Buffer {
    let [high, red, green, blue] = id.to_be_bytes();
    let mark = |number: u16| MARK.get(usize::from(number)).copied();
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    for y in 0..height {
        for x in 0..width {
            // Each cell has the column and the high byte of the id, so that a cell that is redrawn alone doesn't depend
            // on its neighbours.
            let (Some(row), Some(column), Some(high)) = (mark(y), mark(x), mark(u16::from(high))) else {
                continue;
            };
            let symbol = String::from_iter([PLACEHOLDER, row, column, high]);
            buffer[(x, y)]
                .set_symbol(&symbol)
                .set_fg(Color::Rgb(red, green, blue))
                .set_diff_option(ONE_COLUMN);
        }
    }
    buffer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_columns_are_numbered_by_the_marks_of_the_protocol() {
        assert_eq!((MARK.len(), MARK[0], MARK[1], MARK[296]), (297, '\u{305}', '\u{30D}', '\u{1D244}'));
        let cells = cells(0x0102_0304, (2, 2));
        assert_eq!(cells[(1, 1)].symbol(), "\u{10EEEE}\u{30D}\u{30D}\u{30D}");
        assert_eq!(cells[(0, 0)].fg, Color::Rgb(2, 3, 4));
    }

    #[test]
    fn a_large_picture_is_sent_in_parts_and_only_the_last_is_marked_as_last() {
        let picture = DynamicImage::new_rgba8(64, 64);
        let data = transmit(&picture, 7, false);
        let parts: Vec<&str> = data.split_terminator("\u{1b}\\").collect();
        assert_eq!(parts.len(), (64 * 64 * 4_usize).div_ceil(CHUNK_BYTES));
        assert!(
            parts[0].starts_with("\u{1b}_Gq=2,i=7,a=T,U=1,f=32,t=d,s=64,v=64,m=1;"),
            "{}",
            &parts[0][..50]
        );
        assert!(parts.iter().all(|part| part.len() < 4096 + 64));
        let (last, others) = parts.split_last().unwrap();
        assert!(last.contains("m=0;") && others.iter().all(|part| part.contains("m=1;")));
    }

    #[test]
    fn inside_tmux_every_escape_is_doubled() {
        let data = transmit(&DynamicImage::new_rgba8(1, 1), 7, true);
        assert!(
            data.starts_with("\u{1b}Ptmux;\u{1b}\u{1b}_G") && data.ends_with("\u{1b}\u{1b}\\\u{1b}\\"),
            "{data:?}"
        );
    }
}
