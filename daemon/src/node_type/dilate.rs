//! Grey-scale dilation by a disk, for outlines and shadows of text.

use image::GrayImage;

/// Returns the picture with each pixel replaced by the brightest within `radius`.
///
/// A disk is a stack of rows that widen towards its middle. So the horizontal maximum is widened step by step and
/// applied to the result once for each row above and below, which takes about `3 * radius` passes instead of one for
/// each of the disk's pixels.
pub(super) fn dilate(picture: &GrayImage, radius: u32) -> GrayImage {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let mut widened = picture.as_raw().clone();
    let mut out = GrayImage::new(picture.width(), picture.height());
    let pixels: &mut [u8] = &mut out;
    let mut half_width = 0;
    for row in (0..=radius).rev() {
        while (half_width + 1_u32).pow(2) + row.pow(2) <= radius.pow(2) {
            widen(&mut widened, width);
            half_width += 1;
        }
        let row = row as usize;
        if row < height {
            let shift = row * width;
            brighten(&mut pixels[shift..], &widened);
            brighten(pixels, &widened[shift..]);
        }
    }
    out
}

/// Replaces each pixel by the brightest of itself and its two neighbours in the row.
fn widen(pixels: &mut [u8], width: usize) {
    for row in pixels.chunks_mut(width.max(1)) {
        for x in 1..row.len() {
            row[x - 1] = row[x - 1].max(row[x]);
        }
        for x in (1..row.len()).rev() {
            row[x] = row[x].max(row[x - 1]);
        }
    }
}

fn brighten(pixels: &mut [u8], by: &[u8]) {
    for (pixel, by) in pixels.iter_mut().zip(by) {
        *pixel = (*pixel).max(*by);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(width: u32, rows: &[&[u8]]) -> GrayImage {
        GrayImage::from_raw(width, rows.len() as u32, rows.concat()).unwrap()
    }

    #[test]
    fn the_brightest_pixel_within_the_radius_wins() {
        let given =
            picture(6, &[&[7, 0, 0, 0, 0, 0], &[0; 6], &[0, 0, 99, 0, 0, 0], &[0; 6], &[0, 0, 0, 0, 0, 222]]);
        let by_one = picture(
            6,
            &[
                &[7, 7, 0, 0, 0, 0],
                &[7, 0, 99, 0, 0, 0],
                &[0, 99, 99, 99, 0, 0],
                &[0, 0, 99, 0, 0, 222],
                &[0, 0, 0, 0, 222, 222],
            ],
        );
        let by_three = picture(
            6,
            &[
                &[99, 99, 99, 99, 99, 0],
                &[99, 99, 99, 99, 99, 222],
                &[99, 99, 99, 222, 222, 222],
                &[99, 99, 99, 222, 222, 222],
                &[99, 99, 222, 222, 222, 222],
            ],
        );
        assert_eq!(dilate(&given, 0), given);
        assert_eq!(dilate(&given, 1), by_one);
        assert_eq!(dilate(&given, 3), by_three);
    }

    #[test]
    fn each_pixel_equals_a_search_through_the_whole_disk() {
        let given = GrayImage::from_fn(23, 9, |x, y| image::Luma([((x * 37 + y * 91) % 251) as u8]));
        for radius in 0..14_u32 {
            let expected = GrayImage::from_fn(23, 9, |x, y| {
                let near = given.enumerate_pixels().filter(|(other_x, other_y, _)| {
                    other_x.abs_diff(x).pow(2) + other_y.abs_diff(y).pow(2) <= radius.pow(2)
                });
                image::Luma([near.map(|it| it.2.0[0]).max().unwrap()])
            });
            assert_eq!(dilate(&given, radius), expected, "{radius}");
        }
        assert_eq!(dilate(&GrayImage::new(0, 4), 3), GrayImage::new(0, 4));
    }
}
