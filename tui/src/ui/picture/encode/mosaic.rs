//! Sextants and octants: six or eight pixels per cell in two colours, in terminals that draw these characters themselves.

use image::{DynamicImage, RgbImage};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

use crate::ui::picture::probe::CellPixels;

/// How often the two colours of a cell are made better.
const ROUNDS: usize = 2;

/// Returns the picture as cells of several pixels in two colours each. Its size in pixels is that of the cells times `pixels`.
pub(super) fn cells(picture: &DynamicImage, (width, height): (u16, u16), pixels: CellPixels) -> Buffer {
    let picture = picture.to_rgb8();
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    for y in 0..height {
        for x in 0..width {
            let (mask, front, back) = divided(&read(&picture, (x, y), pixels));
            let rgb = |[red, green, blue]: [u8; 3]| Color::Rgb(red, green, blue);
            buffer[(x, y)].set_char(character(mask, pixels)).set_fg(rgb(front)).set_bg(rgb(back));
        }
    }
    buffer
}

/// Returns the pixels of a cell, row by row.
fn read(picture: &RgbImage, (x, y): (u16, u16), pixels: CellPixels) -> Vec<[u8; 3]> {
    let (columns, rows) = pixels.count();
    let at = |column: u16, row: u16| {
        let place = (u32::from(x * columns + column), u32::from(y * rows + row));
        picture.get_pixel_checked(place.0, place.1).map_or([0; 3], |pixel| pixel.0)
    };
    (0..rows).flat_map(|row| (0..columns).map(move |column| at(column, row))).collect()
}

/// Divides pixels into two groups of similar colours. Returns those of the first one as bits, and the mean colours.
fn divided(pixels: &[[u8; 3]]) -> (u8, [u8; 3], [u8; 3]) {
    let pairs =
        pixels.iter().enumerate().flat_map(|(at, one)| pixels[at + 1..].iter().map(move |it| (one, it)));
    let farthest = pairs.max_by_key(|(one, other)| distance(**one, **other));
    let Some((mut front, mut back)) = farthest.map(|(one, other)| (*one, *other)) else {
        return (0, [0; 3], [0; 3]);
    };
    let mut mask = 0;
    for _ in 0..ROUNDS {
        mask = 0;
        for (at, pixel) in pixels.iter().enumerate() {
            if distance(*pixel, front) < distance(*pixel, back) {
                mask |= 1u8 << at;
            }
        }
        let of = |in_front: bool| {
            let of = pixels.iter().enumerate().filter(move |(at, _)| (mask >> at & 1 == 1) == in_front);
            mean(of.map(|(_, pixel)| *pixel))
        };
        (front, back) = (of(true).unwrap_or(front), of(false).unwrap_or(back));
    }
    (mask, front, back)
}

fn distance(one: [u8; 3], other: [u8; 3]) -> u32 {
    one.iter().zip(other).map(|(one, other)| u32::from(one.abs_diff(other)).pow(2)).sum()
}

fn mean(pixels: impl Iterator<Item = [u8; 3]>) -> Option<[u8; 3]> {
    let (sum, count) = pixels.fold(([0u32; 3], 0), |(sum, count), pixel| {
        ([0, 1, 2].map(|at| sum[at] + u32::from(pixel[at])), count + 1)
    });
    (count > 0).then(|| sum.map(|sum| u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX)))
}

/// Returns the character with these pixels, the first bit for the one in the upper left corner.
fn character(mask: u8, pixels: CellPixels) -> char {
    let code = match pixels {
        CellPixels::Half => [' ', '▀', '▄', '█'][usize::from(mask & 3)].into(),
        CellPixels::Sextant => sextant(mask & 63),
        CellPixels::Octant => octant(mask),
    };
    char::from_u32(code).unwrap_or(' ')
}

/// Returns a sextant. Those that were characters before are not among the others.
fn sextant(mask: u8) -> u32 {
    match mask {
        0 => 0x20,
        21 => 0x258c,
        42 => 0x2590,
        63 => 0x2588,
        mask => 0x1fb00 + u32::from(mask) - 1 - u32::from(mask > 21) - u32::from(mask > 42),
    }
}

/// The octants that are characters of other blocks, in the order of their pixels.
const OTHER_OCTANTS: [(u8, u32); 26] = [
    (0x00, 0x20),
    (0x01, 0x1cea8),
    (0x02, 0x1ceab),
    (0x03, 0x1fb82),
    (0x05, 0x2598),
    (0x0a, 0x259d),
    (0x0f, 0x2580),
    (0x14, 0x1fbe6),
    (0x28, 0x1fbe7),
    (0x3f, 0x1fb85),
    (0x40, 0x1cea3),
    (0x50, 0x2596),
    (0x55, 0x258c),
    (0x5a, 0x259e),
    (0x5f, 0x259b),
    (0x80, 0x1cea0),
    (0xa0, 0x2597),
    (0xa5, 0x259a),
    (0xaa, 0x2590),
    (0xaf, 0x259c),
    (0xc0, 0x2582),
    (0xf0, 0x2584),
    (0xf5, 0x2599),
    (0xfa, 0x259f),
    (0xfc, 0x2586),
    (0xff, 0x2588),
];

fn octant(mask: u8) -> u32 {
    let before = OTHER_OCTANTS.partition_point(|(other, _)| *other < mask);
    match OTHER_OCTANTS.get(before) {
        Some((other, code)) if *other == mask => *code,
        _ => 0x1cd00 + u32::from(mask) - u32::try_from(before).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use fanlight_shared::id::AssetId;
    use image::Rgb;

    use super::*;
    use crate::ui::picture::PictureRequest;
    use crate::ui::picture::encode::encode;
    use crate::ui::picture::probe::Drawing;

    /// A tile of the gallery, in cells.
    const TILE: (u16, u16) = (20, 10);
    /// The pixels of a cell in which pictures are compared: a multiple of those of all kinds of cells.
    const CELL: (u32, u32) = (8, 24);

    #[test]
    fn every_mosaic_has_a_character_of_its_own() {
        let octants: HashSet<u32> = (0..=u8::MAX).map(octant).collect();
        let sextants: HashSet<u32> = (0..64).map(sextant).collect();
        assert_eq!((octants.len(), sextants.len()), (256, 64));
        // As Unicode names them: octant-3, octant-23, octant-2345678; sextant-1, sextant-23456.
        assert_eq!((octant(0x04), octant(0x06), octant(0xfe)), (0x1cd00, 0x1cd01, 0x1cde5));
        assert_eq!((sextant(1), sextant(62)), (0x1fb00, 0x1fb3b));
    }

    /// Returns pictures of what is hard to show in few cells: lines in all directions, letters, a scene, and a soft gradient.
    fn pictures() -> Vec<(&'static str, RgbImage)> {
        let grey = |light: bool| if light { Rgb([230, 225, 210]) } else { Rgb([30, 40, 60]) };
        let of = |paint: &dyn Fn(f64, f64) -> Rgb<u8>| {
            RgbImage::from_fn(640, 640, |x, y| paint(f64::from(x) / 640.0, f64::from(y) / 640.0))
        };
        let ring = |x: f64, y: f64| ((x - 0.5).hypot(y - 0.5) * 24.0).sin() > 0.0;
        let letters = |x: f64, y: f64| {
            const ROWS: [[u8; 7]; 4] =
                [[17, 17, 17, 31, 17, 17, 17], [14, 4, 4, 4, 4, 4, 14], [31, 16, 30, 16, 16, 16, 31], [0; 7]];
            let (column, row) = ((x * 24.0) as usize, (y * 27.0) as usize);
            let bits = ROWS[column / 6 % 4][(row % 9).min(6)];
            row % 9 < 7 && column % 6 < 5 && bits >> (4 - column % 6) & 1 == 1
        };
        let level = |at: f64| (at * 255.0) as u8;
        vec![
            ("rings", of(&|x, y| grey(ring(x, y)))),
            ("letters", of(&|x, y| grey(letters(x, y)))),
            (
                "scene",
                of(&|x, y| match y {
                    y if (x - 0.7).hypot(y - 0.3) < 0.12 => Rgb([250, 240, 200]),
                    y if y > 0.6 + 0.05 * (x * 20.0).sin() => Rgb([20, level(1.0 - y), 90]),
                    y => Rgb([level(y), level(0.5 + y / 3.0), 220]),
                }),
            ),
            ("gradient", of(&|x, y| Rgb([level(x), level(y), level(1.0 - x)]))),
        ]
    }

    /// Returns the root of the mean square of the differences between a picture in the place of a tile and what its cells show,
    /// over all pixels and colours, from 0 to 255.
    fn error(picture: &RgbImage, pixels: CellPixels) -> f64 {
        let drawing = Drawing { pixels, ..Drawing::default() };
        let wanted = PictureRequest::thumbnail(AssetId::from_bytes([1; 16]), TILE);
        let painted = encode(&picture.clone().into(), wanted, drawing, 1).unwrap();
        let cells = &painted.frame.cells;
        let size = (u32::from(cells.area.width) * CELL.0, u32::from(cells.area.height) * CELL.1);
        let wanted = DynamicImage::from(picture.clone()).thumbnail_exact(size.0, size.1).to_rgb8();
        let (columns, rows) = pixels.count();
        let mut sum = 0.0;
        for (x, y, pixel) in wanted.enumerate_pixels() {
            let cell = &cells[((x / CELL.0) as u16, (y / CELL.1) as u16)];
            let (column, row) =
                (x % CELL.0 * u32::from(columns) / CELL.0, y % CELL.1 * u32::from(rows) / CELL.1);
            let bit = row * u32::from(columns) + column;
            let symbol = cell.symbol().chars().next().unwrap();
            let mask = (0..=u8::MAX).find(|mask| character(*mask, pixels) == symbol).unwrap();
            let Color::Rgb(red, green, blue) = (if mask >> bit & 1 == 1 { cell.fg } else { cell.bg }) else {
                panic!("not a colour")
            };
            sum += f64::from(distance(pixel.0, [red, green, blue]));
        }
        (sum / f64::from(size.0 * size.1 * 3)).sqrt()
    }

    #[test]
    fn more_pixels_in_a_cell_show_a_picture_better() {
        let kinds = [CellPixels::Half, CellPixels::Sextant, CellPixels::Octant];
        let mut all = [0.0; 3];
        for (name, picture) in pictures() {
            let errors = kinds.map(|kind| error(&picture, kind));
            println!(
                "{name}: half blocks {:.1}, sextants {:.1}, octants {:.1}",
                errors[0], errors[1], errors[2]
            );
            (0..3).for_each(|at| all[at] += errors[at] / 4.0);
        }
        println!("mean: half blocks {:.1}, sextants {:.1}, octants {:.1}", all[0], all[1], all[2]);
        assert!(all[1] < all[0] * 0.95 && all[2] < all[1], "{all:?}");
    }
}
