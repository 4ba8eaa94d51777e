//! The part of a drawing that is in view: pan, fit, follow.

use ratatui::layout::Rect;

use super::{Drawing, Place};

/// A section of a drawing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Viewport {
    /// The cell of the drawing in the upper left corner.
    pub origin: (i32, i32),
    /// Columns and rows in view.
    pub size: (i32, i32),
}

impl Viewport {
    /// Returns the view of a drawing from this origin, moved so that as little as possible is empty. A drawing that
    /// fits is centred.
    #[must_use]
    pub fn new(drawing: &Drawing, origin: (i32, i32), area: Rect) -> Self {
        let size = (i32::from(area.width), i32::from(area.height));
        let mut view = Self { origin, size };
        view.clamp(drawing);
        view
    }

    fn clamp(&mut self, drawing: &Drawing) {
        let axis = |origin: i32, world: i32, shown: i32| {
            if world <= shown { (world - shown) / 2 } else { origin.clamp(0, world - shown) }
        };
        self.origin.0 = axis(self.origin.0, drawing.size.0, self.size.0);
        self.origin.1 = axis(self.origin.1, drawing.size.1, self.size.1);
    }

    /// Returns whether the whole drawing is in view.
    #[must_use]
    pub fn holds(self, drawing: &Drawing) -> bool {
        drawing.size.0 <= self.size.0 && drawing.size.1 <= self.size.1
    }

    /// Returns the part of the drawing in view.
    #[must_use]
    pub fn place(&self) -> Place {
        Place { x: self.origin.0, y: self.origin.1, width: self.size.0, height: self.size.1 }
    }

    /// Returns whether any part of an edge may be in view.
    #[must_use]
    pub fn sees_any(&self, points: &[(i32, i32)]) -> bool {
        let (mut low, mut high) = ((i32::MAX, i32::MAX), (i32::MIN, i32::MIN));
        for (x, y) in points {
            low = (low.0.min(*x), low.1.min(*y));
            high = (high.0.max(*x), high.1.max(*y));
        }
        !points.is_empty()
            && self.place().meets(Place {
                x: low.0,
                y: low.1,
                width: high.0 - low.0 + 1,
                height: high.1 - low.1 + 1,
            })
    }

    /// Moves as little as needed to show an area and some of its surroundings.
    pub fn show(&mut self, place: Place, drawing: &Drawing) {
        let axis = |origin: i32, shown: i32, from: i32, to: i32| {
            let margin = ((shown - (to - from)) / 4).clamp(0, 6);
            if from - margin < origin {
                from - margin
            } else if to + margin > origin + shown {
                to + margin - shown
            } else {
                origin
            }
        };
        self.origin.0 = axis(self.origin.0, self.size.0, place.x, place.right());
        self.origin.1 = axis(self.origin.1, self.size.1, place.y, place.bottom());
        self.clamp(drawing);
    }

    /// Moves by this many cells.
    pub fn pan(&mut self, columns: i32, rows: i32, drawing: &Drawing) {
        self.origin = (self.origin.0 + columns, self.origin.1 + rows);
        self.clamp(drawing);
    }

    /// Returns the position of a drawing's cell in a screen area; it is outside the area if the cell isn't in view.
    #[must_use]
    pub fn to_screen(&self, (x, y): (i32, i32), area: Rect) -> (i32, i32) {
        (x - self.origin.0 + i32::from(area.x), y - self.origin.1 + i32::from(area.y))
    }

    /// Returns the visible part of an area of the drawing, in cells of a screen area.
    #[must_use]
    pub fn clip(&self, place: Place, area: Rect) -> Option<Rect> {
        if !self.place().meets(place) {
            return None;
        }
        let (left, top) = self.to_screen((place.x, place.y), area);
        let whole = (left, top, left + place.width, top + place.height);
        let cut = |at: i32, low: u16, high: u16| {
            u16::try_from(at.clamp(i32::from(low), i32::from(high))).unwrap_or(low)
        };
        let x = cut(whole.0, area.x, area.right());
        let y = cut(whole.1, area.y, area.bottom());
        let right = cut(whole.2, area.x, area.right());
        let bottom = cut(whole.3, area.y, area.bottom());
        Some(Rect { x, y, width: right - x, height: bottom - y })
    }
}
