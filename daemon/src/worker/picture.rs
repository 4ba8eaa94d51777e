//! Decoding and encoding pictures, under limits.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::error::LimitErrorKind;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageError, ImageReader};

use super::limits;

/// Decodes a picture, turned upright as its EXIF orientation says.
pub(super) fn decode(path: &Path) -> Result<DynamicImage, String> {
    let mut reader = ImageReader::open(path)
        .and_then(ImageReader::with_guessed_format)
        .map_err(|error| format!("the picture can't be read: {error}"))?;
    reader.limits(limits::decoder());
    let mut decoder = reader.into_decoder().map_err(sentence)?;
    let (width, height) = decoder.dimensions();
    limits::check_size(width, height)?;
    let orientation = decoder.orientation().map_err(sentence)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(sentence)?;
    picture.apply_orientation(orientation);
    Ok(picture)
}

fn sentence(error: ImageError) -> String {
    match error {
        ImageError::Limits(limit) => match limit.kind() {
            LimitErrorKind::DimensionError => {
                format!("the picture is too large; at most {} pixels a side are taken", limits::SIDE)
            }
            _ => "the picture needs more memory than a worker may take".into(),
        },
        ImageError::Unsupported(_) => {
            "this is no picture of a known kind; PNG, JPEG, GIF, WebP, BMP and TIFF are".into()
        }
        other => format!("the picture is damaged: {}", fanlight_shared::value::cut(&other.to_string(), 200)),
    }
}

/// Writes a PNG, fast rather than small. Alpha is left out where every pixel is opaque.
pub(super) fn encode(picture: &DynamicImage, path: &Path) -> Result<(), String> {
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
    let file = File::create_new(path).map_err(|error| format!("the picture can't be written: {error}"))?;
    PngEncoder::new_with_quality(BufWriter::new(file), CompressionType::Fast, FilterType::Adaptive)
        .write_image(picture.as_bytes(), picture.width(), picture.height(), picture.color().into())
        .map_err(|error| format!("the picture can't be written: {error}"))
}
