//! A scene as pixels.

use ab_glyph::{Font as _, OutlineCurve, Point, PxScale, ScaleFont as _, point};
use ab_glyph_rasterizer::Rasterizer;
use image::{Rgba, RgbaImage};

use super::scene::{Anchor, Area, Color, Scene, Shape, Text};

/// How far the corners of a circle drawn by curves lie from its quarter points, as a share of the radius.
const ROUND: f32 = 0.552_285;

/// Returns the picture, `scale` pixels for each of the scene's.
///
/// # Errors
/// The font can't be read.
pub(super) fn paint(scene: &Scene, scale: f32) -> Result<RgbaImage, String> {
    let pixels = |length: f32| ((length * scale).round() as u32).max(1);
    let mut picture = RgbaImage::from_pixel(pixels(scene.width), pixels(scene.height), scene.background);
    for shape in &scene.shapes {
        let mut path = Path { curves: Vec::new(), scale };
        let color = match shape {
            Shape::Box { area, radius, fill } => {
                path.rect(*area, *radius);
                *fill
            }
            Shape::Polygon { corners, fill } => {
                path.polygon(corners);
                *fill
            }
            Shape::Line { points, width, color } => {
                path.stroke(points, *width);
                *color
            }
            Shape::Circle { center, radius, fill } => {
                path.circle(*center, *radius);
                *fill
            }
            Shape::Text(text) => {
                path.text(text)?;
                text.color
            }
        };
        path.fill(&mut picture, color);
    }
    Ok(picture)
}

/// Closed outlines, in pixels of the picture. Each goes round in the same direction, so that where two overlap both
/// count.
struct Path {
    curves: Vec<OutlineCurve>,
    scale: f32,
}

impl Path {
    fn at(&self, (x, y): (f32, f32)) -> Point {
        point(x * self.scale, y * self.scale)
    }

    fn polygon(&mut self, corners: &[(f32, f32)]) {
        let next = |at: usize| corners[(at + 1) % corners.len()];
        let turn: f32 = corners.iter().enumerate().map(|(at, (x, y))| x * next(at).1 - next(at).0 * y).sum();
        for (at, corner) in corners.iter().enumerate() {
            let (from, to) = (self.at(*corner), self.at(next(at)));
            self.curves.push(if turn < 0.0 {
                OutlineCurve::Line(to, from)
            } else {
                OutlineCurve::Line(from, to)
            });
        }
    }

    fn circle(&mut self, (x, y): (f32, f32), radius: f32) {
        let area = Area { x: x - radius, y: y - radius, width: 2.0 * radius, height: 2.0 * radius };
        self.rect(area, radius);
    }

    /// Draws a rectangle with round corners.
    fn rect(&mut self, area: Area, radius: f32) {
        let (left, top, right, bottom) = (area.x, area.y, area.right(), area.bottom());
        let radius = radius.min(area.width / 2.0).min(area.height / 2.0);
        if radius <= 0.0 {
            return self.polygon(&[(left, top), (right, top), (right, bottom), (left, bottom)]);
        }
        let bend = radius * (1.0 - ROUND);
        // Each corner: where it begins, its two handles, where it ends.
        let corners = [
            [(right - radius, top), (right - bend, top), (right, top + bend), (right, top + radius)],
            [
                (right, bottom - radius),
                (right, bottom - bend),
                (right - bend, bottom),
                (right - radius, bottom),
            ],
            [(left + radius, bottom), (left + bend, bottom), (left, bottom - bend), (left, bottom - radius)],
            [(left, top + radius), (left, top + bend), (left + bend, top), (left + radius, top)],
        ];
        for (nth, corner) in corners.iter().enumerate() {
            let [from, one, other, to] = corner.map(|it| self.at(it));
            self.curves.push(OutlineCurve::Cubic(from, one, other, to));
            let next = self.at(corners[(nth + 1) % 4][0]);
            self.curves.push(OutlineCurve::Line(to, next));
        }
    }

    /// Draws a line of some width with round ends and corners.
    fn stroke(&mut self, points: &[(f32, f32)], width: f32) {
        let half = width / 2.0;
        for pair in points.windows(2) {
            let [(x0, y0), (x1, y1)] = [pair[0], pair[1]];
            let length = (x1 - x0).hypot(y1 - y0);
            if length > 0.0 {
                let (across, down) = (-(y1 - y0) / length * half, (x1 - x0) / length * half);
                self.polygon(&[
                    (x0 + across, y0 + down),
                    (x1 + across, y1 + down),
                    (x1 - across, y1 - down),
                    (x0 - across, y0 - down),
                ]);
            }
        }
        // Lines along the edges of pixels stay sharp.
        if width * self.scale >= 1.5 {
            points.iter().for_each(|point| self.circle(*point, half));
        }
    }

    fn text(&mut self, text: &Text) -> Result<(), String> {
        let font = text.ty.weight.font()?;
        let scaled = font.as_scaled(PxScale::from(text.ty.size));
        let factor = scaled.scale_factor();
        let start = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => -text.ty.width(&text.text) / 2.0,
            Anchor::End => -text.ty.width(&text.text),
        };
        let (sin, cos) = text.angle.to_radians().sin_cos();
        let (mut x, mut before) = (start, None);
        for character in text.text.chars() {
            let glyph = scaled.glyph_id(character);
            x += before.map_or(0.0, |it| scaled.kern(it, glyph));
            before = Some(glyph);
            if let Some(outline) = font.outline(glyph) {
                let place = |it: Point| {
                    let (along, down) = (x + it.x * factor.horizontal, -it.y * factor.vertical);
                    self.at((text.at.0 + along * cos - down * sin, text.at.1 + along * sin + down * cos))
                };
                let placed: Vec<OutlineCurve> = outline
                    .curves
                    .into_iter()
                    .map(|curve| match curve {
                        OutlineCurve::Line(a, b) => OutlineCurve::Line(place(a), place(b)),
                        OutlineCurve::Quad(a, b, c) => OutlineCurve::Quad(place(a), place(b), place(c)),
                        OutlineCurve::Cubic(a, b, c, d) => {
                            OutlineCurve::Cubic(place(a), place(b), place(c), place(d))
                        }
                    })
                    .collect();
                self.curves.extend(placed);
            }
            x += scaled.h_advance(glyph);
        }
        Ok(())
    }

    /// Fills the outlines, each pixel as far as they cover it.
    fn fill(&self, picture: &mut RgbaImage, color: Color) {
        let points = || {
            self.curves.iter().flat_map(|curve| match curve {
                OutlineCurve::Line(a, b) => vec![*a, *b],
                OutlineCurve::Quad(a, b, c) => vec![*a, *b, *c],
                OutlineCurve::Cubic(a, b, c, d) => vec![*a, *b, *c, *d],
            })
        };
        let ends = |of: fn(Point) -> f32| {
            let (low, high) =
                points().map(of).fold((f32::MAX, f32::MIN), |(low, high), it| (low.min(it), high.max(it)));
            (low.floor(), high.ceil())
        };
        let ((left, right), (top, bottom)) = (ends(|it| it.x), ends(|it| it.y));
        let (picture_width, picture_height) = (picture.width() as f32, picture.height() as f32);
        let (top, bottom) = (top.clamp(0.0, picture_height), bottom.clamp(0.0, picture_height));
        if left >= picture_width || right <= 0.0 || bottom <= top {
            return;
        }
        // As wide as the shape, even where that is outside of the picture: the rasterizer continues what is beside its area
        // in the next row.
        let (width, height) = ((right - left) as usize, (bottom - top) as usize);
        let mut raster = Rasterizer::new(width, height);
        let origin = |it: &Point| ab_glyph_rasterizer::point(it.x - left, it.y - top);
        for curve in &self.curves {
            match curve {
                OutlineCurve::Line(a, b) => raster.draw_line(origin(a), origin(b)),
                OutlineCurve::Quad(a, b, c) => raster.draw_quad(origin(a), origin(b), origin(c)),
                OutlineCurve::Cubic(a, b, c, d) => {
                    raster.draw_cubic(origin(a), origin(b), origin(c), origin(d))
                }
            }
        }
        let (left, top) = (left as i64, top as u32);
        raster.for_each_pixel_2d(|x, y, cover| {
            let opacity = cover.clamp(0.0, 1.0) * f32::from(color.0[3]) / 255.0;
            if opacity > 0.0
                && let Ok(x) = u32::try_from(left + i64::from(x))
                && let Some(pixel) = picture.get_pixel_mut_checked(x, top + y)
            {
                blend(pixel, color, opacity);
            }
        });
    }
}

fn blend(below: &mut Rgba<u8>, over: Color, opacity: f32) {
    for channel in 0..3 {
        let (from, to) = (f32::from(below.0[channel]), f32::from(over.0[channel]));
        below.0[channel] = (from + (to - from) * opacity).round() as u8;
    }
    below.0[3] = below.0[3].max((opacity * 255.0).round() as u8);
}
