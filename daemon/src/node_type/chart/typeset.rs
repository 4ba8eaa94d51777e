//! The size of text.

use ab_glyph::{Font as _, PxScale, ScaleFont as _};

use crate::node_type::font::Weight;

/// A style of text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Type {
    /// Pixels from the top of a line to its bottom.
    pub(super) size: f32,
    pub(super) weight: Weight,
}

impl Type {
    pub(super) const fn regular(size: f32) -> Self {
        Self { size, weight: Weight::Regular }
    }

    pub(super) const fn heavy(size: f32) -> Self {
        Self { size, weight: Weight::Heavy }
    }

    /// Returns the pixels between the baseline and the middle of a capital letter.
    pub(super) fn middle(self) -> f32 {
        self.size * 0.3
    }

    /// Returns the width of a line.
    pub(super) fn width(self, text: &str) -> f32 {
        let Ok(font) = self.weight.font() else { return 0.0 };
        let font = font.as_scaled(PxScale::from(self.size));
        let (mut width, mut before) = (0.0, None);
        for character in text.chars() {
            let glyph = font.glyph_id(character);
            width += font.h_advance(glyph) + before.map_or(0.0, |it| font.kern(it, glyph));
            before = Some(glyph);
        }
        width
    }

    /// Returns the text without non-printing characters, truncated with `…` where it is wider than `most`.
    pub(super) fn fit(self, text: &str, most: f32) -> String {
        let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let text = text.trim();
        // No text needs more letters than a picture has pixels.
        let mut kept: String = text.chars().take(most.max(0.0) as usize + 1).collect();
        if kept.len() == text.len() && self.width(text) <= most {
            return kept;
        }
        while !kept.is_empty() {
            kept.pop();
            let shown = format!("{}…", kept.trim_end());
            if self.width(&shown) <= most {
                return shown;
            }
        }
        String::new()
    }
}
