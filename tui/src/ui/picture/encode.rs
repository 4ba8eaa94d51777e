//! From bytes to pixels, from pixels to cells. Runs off the loop, on a thread that may wait.
//!
//! A file for each way of drawing: `blocks`, `mosaic`, `kitty`, `iterm`, `sixel`.

mod blocks;
mod iterm;
mod kitty;
mod mosaic;
mod passthrough;
mod single_cell;
mod sixel;

use std::io::Cursor;
use std::sync::Arc;

use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageReader, Limits, RgbImage};
use ratatui::style::Color;

use super::difference::rank;
use super::probe::{CellPixels, Drawing, GraphicsProtocol};
use super::{Frame, Painted, PictureOf, PictureRequest};

/// Longest side of a picture that is opened here, in pixels.
const MAX_SIDE: u32 = 16_384;
/// Most memory that decoding may take, in bytes.
const MAX_MEMORY: u64 = 512 * 1024 * 1024;

/// Returns the pixels of a picture file, rotated by its EXIF orientation.
///
/// # Errors
/// A sentence, if the bytes aren't a picture or it is too large.
pub fn decode(bytes: &[u8]) -> Result<DynamicImage, String> {
    let no_picture = |error: image::ImageError| format!("the picture can't be read: {error}");
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let mut reader = reader.map_err(|error| format!("the picture can't be read: {error}"))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(no_picture)?;
    let orientation = decoder.orientation().map_err(no_picture)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(no_picture)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Returns the cells that a picture of this shape covers in an area: its full width or its full height.
#[must_use]
pub fn fit(pixels: (u32, u32), cells: (u16, u16), font: (u16, u16)) -> (u16, u16) {
    let (width, height) = (f64::from(pixels.0.max(1)), f64::from(pixels.1.max(1)));
    let place = (
        f64::from(cells.0.max(1)) * f64::from(font.0.max(1)),
        f64::from(cells.1.max(1)) * f64::from(font.1.max(1)),
    );
    let scale = (place.0 / width).min(place.1 / height);
    let count = |length: f64, of_cell: u16, most: u16| {
        let cells = (length * scale / f64::from(of_cell.max(1))).round();
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let cells = cells.clamp(1.0, f64::from(most.max(1))) as u16;
        cells
    };
    (count(width, font.0, cells.0), count(height, font.1, cells.1))
}

/// Returns a picture, or the wanted part of it, as cells. `id` is the number that kitty keeps it under.
///
/// # Errors
/// A sentence, if the picture can't be encoded.
pub fn encode(
    picture: &DynamicImage,
    wanted: PictureRequest,
    drawing: Drawing,
    id: u32,
) -> Result<Painted, String> {
    let pixels = (picture.width(), picture.height());
    let part = cropped(picture, wanted.part);
    let picture = part.as_ref().unwrap_or(picture);
    let cells = fit((picture.width(), picture.height()), wanted.cells, drawing.font);
    let of_cell = match drawing.protocol {
        GraphicsProtocol::Blocks => drawing.pixels.count(),
        _ => drawing.font,
    };
    let to = (u32::from(cells.0) * u32::from(of_cell.0), u32::from(cells.1) * u32::from(of_cell.1));
    let sized = match wanted.of {
        PictureOf::Difference(..) => brightest(picture, to),
        _ => scaled(picture, to),
    };
    let sized = if wanted.dimmed { dimmed(&sized) } else { sized };
    let (mut drawn, transmit) = match drawing.protocol {
        GraphicsProtocol::Blocks if drawing.pixels == CellPixels::Half => {
            (blocks::cells(&sized, cells), None)
        }
        GraphicsProtocol::Blocks => (mosaic::cells(&sized, cells, drawing.pixels), None),
        // Sent separately from its cells, so that the picture isn't lost when something covers its first cell.
        GraphicsProtocol::Kitty => (kitty::cells(id, cells), Some(kitty::transmit(&sized, id, drawing.tmux))),
        GraphicsProtocol::Iterm => {
            let failed = |error| format!("the picture can't be drawn: {error}");
            (single_cell::cells(&iterm::sequence(&sized, cells, drawing.tmux).map_err(failed)?, cells), None)
        }
        GraphicsProtocol::Sixel => {
            (single_cell::cells(&sixel::sequence(&sized, cells, drawing.tmux), cells), None)
        }
    };
    let in_one_piece = matches!(drawing.protocol, GraphicsProtocol::Iterm | GraphicsProtocol::Sixel);
    let transmit = transmit.map(Arc::from);
    if drawing.protocol == GraphicsProtocol::Blocks && !drawing.deep {
        drawn.content.iter_mut().for_each(|cell| {
            cell.fg = indexed(cell.fg);
            cell.bg = indexed(cell.bg);
        });
    }
    let id = (drawing.protocol == GraphicsProtocol::Kitty).then_some(id);
    Ok(Painted {
        wanted,
        frame: Arc::new(Frame { cells: drawn, transmit, id, in_one_piece, pixels, difference: None }),
    })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn cropped(picture: &DynamicImage, part: [f32; 4]) -> Option<DynamicImage> {
    if part == super::WHOLE {
        return None;
    }
    let along = |length: u32, from: f32, share: f32| {
        let start = (length as f32 * from.clamp(0.0, 1.0)) as u32;
        let start = start.min(length.saturating_sub(1));
        let wide = (length as f32 * share.clamp(0.0, 1.0)).round() as u32;
        (start, wide.clamp(1, length - start))
    };
    let (x, width) = along(picture.width(), part[0], part[2]);
    let (y, height) = along(picture.height(), part[1], part[3]);
    Some(picture.crop_imm(x, y, width, height))
}

/// Scales a picture: down by averaging, up by repeating pixels, so that they remain visible.
fn scaled(picture: &DynamicImage, (width, height): (u32, u32)) -> DynamicImage {
    let (width, height) = (width.max(1), height.max(1));
    if (picture.width(), picture.height()) == (width, height) {
        return picture.clone();
    }
    let smaller = width <= picture.width() && height <= picture.height();
    if smaller {
        picture.thumbnail_exact(width, height)
    } else if width >= picture.width().saturating_mul(3) {
        picture.resize_exact(width, height, FilterType::Nearest)
    } else {
        picture.resize_exact(width, height, FilterType::Triangle)
    }
}

/// Scales a heat map: down by the brightest pixel, so that no difference gets lost.
fn brightest(picture: &DynamicImage, to: (u32, u32)) -> DynamicImage {
    // Each side by itself: one may become longer.
    let (width, height) = (to.0.clamp(1, picture.width().max(1)), to.1.clamp(1, picture.height().max(1)));
    if (width, height) == (picture.width(), picture.height()) {
        return scaled(picture, to);
    }
    let pixels = picture.to_rgb8();
    let mut small = RgbImage::new(width, height);
    let along = |at: u32, from: u32, to: u32| u64::from(at) * u64::from(to) / u64::from(from.max(1));
    for (x, y, pixel) in pixels.enumerate_pixels() {
        let place = (along(x, pixels.width(), width), along(y, pixels.height(), height));
        if let (Ok(x), Ok(y)) = (u32::try_from(place.0), u32::try_from(place.1))
            && let Some(shown) = small.get_pixel_mut_checked(x, y)
            && rank(*pixel) > rank(*shown)
        {
            *shown = *pixel;
        }
    }
    scaled(&small.into(), to)
}

/// Returns a picture with half the brightness.
fn dimmed(picture: &DynamicImage) -> DynamicImage {
    let mut pixels = picture.to_rgba8();
    for pixel in pixels.pixels_mut() {
        let [red, green, blue, alpha] = pixel.0;
        pixel.0 = [red / 2, green / 2, blue / 2, alpha];
    }
    pixels.into()
}

/// Returns the nearest colour of the 256-colour palette.
fn indexed(colour: Color) -> Color {
    let Color::Rgb(red, green, blue) = colour else { return colour };
    let step = |it: u8| match it {
        0..48 => 0u8,
        48..115 => 1,
        _ => (it - 35) / 40,
    };
    let value = |step: u8| if step == 0 { 0 } else { 55 + step * 40 };
    let cube = [step(red), step(green), step(blue)];
    let mean = (u16::from(red) + u16::from(green) + u16::from(blue)) / 3;
    let grey = u8::try_from((mean.clamp(8, 238) - 3) / 10).unwrap_or(0).min(23);
    let far = |to: [u8; 3]| -> u32 {
        [red, green, blue].iter().zip(to).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
    };
    if far([8 + grey * 10; 3]) < far(cube.map(value)) {
        Color::Indexed(232 + grey)
    } else {
        Color::Indexed(16 + 36 * cube[0] + 6 * cube[1] + cube[2])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanlight_shared::id::AssetId;
    use image::Rgb;

    fn asset() -> AssetId {
        AssetId::from_bytes([7; 16])
    }

    fn halves() -> DynamicImage {
        let mut picture = RgbImage::from_pixel(40, 20, Rgb([255, 0, 0]));
        for (x, _, pixel) in picture.enumerate_pixels_mut() {
            if x >= 20 {
                *pixel = Rgb([0, 0, 255]);
            }
        }
        picture.into()
    }

    fn with(protocol: GraphicsProtocol) -> Drawing {
        Drawing {
            protocol,
            font: if protocol == GraphicsProtocol::Blocks { (1, 2) } else { (4, 8) },
            tmux: false,
            deep: true,
            pixels: CellPixels::Half,
        }
    }

    #[test]
    fn a_picture_keeps_its_aspect_ratio() {
        assert_eq!(fit((400, 200), (20, 20), (1, 2)), (20, 5));
        assert_eq!(fit((200, 400), (20, 10), (1, 2)), (10, 10));
        assert_eq!(fit((10_000, 1), (20, 10), (1, 2)), (20, 1));
        assert_eq!(fit((0, 0), (0, 0), (0, 0)), (1, 1));
    }

    #[test]
    fn half_blocks_show_the_colours() {
        let wanted = PictureRequest::thumbnail(asset(), (8, 8));
        let painted = encode(&halves(), wanted, with(GraphicsProtocol::Blocks), 1).unwrap();
        let cells = &painted.frame.cells;
        assert_eq!((cells.area.width, cells.area.height), (8, 2));
        assert_eq!(cells[(0, 0)].bg, Color::Rgb(255, 0, 0));
        assert_eq!(cells[(7, 1)].bg, Color::Rgb(0, 0, 255));
        assert_eq!(painted.frame.pixels, (40, 20));
    }

    #[test]
    fn a_single_changed_pixel_stays_visible_in_a_heat_map() {
        let mut picture = RgbImage::new(400, 200);
        picture.put_pixel(399, 199, Rgb([255, 255, 230]));
        let of = PictureOf::Difference(asset(), asset());
        let wanted = PictureRequest::whole(of, (8, 8), crate::ui::picture::WHOLE);
        let painted = encode(&picture.into(), wanted, with(GraphicsProtocol::Blocks), 1).unwrap();
        let cells = &painted.frame.cells.content;
        let bright = Color::Rgb(255, 255, 230);
        assert_eq!(cells.iter().filter(|cell| cell.fg == bright || cell.bg == bright).count(), 1);

        let mut strip = RgbImage::new(10_000, 3);
        strip.put_pixel(5_000, 1, Rgb([255, 255, 230]));
        let small = brightest(&strip.into(), (100, 6)).into_rgb8();
        assert_eq!(small.dimensions(), (100, 6));
        assert!(small.pixels().any(|it| it.0[0] > 100), "it is narrower, and not averaged away");
    }

    #[test]
    fn a_part_fills_the_place() {
        let wanted = PictureRequest::whole(asset(), (4, 2), [0.5, 0.0, 0.5, 1.0]);
        let painted = encode(&halves(), wanted, with(GraphicsProtocol::Blocks), 1).unwrap();
        let blue = Color::Rgb(0, 0, 255);
        assert!(painted.frame.cells.content.iter().all(|cell| cell.bg == blue));
        let outside = PictureRequest::whole(asset(), (4, 2), [2.0, -1.0, 9.0, 0.0]);
        assert!(encode(&halves(), outside, with(GraphicsProtocol::Blocks), 1).is_ok());
    }

    #[test]
    fn kitty_pictures_are_sent_separately_from_their_cells() {
        let wanted = PictureRequest::thumbnail(asset(), (8, 8));
        let painted = encode(&halves(), wanted, with(GraphicsProtocol::Kitty), 0x0102_0304).unwrap();
        let transmit = painted.frame.transmit.as_ref().unwrap();
        assert!(transmit.starts_with("\u{1b}_G") && transmit.contains("i=16909060,"), "{transmit}");
        assert!(!painted.frame.cells.content.iter().any(|cell| cell.symbol().contains('\u{1b}')));
        assert_eq!(painted.frame.id, Some(0x0102_0304));
    }

    #[test]
    fn sixels_and_iterm_are_in_one_piece() {
        for protocol in [GraphicsProtocol::Sixel, GraphicsProtocol::Iterm] {
            let painted =
                encode(&halves(), PictureRequest::thumbnail(asset(), (8, 8)), with(protocol), 1).unwrap();
            assert!(painted.frame.in_one_piece);
            assert!(painted.frame.cells[(0, 0)].symbol().starts_with('\u{1b}'));
        }
    }

    #[test]
    fn bytes_that_are_not_a_picture_are_an_error() {
        assert!(decode(b"no picture").unwrap_err().starts_with("the picture can't be read"));
    }

    #[test]
    fn a_palette_of_few_colours_has_similar_ones() {
        assert_eq!(indexed(Color::Rgb(255, 0, 0)), Color::Indexed(196));
        assert_eq!(indexed(Color::Rgb(128, 128, 128)), Color::Indexed(244));
        assert_eq!(indexed(Color::Reset), Color::Reset);
    }
}
