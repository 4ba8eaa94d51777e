//! Half blocks: two pixels per cell, in any terminal with colours.

use image::DynamicImage;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Color;

/// Returns the picture as half blocks. Its height in pixels is twice the height in cells.
pub(super) fn cells(picture: &DynamicImage, (width, height): (u16, u16)) -> Buffer {
    let pixels = picture.to_rgb8();
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    for y in 0..height {
        for x in 0..width {
            let colour = |row: u32| {
                let pixel = pixels.get_pixel_checked(u32::from(x), row);
                pixel.map_or([0; 3], |pixel| pixel.0)
            };
            let (upper, lower) = (colour(u32::from(y) * 2), colour(u32::from(y) * 2 + 1));
            // The glyph has the brighter colour: many fonts leave a thin line of background around it, which is least
            // visible in the darker colour.
            let (glyph, front, back) = if upper == lower {
                (" ", upper, lower)
            } else if luminance(lower) > luminance(upper) {
                ("▄", lower, upper)
            } else {
                ("▀", upper, lower)
            };
            let rgb = |[red, green, blue]: [u8; 3]| Color::Rgb(red, green, blue);
            buffer[(x, y)].set_symbol(glyph).set_fg(rgb(front)).set_bg(rgb(back));
        }
    }
    buffer
}

/// Returns the relative luminance by the weights of ITU-R BT.709, times 10,000.
fn luminance([red, green, blue]: [u8; 3]) -> u32 {
    2126 * u32::from(red) + 7152 * u32::from(green) + 722 * u32::from(blue)
}
