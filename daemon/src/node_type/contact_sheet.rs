//! A contact sheet of the products of many runs, with labelled columns and rows. Clients draw it; nodes have `image.tile`.

use image::{DynamicImage, Rgba, RgbaImage, imageops};

use super::image_tile::{fit, letter};
use crate::picture::check_size;

/// The narrowest and the widest cells, in pixels.
const WIDTHS: std::ops::RangeInclusive<u32> = 48..=1024;
/// The height of a cell as a share of its width.
const RATIOS: (f64, f64) = (0.25, 4.0);
const BACKGROUND: Rgba<u8> = Rgba([0x16, 0x18, 0x1d, 255]);
const EMPTY: Rgba<u8> = Rgba([0x20, 0x23, 0x2a, 255]);
const LABEL: Rgba<u8> = Rgba([0xd7, 0xda, 0xe0, 255]);
const DIM: Rgba<u8> = Rgba([0x8a, 0x8f, 0x99, 255]);

/// The sheet while it is drawn, cell by cell.
pub struct ContactSheet {
    sheet: RgbaImage,
    width: u32,
    height: u32,
    gap: u32,
    text: u32,
    left: u32,
    top: u32,
}

impl ContactSheet {
    /// Returns a sheet with these labels and empty cells, each `width` pixels wide and `ratio` as high.
    ///
    /// # Errors
    /// A sentence: it would be too large.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn new(columns: &[String], rows: &[String], width: u32, ratio: f64) -> Result<Self, String> {
        if !WIDTHS.contains(&width) {
            return Err(format!("cells are {} to {} pixels wide", WIDTHS.start(), WIDTHS.end()));
        }
        let ratio = if ratio.is_finite() { ratio.clamp(RATIOS.0, RATIOS.1) } else { 1.0 };
        let height = ((f64::from(width) * ratio).round() as u32).max(1);
        let text = (width / 14).clamp(11, 40);
        let (gap, top) = ((width / 24).clamp(4, 24), text * 3);
        let left = if rows.iter().all(String::is_empty) { 0 } else { (width * 2 / 3).max(text * 8) };
        let along = |count: usize, each: u32, before: u32| {
            let length = count as u64 * u64::from(each + gap) + u64::from(gap + before);
            u32::try_from(length).unwrap_or(u32::MAX)
        };
        let (wide, high) = (along(columns.len(), width, left), along(rows.len(), height + text * 2, top));
        check_size(wide, high)?;
        let sheet = RgbaImage::from_pixel(wide, high, BACKGROUND);
        let mut made = Self { sheet, width, height, gap, text, left, top };
        for (at, label) in columns.iter().enumerate() {
            let (x, _) = made.corner(at, 0);
            letter(
                &mut made.sheet,
                label,
                (x as f32, 0.0, width as f32, top as f32),
                text as f32 * 1.3,
                LABEL,
            )?;
        }
        for (at, label) in rows.iter().enumerate().filter(|(_, label)| !label.is_empty()) {
            let (_, y) = made.corner(0, at);
            let place = (gap as f32, y as f32, (left - gap) as f32, height as f32);
            letter(&mut made.sheet, label, place, text as f32 * 1.3, LABEL)?;
        }
        Ok(made)
    }

    /// Draws a picture into a cell, with a caption below it.
    ///
    /// # Errors
    /// A sentence: the picture can't be resized.
    pub fn picture(
        &mut self,
        at: (usize, usize),
        caption: &str,
        picture: &DynamicImage,
    ) -> Result<(), String> {
        let (x, y) = self.corner(at.0, at.1);
        let picture = fit(picture, self.width, self.height)?;
        let (left, top) = (x + (self.width - picture.width()) / 2, y + (self.height - picture.height()) / 2);
        imageops::overlay(&mut self.sheet, &picture, i64::from(left), i64::from(top));
        self.caption((x, y), caption)
    }

    /// Draws a text into a cell, with a caption below it.
    ///
    /// # Errors
    /// A sentence: the text is too long.
    pub fn text(&mut self, at: (usize, usize), caption: &str, text: &str) -> Result<(), String> {
        self.words(at, text, LABEL)?;
        self.caption(self.corner(at.0, at.1), caption)
    }

    /// Says in a cell why it is empty.
    ///
    /// # Errors
    /// A sentence: the text is too long.
    pub fn empty(&mut self, at: (usize, usize), why: &str) -> Result<(), String> {
        self.words(at, why, DIM)
    }

    /// Returns the sheet.
    #[must_use]
    pub fn finish(self) -> DynamicImage {
        DynamicImage::from(self.sheet).into_rgb8().into()
    }

    fn words(&mut self, at: (usize, usize), text: &str, color: Rgba<u8>) -> Result<(), String> {
        let (x, y) = self.corner(at.0, at.1);
        let back = RgbaImage::from_pixel(self.width, self.height, EMPTY);
        imageops::replace(&mut self.sheet, &back, i64::from(x), i64::from(y));
        let inside = (
            (x + self.gap) as f32,
            (y + self.gap) as f32,
            self.width.saturating_sub(2 * self.gap) as f32,
            self.height.saturating_sub(2 * self.gap) as f32,
        );
        letter(&mut self.sheet, text, inside, self.text as f32, color)
    }

    fn caption(&mut self, (x, y): (u32, u32), caption: &str) -> Result<(), String> {
        let below = (x as f32, (y + self.height) as f32, self.width as f32, self.text as f32 * 1.8);
        letter(&mut self.sheet, caption, below, self.text as f32, DIM)
    }

    /// Returns the corner of a cell, in pixels.
    fn corner(&self, column: usize, row: usize) -> (u32, u32) {
        let along = |at: usize, each: u32, before: u32| {
            before + self.gap + u32::try_from(at).unwrap_or(0) * (each + self.gap)
        };
        (along(column, self.width, self.left), along(row, self.height + self.text * 2, self.top))
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    fn labels(of: &str, count: usize) -> Vec<String> {
        (1..=count).map(|at| format!("{of}={at}")).collect()
    }

    fn red(pixels: &image::RgbImage) -> usize {
        pixels.pixels().filter(|it| **it == Rgb([255, 0, 0])).count()
    }

    #[test]
    fn pictures_and_texts_are_in_their_cells_under_their_labels() {
        let mut sheet = ContactSheet::new(&labels("seed", 3), &labels("style", 2), 64, 0.5).unwrap();
        let picture = RgbaImage::from_pixel(40, 20, Rgba([255, 0, 0, 255])).into();
        let (x, y) = sheet.corner(2, 1);
        sheet.picture((2, 1), "poster#3", &picture).unwrap();
        sheet.text((0, 0), "poster#1", "the sea").unwrap();
        sheet.empty((1, 0), "no run").unwrap();
        let pixels = sheet.finish().into_rgb8();
        assert_eq!(red(&pixels), 64 * 32, "it fills its cell");
        assert_eq!(*pixels.get_pixel(x + 1, y + 1), Rgb([255, 0, 0]));
        assert!(pixels.width() > 3 * 64 + 40 && pixels.height() > 2 * 32);
        let blank = ContactSheet::new(&[String::new()], &[String::new()], 64, 1.0).unwrap();
        assert!(blank.finish().into_rgb8().pixels().all(|it| it.0 == [0x16, 0x18, 0x1d]));
    }

    #[test]
    fn a_sheet_has_limits() {
        let many = labels("seed", 300);
        let why = ContactSheet::new(&many, &many, 256, 1.0).err().unwrap();
        assert!(why.contains("too large"), "{why}");
        assert!(ContactSheet::new(&many, &many, 2, 1.0).err().unwrap().contains("48 to 1024"));
        assert!(ContactSheet::new(&labels("a", 1), &labels("b", 1), 64, f64::NAN).is_ok());
    }
}
