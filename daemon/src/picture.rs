//! Pictures: decoding and encoding under limits, and resizing. This code must not run in the daemon's own process.

mod jpeg;
mod limits;
mod scale;
mod whole;

use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use image::codecs::gif::GifDecoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::error::LimitErrorKind;
use image::{
    AnimationDecoder as _, DynamicImage, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader,
};

use crate::file_error::FileError;
pub(crate) use limits::{SIDE, check_size};
pub(crate) use scale::scaled;

/// Decodes a picture and rotates it by its EXIF orientation.
pub(crate) fn decode(path: &Path) -> Result<DynamicImage, String> {
    let unreadable = |error: std::io::Error| format!("the picture can't be read: {error}");
    let mut reader =
        ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(unreadable)?;
    if reader.format() == Some(ImageFormat::Jpeg) {
        let whole = File::open(path).and_then(|file| jpeg::is_whole(&mut BufReader::new(file)));
        if !whole.map_err(unreadable)? {
            return Err("the picture is damaged: it ends before its end marker".into());
        }
    }
    reader.limits(limits::decoder());
    let mut decoder = reader.into_decoder().map_err(sentence)?;
    let (width, height) = decoder.dimensions();
    limits::check_size(width, height)?;
    let orientation = decoder.orientation().map_err(sentence)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(sentence)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

/// Checks that a picture is whole, by decoding it. A format or a size that can't be decoded passes.
///
/// # Errors
/// A sentence: it is damaged or cut.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    let unreadable = |error: std::io::Error| format!("the picture can't be read: {error}");
    let mut reader =
        ImageReader::open(path).and_then(ImageReader::with_guessed_format).map_err(unreadable)?;
    let Some(format) = reader.format() else { return Ok(()) };
    if !File::open(path).and_then(|file| whole::has_end(file, format)).map_err(unreadable)? {
        return Err("the picture is damaged: it ends before its end".into());
    }
    if format == ImageFormat::Gif {
        let file = File::open(path).map_err(unreadable)?;
        let frames = GifDecoder::new(BufReader::new(file)).and_then(|mut decoder| {
            decoder.set_limits(limits::decoder())?;
            decoder.into_frames().try_for_each(|frame| frame.map(drop))
        });
        return passing(frames);
    }
    reader.limits(limits::decoder());
    let decoded = reader.into_decoder().and_then(|decoder| {
        let (width, height) = decoder.dimensions();
        match limits::check_size(width, height) {
            Err(_) if width > 0 && height > 0 => Ok(()),
            _ => DynamicImage::from_decoder(decoder).map(drop),
        }
    });
    passing(decoded)
}

/// Lets pass what is not decoded here.
fn passing(decoded: Result<(), ImageError>) -> Result<(), String> {
    match decoded {
        Err(ImageError::Unsupported(_) | ImageError::Limits(_)) => Ok(()),
        decoded => decoded.map_err(sentence),
    }
}

fn sentence(error: ImageError) -> String {
    match error {
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::DimensionError => {
                format!("the picture is too large; at most {} pixels a side are accepted", limits::SIDE)
            }
            _ => "the picture needs more memory than a worker may use".into(),
        },
        ImageError::Unsupported(_) => {
            "this is not a picture of a known format; PNG, JPEG, GIF, WebP, BMP and TIFF are".into()
        }
        other => format!("the picture is damaged: {}", fanlight_shared::value::cut(&other.to_string(), 200)),
    }
}

/// Writes a PNG, fast rather than small. Alpha is left out if every pixel is opaque.
pub(crate) fn encode(picture: &DynamicImage, path: &Path) -> Result<(), FileError> {
    limits::check_size(picture.width(), picture.height())?;
    let opaque = match picture {
        DynamicImage::ImageRgba8(buffer) => buffer.pixels().all(|pixel| pixel.0[3] == 255),
        _ => false,
    };
    let narrowed;
    let picture = match picture {
        _ if opaque => {
            narrowed = DynamicImage::from(picture.to_rgb8());
            &narrowed
        }
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => {
            narrowed = DynamicImage::from(picture.to_rgba16());
            &narrowed
        }
        other => other,
    };
    const FAILED: &str = "the picture can't be written";
    let file = new_file(path).map_err(|error| FileError::of(FAILED, &error))?;
    PngEncoder::new_with_quality(BufWriter::new(file), CompressionType::Fast, FilterType::Adaptive)
        .write_image(picture.as_bytes(), picture.width(), picture.height(), picture.color().into())
        .map_err(|error| match error {
            ImageError::IoError(error) => FileError::of(FAILED, &error),
            other => format!("{FAILED}: {other}").into(),
        })
}

/// Rounds to the nearest byte; `f32::round` is a call into the C library.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
#[inline]
pub(crate) fn byte(value: f32) -> u8 {
    let value = value.clamp(0.0, 255.0);
    let whole = value as u8;
    whole + u8::from(value - f32::from(whole) >= 0.5)
}

/// Creates a file that only its owner can read, whatever the umask.
pub(crate) fn new_file(path: &Path) -> std::io::Result<File> {
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::byte;

    #[test]
    fn numbers_are_rounded_to_the_nearest_byte() {
        let halves = (-20..=2_600).map(|tenth| f32::from(tenth as i16) / 10.0);
        let close = [0.499_999_97, 0.5, 1.499_999_9, 254.499_98, 254.5, 255.4, f32::NAN, f32::INFINITY, -0.5];
        for value in halves.chain(close) {
            assert_eq!(byte(value), value.round().clamp(0.0, 255.0) as u8, "{value}");
        }
    }
}
