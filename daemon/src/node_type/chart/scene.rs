//! The parts of a chart: a few kinds of shapes, placed in pixels from the top left.

use image::Rgba;

use super::typeset::Type;

/// A colour with its opacity.
pub(super) type Color = Rgba<u8>;

/// A rectangle.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Area {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) width: f32,
    pub(super) height: f32,
}

impl Area {
    pub(super) fn right(self) -> f32 {
        self.x + self.width
    }

    pub(super) fn bottom(self) -> f32 {
        self.y + self.height
    }
}

/// The part of a text that is at its point.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Text {
    /// On the base line.
    pub(super) at: (f32, f32),
    pub(super) text: String,
    pub(super) ty: Type,
    pub(super) color: Color,
    pub(super) anchor: Anchor,
    /// Degrees, clockwise.
    pub(super) angle: f32,
}

/// A shape.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    Box { area: Area, radius: f32, fill: Color },
    Line { points: Vec<(f32, f32)>, width: f32, color: Color },
    Polygon { corners: Vec<(f32, f32)>, fill: Color },
    Circle { center: (f32, f32), radius: f32, fill: Color },
    Text(Text),
}

/// A whole chart. Later shapes lie over earlier ones.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Scene {
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) background: Color,
    /// A description, for people who can't see it.
    pub(super) title: String,
    pub(super) shapes: Vec<Shape>,
}

impl Scene {
    pub(super) fn rect(&mut self, area: Area, radius: f32, fill: Color) {
        if area.width > 0.0 && area.height > 0.0 {
            self.shapes.push(Shape::Box { area, radius, fill });
        }
    }

    pub(super) fn line(&mut self, points: Vec<(f32, f32)>, width: f32, color: Color) {
        if points.len() > 1 {
            self.shapes.push(Shape::Line { points, width, color });
        }
    }

    /// Draws the area between a line and a height.
    pub(super) fn below(&mut self, line: &[(f32, f32)], base: f32, fill: Color) {
        if let (Some(first), Some(last), true) = (line.first(), line.last(), line.len() > 1) {
            let ends = [(last.0, base), (first.0, base)];
            self.shapes.push(Shape::Polygon { corners: line.iter().copied().chain(ends).collect(), fill });
        }
    }

    pub(super) fn circle(&mut self, center: (f32, f32), radius: f32, fill: Color) {
        self.shapes.push(Shape::Circle { center, radius, fill });
    }

    pub(super) fn text(&mut self, text: &str, at: (f32, f32), ty: Type, color: Color, anchor: Anchor) {
        self.turned(text, at, ty, color, anchor, 0.0);
    }

    pub(super) fn turned(
        &mut self,
        text: &str,
        at: (f32, f32),
        ty: Type,
        color: Color,
        anchor: Anchor,
        angle: f32,
    ) {
        if !text.trim().is_empty() {
            self.shapes.push(Shape::Text(Text { at, text: text.to_owned(), ty, color, anchor, angle }));
        }
    }
}
