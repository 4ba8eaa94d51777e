//! The difference of two pictures, as a heat map and in figures.

use image::{DynamicImage, Rgb, RgbImage};

/// The colours of the scale: from the smallest difference to the largest; equal pixels are black.
const SCALE: [[f32; 3]; 5] = [
    [40.0, 40.0, 150.0],
    [150.0, 40.0, 160.0],
    [225.0, 60.0, 60.0],
    [250.0, 180.0, 50.0],
    [255.0, 255.0, 230.0],
];

/// The most pixels of pictures that are compared: both, their levels and the map are in memory at the same time.
const MAX_PIXELS: u64 = 1 << 26;

/// How much two pictures differ.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Difference {
    /// How many pixels differ.
    pub pixels: u64,
    /// Of how many.
    pub of: u64,
    /// The largest difference of a pixel in one of red, green, blue and alpha, between 0 and 1.
    pub largest: f32,
}

/// Returns the heat map of two pictures, whose brightest colour is the largest difference, and the figures.
///
/// # Errors
/// A sentence: their sizes differ.
pub fn between(a: &DynamicImage, b: &DynamicImage) -> Result<(DynamicImage, Difference), String> {
    let size = |it: &DynamicImage| (it.width(), it.height());
    if size(a) != size(b) {
        let words = |(width, height): (u32, u32)| format!("{width}×{height}");
        return Err(format!("the pictures have different sizes: {} and {}", words(size(a)), words(size(b))));
    }
    let (width, height) = size(a);
    let count = u64::from(width) * u64::from(height);
    if count > MAX_PIXELS {
        let most = MAX_PIXELS / 1_000_000;
        return Err(format!("{width}×{height} pixels are too many to compare; {most} million are possible"));
    }
    let is_deep = |it: &DynamicImage| it.color().bytes_per_pixel() > it.color().channel_count();
    let is_deep = is_deep(a) || is_deep(b);
    let mut levels: Vec<u16> = Vec::with_capacity(usize::try_from(count).unwrap_or(0));
    // Row by row, so that neither is converted as a whole.
    for y in 0..height {
        let (a, b) = (a.crop_imm(0, y, width, 1), b.crop_imm(0, y, width, 1));
        if is_deep {
            let (a, b) = (a.into_rgba16(), b.into_rgba16());
            levels.extend(a.pixels().zip(b.pixels()).map(|(a, b)| level(a.0, b.0)));
        } else {
            let (a, b) = (a.into_rgba8(), b.into_rgba8());
            levels.extend(a.pixels().zip(b.pixels()).map(|(a, b)| level(a.0, b.0)));
        }
    }
    let largest = levels.iter().copied().max().unwrap_or(0);
    let mut map = RgbImage::new(width, height);
    for (pixel, level) in map.pixels_mut().zip(&levels) {
        *pixel = colour(f32::from(*level) / f32::from(largest.max(1)));
    }
    let pixels = levels.iter().filter(|level| **level > 0).count() as u64;
    let most = if is_deep { u16::MAX } else { u8::MAX.into() };
    Ok((map.into(), Difference { pixels, of: count, largest: f32::from(largest) / f32::from(most) }))
}

/// Returns the largest difference of a channel.
fn level<T: Copy + Into<u16>>(a: [T; 4], b: [T; 4]) -> u16 {
    a.into_iter().zip(b).map(|(a, b)| a.into().abs_diff(b.into())).fold(0, u16::max)
}

/// Returns a number that grows with the difference that a colour of a heat map stands for.
#[must_use]
pub fn rank(colour: Rgb<u8>) -> (u8, u8) {
    // Along the scale neither red nor green ever decreases; the sum of all channels does.
    (colour.0[0], colour.0[1])
}

/// Returns the colour of a difference between 0 and 1.
#[must_use]
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub fn colour(level: f32) -> Rgb<u8> {
    if level <= 0.0 {
        return Rgb([0, 0, 0]);
    }
    let at = level.min(1.0) * (SCALE.len() - 1) as f32;
    let before = (at as usize).min(SCALE.len() - 2);
    let share = at - before as f32;
    let (from, to) = (SCALE[before], SCALE[before + 1]);
    Rgb(std::array::from_fn(|channel| (from[channel] + (to[channel] - from[channel]) * share) as u8))
}

#[cfg(test)]
mod tests {
    use image::{Rgba, RgbaImage};

    use super::*;

    fn picture(changes: &[(u32, u8)]) -> DynamicImage {
        let mut picture = RgbaImage::from_pixel(10, 2, Rgba([100, 100, 100, 255]));
        for (x, value) in changes {
            picture.put_pixel(*x, 0, Rgba([100, *value, 100, 255]));
        }
        picture.into()
    }

    #[test]
    fn every_changed_pixel_is_counted_and_bright() {
        let (map, found) = between(&picture(&[]), &picture(&[(1, 101), (2, 202)])).unwrap();
        assert_eq!((found.pixels, found.of), (2, 20));
        assert!((found.largest - 102.0 / 255.0).abs() < 1e-6);
        let map = map.into_rgb8();
        assert_eq!(map[(0, 0)], Rgb([0, 0, 0]));
        assert!(map[(1, 0)].0.iter().any(|it| *it > 100), "one step of 255 is visible: {:?}", map[(1, 0)]);
        assert_eq!(map[(2, 0)], Rgb([255, 255, 230]));
        let (map, found) = between(&picture(&[]), &picture(&[])).unwrap();
        assert_eq!((found.pixels, found.largest), (0, 0.0));
        assert!(map.into_rgb8().pixels().all(|it| it.0 == [0, 0, 0]));
    }

    #[test]
    fn a_larger_difference_never_has_a_lower_rank() {
        let ranks: Vec<_> = (0..=1_000_u16).map(|level| rank(colour(f32::from(level) / 1_000.0))).collect();
        assert!(ranks.is_sorted() && ranks[0] < ranks[1]);
    }

    #[test]
    fn pictures_that_would_take_too_much_memory_are_refused() {
        let huge = DynamicImage::new_luma8(16_384, 4_097);
        assert!(between(&huge, &huge).unwrap_err().contains("too many to compare"));
    }

    #[test]
    fn small_differences_of_deep_pictures_count() {
        let deep =
            |value: u16| DynamicImage::from(image::ImageBuffer::from_pixel(2, 1, image::Luma([value])));
        assert_eq!(between(&deep(1_000), &deep(1_001)).unwrap().1.pixels, 2);
    }

    #[test]
    fn sizes_must_be_equal() {
        let why = between(&picture(&[]), &DynamicImage::new_rgb8(3, 2)).unwrap_err();
        assert_eq!(why, "the pictures have different sizes: 10×2 and 3×2");
    }
}
