//! The visible part of a picture, and its scale.

/// The visible part of a picture, and its scale.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Zoom {
    /// 1 shows all of it.
    factor: f32,
    /// The centre, each coordinate between 0 and 1.
    middle: (f32, f32),
}

impl Default for Zoom {
    fn default() -> Self {
        Self { factor: 1.0, middle: (0.5, 0.5) }
    }
}

const STEP: f32 = 1.5;
/// The maximum size of a pixel, in pixels of the screen.
const MAX_PIXEL_SIZE: f32 = 16.0;

impl Zoom {
    /// Zooms in.
    pub fn closer(&mut self) {
        self.factor = (self.factor * STEP).min(10_000.0);
    }
    /// Zooms out, until all of it is visible.
    pub fn farther(&mut self) {
        self.factor = (self.factor / STEP).max(1.0);
        if self.factor < 1.01 {
            *self = Self::default();
        }
    }
    /// Pans by fractions of the visible part.
    pub fn pan(&mut self, right: f32, down: f32) {
        let reach = 1.0 / self.factor;
        self.middle =
            ((self.middle.0 + right * reach).clamp(0.0, 1.0), (self.middle.1 + down * reach).clamp(0.0, 1.0));
    }
    /// Returns whether all of it is visible.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.factor <= 1.0
    }

    /// Returns the part of a picture that fills an area: left, top, width, height, each between 0 and 1.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn part(&self, pixels: (u32, u32), cells: (u16, u16), font: (u16, u16)) -> [f32; 4] {
        if self.is_whole() || pixels.0 == 0 || pixels.1 == 0 {
            return super::WHOLE;
        }
        let (width, height) = (pixels.0 as f32, pixels.1 as f32);
        let place = (f32::from(cells.0) * f32::from(font.0), f32::from(cells.1) * f32::from(font.1));
        let fit = (place.0 / width).min(place.1 / height);
        let scale = (fit * self.factor).min(MAX_PIXEL_SIZE.max(fit));
        let share = ((place.0 / (width * scale)).min(1.0), (place.1 / (height * scale)).min(1.0));
        let start = |middle: f32, share: f32| (middle - share / 2.0).clamp(0.0, 1.0 - share);
        [start(self.middle.0, share.0), start(self.middle.1, share.1), share.0, share.1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_visible_part_has_the_aspect_ratio_of_its_place_and_stays_inside() {
        let mut zoom = Zoom::default();
        assert_eq!(zoom.part((100, 100), (100, 25), (1, 2)), super::super::WHOLE);
        for _ in 0..4 {
            zoom.closer();
        }
        zoom.pan(9.0, 9.0);
        let [left, top, width, height] = zoom.part((100, 100), (100, 25), (1, 2));
        assert!((left + width - 1.0).abs() < 0.001 && (top + height - 1.0).abs() < 0.001);
        assert!((width / height - 2.0).abs() < 0.01);
        for _ in 0..9 {
            zoom.farther();
        }
        assert_eq!(zoom, Zoom::default());
    }
}
