//! Draws text into pictures: wrapping, outline, shadow, with the built-in font.

use ab_glyph::{Font, FontRef, Glyph, OutlinedGlyph, PxScale, ScaleFont, point};
use image::{GrayImage, Luma, Rgba, RgbaImage, imageops};

use super::dilate::dilate;
use super::font::Weight;

/// The most characters that are drawn.
const MAX_CHARS: usize = 20_000;
/// The smallest size in pixels to which text is shrunk so that it fits.
const MIN_FONT_SIZE: f32 = 7.0;

/// A style of text.
pub(super) struct Style {
    /// Height of a line, in pixels.
    pub(super) size: f32,
    pub(super) color: Rgba<u8>,
    /// Width of the outline as a share of the size.
    pub(super) outline: f32,
    pub(super) outline_color: Rgba<u8>,
    /// The darkness of the soft shadow, 0..1.
    pub(super) shadow: f32,
    /// More space between letters, as a share of the size.
    pub(super) spacing: f32,
}

/// The area of a text, in pixels.
#[derive(Clone, Copy)]
pub(super) struct Area {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
    /// 0 is left, 1 right.
    pub(super) across: f32,
    /// 0 is top, 1 bottom.
    pub(super) down: f32,
}

/// Draws text into an area, wrapped, and smaller than requested if it would not fit.
pub(super) fn write(picture: &mut RgbaImage, text: &str, area: Area, style: &Style) -> Result<(), String> {
    let font = Weight::Heavy.font()?;
    if text.chars().count() > MAX_CHARS {
        return Err(format!("the text has more than {MAX_CHARS} characters"));
    }
    let text: String = text
        .chars()
        .map(|c| if c == '\t' { ' ' } else { c })
        .filter(|c| *c == '\n' || !c.is_control())
        .collect();
    if text.trim().is_empty() || area.width < 1.0 || area.height < 1.0 {
        return Ok(());
    }
    let mut size = style.size.max(MIN_FONT_SIZE);
    let lines = loop {
        let setter = Setter { font, size, spacing: style.spacing * size };
        let lines = setter.wrap(text.trim_matches('\n'), area.width);
        // Prefer a smaller size to breaking a word, up to a point.
        let whole = size <= style.size * 0.4 || setter.longest_word(&text) <= area.width;
        if size <= MIN_FONT_SIZE || whole && lines.len() as f32 * setter.line() <= area.height {
            break lines;
        }
        size = (size * 0.93).max(MIN_FONT_SIZE);
    };
    let setter = Setter { font, size, spacing: style.spacing * size };
    let glyphs = setter.place(&lines, area);
    paint(picture, &glyphs, size, style);
    Ok(())
}

struct Setter<'a> {
    font: &'a FontRef<'static>,
    size: f32,
    spacing: f32,
}

impl Setter<'_> {
    fn line(&self) -> f32 {
        let scaled = self.font.as_scaled(PxScale::from(self.size));
        scaled.height() + scaled.line_gap()
    }

    fn width(&self, text: &str) -> f32 {
        let scaled = self.font.as_scaled(PxScale::from(self.size));
        let mut width = 0.0;
        let mut before = None;
        for c in text.chars() {
            let id = scaled.glyph_id(c);
            width += scaled.h_advance(id) + self.spacing + before.map_or(0.0, |it| scaled.kern(it, id));
            before = Some(id);
        }
        (width - self.spacing).max(0.0)
    }

    fn longest_word(&self, text: &str) -> f32 {
        text.split_whitespace().map(|word| self.width(word)).fold(0.0, f32::max)
    }

    /// Wraps text into lines no wider than `most`; a single word that is wider is broken.
    fn wrap(&self, text: &str, most: f32) -> Vec<String> {
        let mut lines = Vec::new();
        for paragraph in text.split('\n') {
            let mut line = String::new();
            for word in paragraph.split_whitespace() {
                let joined = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
                if self.width(&joined) <= most {
                    line = joined;
                    continue;
                }
                if !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
                for c in word.chars() {
                    line.push(c);
                    if self.width(&line) > most && line.chars().count() > 1 {
                        line.pop();
                        lines.push(std::mem::replace(&mut line, c.to_string()));
                    }
                }
            }
            lines.push(line);
        }
        lines
    }

    fn place(&self, lines: &[String], area: Area) -> Vec<OutlinedGlyph> {
        let scaled = self.font.as_scaled(PxScale::from(self.size));
        let top = area.y + (area.height - self.line() * lines.len() as f32) * area.down;
        let mut glyphs = Vec::new();
        for (nth, line) in lines.iter().enumerate() {
            let baseline = top + self.line() * nth as f32 + scaled.line_gap() / 2.0 + scaled.ascent();
            let mut x = area.x + (area.width - self.width(line)) * area.across;
            let mut before = None;
            for c in line.chars() {
                let id = scaled.glyph_id(c);
                x += before.map_or(0.0, |it| scaled.kern(it, id));
                let glyph: Glyph = id.with_scale_and_position(self.size, point(x, baseline));
                glyphs.extend(self.font.outline_glyph(glyph));
                x += scaled.h_advance(id) + self.spacing;
                before = Some(id);
            }
        }
        glyphs
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_possible_wrap)]
fn paint(picture: &mut RgbaImage, glyphs: &[OutlinedGlyph], size: f32, style: &Style) {
    let outline = (style.outline * size).round().clamp(0.0, 60.0);
    let soft = (size * 0.09).max(1.0);
    let pad = (outline + soft * 4.0).ceil() as i64 + 2;
    let bounds = glyphs.iter().map(OutlinedGlyph::px_bounds).reduce(|mut all, one| {
        all.min = point(all.min.x.min(one.min.x), all.min.y.min(one.min.y));
        all.max = point(all.max.x.max(one.max.x), all.max.y.max(one.max.y));
        all
    });
    let Some(bounds) = bounds else { return };
    // Draw only the visible part: text may be far larger than the picture.
    let (w, h) = (i64::from(picture.width()), i64::from(picture.height()));
    let left = (bounds.min.x as i64 - pad).clamp(-pad, w);
    let top = (bounds.min.y as i64 - pad).clamp(-pad, h);
    let right = (bounds.max.x as i64 + pad).clamp(left, w + pad);
    let bottom = (bounds.max.y as i64 + pad).clamp(top, h + pad);
    let mut letters = GrayImage::new((right - left) as u32, (bottom - top) as u32);
    for glyph in glyphs {
        let at = glyph.px_bounds().min;
        let (gx, gy) = (at.x as i64 - left, at.y as i64 - top);
        glyph.draw(|x, y, cover| {
            let (x, y) = (gx + i64::from(x), gy + i64::from(y));
            if let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y))
                && let Some(Luma([shown])) = letters.get_pixel_mut_checked(x, y)
            {
                *shown = (*shown).max((cover * 255.0).round() as u8);
            }
        });
    }
    let edge = (outline >= 1.0).then(|| dilate(&letters, outline as u32));
    if style.shadow > 0.0 {
        let dark = imageops::fast_blur(edge.as_ref().unwrap_or(&letters), soft);
        let alpha = (style.shadow * 255.0).round() as u8;
        lay(picture, &dark, left, top + (size * 0.04).round() as i64, Rgba([0, 0, 0, alpha]));
    }
    if let Some(edge) = &edge {
        lay(picture, edge, left, top, style.outline_color);
    }
    lay(picture, &letters, left, top, style.color);
}

/// Draws a colour over the picture through a mask.
fn lay(picture: &mut RgbaImage, mask: &GrayImage, left: i64, top: i64, color: Rgba<u8>) {
    use image::Pixel;
    for (x, y, Luma([cover])) in mask.enumerate_pixels() {
        if *cover == 0 {
            continue;
        }
        let (Ok(x), Ok(y)) = (u32::try_from(left + i64::from(x)), u32::try_from(top + i64::from(y))) else {
            continue;
        };
        if let Some(pixel) = picture.get_pixel_mut_checked(x, y) {
            let alpha = u16::from(*cover) * u16::from(color.0[3]) / 255;
            pixel.blend(&Rgba([color.0[0], color.0[1], color.0[2], alpha as u8]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(size: f32) -> Style {
        Style {
            size,
            color: Rgba([255, 255, 255, 255]),
            outline: 0.0,
            outline_color: Rgba([0, 0, 0, 255]),
            shadow: 0.0,
            spacing: 0.0,
        }
    }

    fn lit(text: &str, area: Area, size: f32) -> Vec<(u32, u32)> {
        let mut picture = RgbaImage::from_pixel(200, 100, Rgba([0, 0, 0, 255]));
        write(&mut picture, text, area, &style(size)).unwrap();
        picture.enumerate_pixels().filter(|it| it.2.0[0] > 128).map(|(x, y, _)| (x, y)).collect()
    }

    fn area(across: f32, down: f32) -> Area {
        Area { x: 0.0, y: 0.0, width: 200.0, height: 100.0, across, down }
    }

    #[test]
    fn text_is_at_the_requested_position() {
        let low_right = lit("Hi", area(1.0, 1.0), 20.0);
        assert!(!low_right.is_empty() && low_right.iter().all(|(x, y)| *x > 150 && *y > 60));
        let top_left = lit("Hi", area(0.0, 0.0), 20.0);
        assert!(!top_left.is_empty() && top_left.iter().all(|(x, y)| *x < 50 && *y < 40));
    }

    #[test]
    fn long_text_wraps_and_shrinks_until_it_fits() {
        let many = lit(&"many words ".repeat(20), area(0.5, 0.5), 40.0);
        assert!(!many.is_empty() && many.iter().all(|(_, y)| (1..99).contains(y)));
        let font = Weight::Heavy.font().unwrap();
        let setter = Setter { font, size: 20.0, spacing: 0.0 };
        let lines = setter.wrap("one two\n\nDonaudampfschifffahrtsgesellschaft", 80.0);
        assert_eq!(&lines[..2], ["one two", ""]);
        assert!(lines.len() > 4 && lines.iter().all(|line| setter.width(line) <= 80.0), "{lines:?}");
    }

    #[test]
    fn odd_text_does_no_harm() {
        assert!(lit("", area(0.0, 0.0), 20.0).is_empty());
        assert!(lit(" \n\t\u{7} ", area(0.0, 0.0), 20.0).is_empty());
        assert!(
            !lit("日本 🎉", area(0.0, 0.0), 20.0).is_empty(),
            "letters that the font lacks show as boxes"
        );
        assert!(
            !lit(
                "A",
                Area { x: -9000.0, y: 0.0, width: 9100.0, height: 5000.0, across: 1.0, down: 0.0 },
                90.0
            )
            .is_empty()
        );
    }
}
