//! Resizes pictures.

use fast_image_resize::images::{TypedImage, TypedImageRef};
use fast_image_resize::pixels::{U8x4, U16x4};
use fast_image_resize::{PixelTrait, ResizeOptions, Resizer};
use image::{DynamicImage, ImageBuffer};

use super::check_size;

/// Resizes a picture with a Lanczos filter, respecting alpha.
pub(crate) fn scaled(picture: &DynamicImage, width: u32, height: u32) -> Result<DynamicImage, String> {
    check_size(width, height)?;
    if (picture.width(), picture.height()) == (width, height) {
        return Ok(picture.clone());
    }
    let colour = picture.color();
    let deep = colour.bytes_per_pixel() > colour.channel_count();
    let made = if deep {
        let pixels = lanczos::<U16x4>(&picture.to_rgba16().into(), width, height)?;
        let raw = pixels.pixels().iter().flat_map(|pixel| pixel.0).collect();
        ImageBuffer::from_raw(width, height, raw).map(DynamicImage::ImageRgba16)
    } else {
        let pixels = lanczos::<U8x4>(&picture.to_rgba8().into(), width, height)?;
        let raw = pixels.pixels().iter().flat_map(|pixel| pixel.0).collect();
        ImageBuffer::from_raw(width, height, raw).map(DynamicImage::ImageRgba8)
    };
    let made = made.ok_or("the picture can't be resized: its size does not match its pixels")?;
    Ok(match (deep, colour.has_color(), colour.has_alpha()) {
        (_, true, true) => made,
        (false, true, false) => made.into_rgb8().into(),
        (false, false, true) => made.into_luma_alpha8().into(),
        (false, false, false) => made.into_luma8().into(),
        (true, true, false) => made.into_rgb16().into(),
        (true, false, true) => made.into_luma_alpha16().into(),
        (true, false, false) => made.into_luma16().into(),
    })
}

/// Resizes pixels of one kind. Two kinds cover all pictures. Each further kind slows down the build, and the library's
/// generic call, which brings in all of them, takes half a minute.
fn lanczos<P: PixelTrait>(
    picture: &DynamicImage,
    width: u32,
    height: u32,
) -> Result<TypedImage<'static, P>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("the picture can't be resized: {error}");
    let source = TypedImageRef::<P>::from_buffer(picture.width(), picture.height(), picture.as_bytes())
        .map_err(|error| failed(&error))?;
    let mut made = TypedImage::new(width, height);
    Resizer::new().resize_typed(&source, &mut made, &ResizeOptions::new()).map_err(|error| failed(&error))?;
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_keeps_its_pixel_type() {
        use image::ColorType::{L8, L16, La8, La16, Rgb8, Rgb16, Rgba8, Rgba16};
        for colour in [L8, La8, Rgb8, Rgba8, L16, La16, Rgb16, Rgba16] {
            let made = scaled(&DynamicImage::new(8, 8, colour), 3, 5).unwrap();
            assert_eq!((made.color(), made.width(), made.height()), (colour, 3, 5));
        }
    }
}
