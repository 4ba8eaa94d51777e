//! iTerm2's protocol for pictures in the text: a PNG in base64.
//!
//! Source: <https://iterm2.com/documentation-images.html>

use std::fmt::Write;
use std::io::Cursor;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageError, ImageFormat};

use super::passthrough::Passthrough;

/// Returns the sequence that draws the picture at the cursor.
///
/// # Errors
/// The picture can't be written as a PNG.
pub(super) fn sequence(picture: &DynamicImage, cells: (u16, u16), tmux: bool) -> Result<String, ImageError> {
    let mut png = Vec::new();
    picture.write_to(&mut Cursor::new(&mut png), ImageFormat::Png)?;
    let passthrough = Passthrough::new(tmux);
    let mut data = String::from(passthrough.start);
    passthrough.clear(&mut data, cells);
    let (escape, bytes, width, height) = (passthrough.escape, png.len(), picture.width(), picture.height());
    let _ = write!(
        data,
        "{escape}]1337;File=inline=1;size={bytes};width={width}px;height={height}px;doNotMoveCursor=1:"
    );
    STANDARD.encode_string(&png, &mut data);
    data.push('\u{7}');
    data.push_str(passthrough.end);
    Ok(data)
}
