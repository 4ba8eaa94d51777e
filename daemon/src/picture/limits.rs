//! The limits of pictures.

use image::Limits;

/// Longest side of a picture, in pixels.
pub(crate) const SIDE: u32 = 16_384;
/// Pixels of a picture.
pub(crate) const PIXELS: u64 = 100_000_000;
/// The memory of a decoder, in bytes: a picture of [`PIXELS`] with four bytes each, twice.
const DECODER: u64 = 800 << 20;

/// Returns the limits of one decoder.
pub(super) fn decoder() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(SIDE);
    limits.max_image_height = Some(SIDE);
    limits.max_alloc = Some(DECODER);
    limits
}

/// Checks the size of a picture before it is made or decoded.
pub(crate) fn check_size(width: u32, height: u32) -> Result<(), String> {
    if width == 0 || height == 0 {
        return Err(format!("a picture of {width} × {height} pixels is empty"));
    }
    if width > SIDE || height > SIDE || u64::from(width) * u64::from(height) > PIXELS {
        let millions = PIXELS / 1_000_000;
        return Err(format!(
            "a picture of {width} × {height} pixels is too large; at most {SIDE} a side and {millions} million pixels are accepted"
        ));
    }
    Ok(())
}
