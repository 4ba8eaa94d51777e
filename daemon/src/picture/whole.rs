//! Whether the file of a picture has its end, for formats whose decoders look at the first picture only.

use std::fs::File;
use std::io::{self, BufReader, Read as _};

use image::ImageFormat;

use super::jpeg;

/// Returns whether a file ends where it says.
pub(super) fn has_end(file: File, format: ImageFormat) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let mut file = BufReader::new(file);
    let whole = match format {
        ImageFormat::Jpeg => jpeg::is_whole(&mut file),
        ImageFormat::Png => png_has_end(&mut file, length),
        ImageFormat::WebP => webp_has_end(&mut file, length),
        _ => Ok(true),
    };
    match whole {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        whole => whole,
    }
}

/// Goes through the parts of a PNG file to its last one.
fn png_has_end(file: &mut BufReader<File>, length: u64) -> io::Result<bool> {
    let mut at = 8;
    file.seek_relative(8)?;
    loop {
        let mut head = [0; 8];
        file.read_exact(&mut head)?;
        let [a, b, c, d, kind @ ..] = head;
        // Its head, its bytes and its checksum.
        at += 12 + u64::from(u32::from_be_bytes([a, b, c, d]));
        if at > length || &kind == b"IEND" {
            return Ok(at <= length);
        }
        file.seek_relative(i64::from(u32::from_be_bytes([a, b, c, d])) + 4)?;
    }
}

fn webp_has_end(file: &mut BufReader<File>, length: u64) -> io::Result<bool> {
    let mut head = [0; 8];
    file.read_exact(&mut head)?;
    let [.., a, b, c, d] = head;
    Ok(u64::from(u32::from_le_bytes([a, b, c, d])) + 8 <= length)
}
