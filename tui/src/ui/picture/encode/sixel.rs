//! Sixels: bands of six rows, a line for each colour of a palette.
//!
//! Source: <https://vt100.net/docs/vt3xx-gp/chapter14.html>

use std::collections::HashMap;
use std::fmt::Write;

use color_quant::NeuQuant;
use image::{DynamicImage, Rgba, RgbaImage, imageops};

use super::passthrough::Passthrough;

/// Colours of a palette: as many as terminals have registers.
const COLOURS: usize = 256;
/// The sampling interval for the palette in pixels: 1 is best, 30 fastest.
const SAMPLING: i32 = 10;
/// Pixels less opaque than this are transparent.
const OPAQUE: u8 = 128;
/// Rows in a band.
const BAND_HEIGHT: u32 = 6;

/// Returns the sequence that draws the picture at the cursor.
pub(super) fn sequence(picture: &DynamicImage, cells: (u16, u16), tmux: bool) -> String {
    let passthrough = Passthrough::new(tmux);
    let escape = passthrough.escape;
    let pixels = picture.to_rgba8();
    let (width, height) = pixels.dimensions();
    let (palette, indexed) = indexed(pixels);
    let mut data = String::from(passthrough.start);
    passthrough.clear(&mut data, cells);
    let _ = write!(data, "{escape}P0;1;0q\"1;1;{width};{height}");
    for (number, colour) in palette.iter().enumerate() {
        let [red, green, blue] = colour.map(|it| (u32::from(it) * 100 + 127) / 255);
        let _ = write!(data, "#{number};2;{red};{green};{blue}");
    }
    for top in (0..height).step_by(BAND_HEIGHT as usize) {
        band(&mut data, &indexed, (width, height), top, palette.len());
    }
    let _ = write!(data, "{escape}\\{}", passthrough.end);
    data
}

/// The palette, and the place of each pixel's colour in it; `None` where the pixel is transparent.
type Indexed = Vec<Option<u8>>;

#[allow(clippy::cast_possible_truncation)]
fn indexed(mut pixels: RgbaImage) -> (Vec<[u8; 3]>, Indexed) {
    for Rgba([.., alpha]) in pixels.pixels_mut() {
        *alpha = if *alpha < OPAQUE { 0 } else { u8::MAX };
    }
    // A drawing with few colours keeps them as they are.
    let mut exact = HashMap::new();
    for Rgba([red, green, blue, alpha]) in pixels.pixels() {
        if *alpha > 0 {
            let next = exact.len();
            exact.entry([*red, *green, *blue]).or_insert(next);
        }
        if exact.len() > COLOURS {
            break;
        }
    }
    if exact.len() <= COLOURS {
        let place = |Rgba([red, green, blue, alpha]): &Rgba<u8>| {
            (*alpha > 0).then(|| exact.get(&[*red, *green, *blue]).map_or(0, |place| *place as u8))
        };
        let places = pixels.pixels().map(place).collect();
        let mut palette = vec![[0; 3]; exact.len()];
        exact.iter().for_each(|(colour, place)| palette[*place] = *colour);
        return (palette, places);
    }
    let quantised = NeuQuant::new(SAMPLING, COLOURS, pixels.as_raw());
    let opaque: Vec<bool> = pixels.pixels().map(|pixel| pixel.0[3] > 0).collect();
    imageops::dither(&mut pixels, &quantised);
    let place = |(pixel, opaque): (&Rgba<u8>, bool)| opaque.then(|| quantised.index_of(&pixel.0) as u8);
    let places = pixels.pixels().zip(opaque).map(place).collect();
    let palette = quantised.color_map_rgb().chunks_exact(3).map(|it| [it[0], it[1], it[2]]).collect();
    (palette, places)
}

/// Appends six rows: for each of their colours, which of the six pixels of each column have it.
fn band(data: &mut String, pixels: &Indexed, (width, height): (u32, u32), top: u32, colours: usize) {
    let rows = BAND_HEIGHT.min(height - top);
    let mut columns: Vec<Option<Vec<u8>>> = vec![None; colours];
    for row in 0..rows {
        let start = ((top + row) * width) as usize;
        for (x, place) in pixels[start..start + width as usize].iter().enumerate() {
            let Some(place) = place else { continue };
            let column = columns[usize::from(*place)].get_or_insert_with(|| vec![0; width as usize]);
            column[x] |= 1 << row;
        }
    }
    for (number, column) in columns.iter().enumerate() {
        let Some(column) = column else { continue };
        let _ = write!(data, "#{number}");
        runs(data, column);
        // Back to the first column, for the next colour.
        data.push('$');
    }
    data.push('-');
}

/// Appends sixels with run-length encoding, without empty ones at the end.
fn runs(data: &mut String, column: &[u8]) {
    let end = column.iter().rposition(|it| *it != 0).map_or(0, |last| last + 1);
    for run in column[..end].chunk_by(|a, b| a == b) {
        let sixel = char::from(b'?' + run[0]);
        if run.len() > 3 {
            let _ = write!(data, "!{}{sixel}", run.len());
        } else {
            data.extend(std::iter::repeat_n(sixel, run.len()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(picture: RgbaImage) -> String {
        let all = sequence(&picture.into(), (1, 1), false);
        all.split_once('q').unwrap().1.strip_suffix("\u{1b}\\").unwrap().to_owned()
    }

    #[test]
    fn few_colours_stay_as_they_are_and_what_is_transparent_is_not_drawn() {
        let mut picture = RgbaImage::from_pixel(5, 7, Rgba([255, 0, 0, 255]));
        picture.put_pixel(4, 0, Rgba([0, 0, 255, 255]));
        picture.put_pixel(0, 6, Rgba([0, 0, 0, 0]));
        assert_eq!(drawn(picture), "\"1;1;5;7#0;2;100;0;0#1;2;0;0;100#0!4~}$#1!4?@$-#0?!4@$-");
    }

    #[test]
    fn many_colours_are_reduced_to_256_similar_ones() {
        let picture = RgbaImage::from_fn(64, 64, |x, y| Rgba([(x * 4) as u8, (y * 4) as u8, 128, 255]));
        let (palette, places) = indexed(picture.clone());
        assert_eq!((palette.len(), places.len()), (256, 64 * 64));
        let off: u32 = (picture.pixels().zip(&places))
            .map(|(pixel, place)| {
                let shown = palette[usize::from(place.unwrap())];
                (0..3).map(|channel| u32::from(pixel.0[channel].abs_diff(shown[channel]))).sum::<u32>()
            })
            .sum();
        assert!(off / (64 * 64) < 30, "{} off a pixel", off / (64 * 64));
    }
}
