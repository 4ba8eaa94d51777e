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
    let is_deep = |it: &DynamicImage| it.color().bytes_per_pixel() > it.color().channel_count();
    let levels: Vec<f32> = if is_deep(a) || is_deep(b) {
        let (a, b) = (a.to_rgba16(), b.to_rgba16());
        a.pixels().zip(b.pixels()).map(|(a, b)| level(a.0, b.0, f32::from(u16::MAX))).collect()
    } else {
        let (a, b) = (a.to_rgba8(), b.to_rgba8());
        a.pixels().zip(b.pixels()).map(|(a, b)| level(a.0, b.0, f32::from(u8::MAX))).collect()
    };
    let largest = levels.iter().copied().fold(0.0, f32::max);
    let mut map = RgbImage::new(a.width(), a.height());
    for (pixel, level) in map.pixels_mut().zip(&levels) {
        *pixel = colour(if largest > 0.0 { level / largest } else { 0.0 });
    }
    let pixels = levels.iter().filter(|level| **level > 0.0).count() as u64;
    Ok((map.into(), Difference { pixels, of: levels.len() as u64, largest }))
}

/// Returns the largest difference of a channel, between 0 and 1.
fn level<T: Copy + Into<f32>>(a: [T; 4], b: [T; 4], most: f32) -> f32 {
    a.into_iter().zip(b).map(|(a, b)| (a.into() - b.into()).abs() / most).fold(0.0, f32::max)
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
