//! Mandelbrot: a place at the edge of the set, smoothly coloured and lit like a relief.

use super::Scene;
use super::palette::{Palette, add, scale};
use fanlight_shared::rng::Rng;

/// The centre and half height of interesting views.
const PLACES: [(f64, f64, f64); 10] = [
    (-0.743_643_887, 0.131_825_904, 0.000_9),
    (-0.722, 0.246, 0.011),
    (-0.745_3, 0.112_7, 0.000_4),
    (-0.160_701_35, 1.037_566_5, 0.008),
    (-1.250_66, 0.020_12, 0.000_15),
    (-0.235_125, 0.827_215, 0.004),
    (-0.775_683_77, 0.136_467_37, 0.002_2),
    (-0.925, 0.266, 0.02),
    (0.281_717_921_93, 0.577_105_218_35, 0.002_4),
    (-0.550_5, -0.625_9, 0.014),
];
const MAX_STEPS: u32 = 1500;
/// Large, so that the colouring is smooth.
const ESCAPE_RADIUS_SQUARED: f64 = 1e4;

pub(super) fn scene(rng: &mut Rng, palette: Palette) -> Scene {
    let &(cx, cy, zoom) = rng.pick(&PLACES);
    let (sin, cos) = f64::from(rng.within(0.0, std::f32::consts::TAU)).sin_cos();
    let zoom = zoom * f64::from(rng.within(0.7, 1.3));
    let phase = rng.within(0.0, 1.0);
    Box::new(move |x, y| {
        let (x, y) = (f64::from(x), f64::from(y));
        let (a, b) = (cx + (x * cos - y * sin) * zoom, cy + (x * sin + y * cos) * zoom);
        let Some((count, light)) = escape(a, b) else { return scale(palette.at(0.0), 0.4) };
        let wave = (count.ln() * 1.55 + phase) * std::f32::consts::TAU;
        let t = 0.52 - 0.46 * wave.cos();
        let lit = scale(palette.at(t), 0.42 + 0.68 * light);
        add(lit, scale(palette.at(1.0), 0.24 * t * light.powi(12)))
    })
}

/// Returns the number of steps until it escapes, smoothed, and the light at this point (0..1).
#[allow(clippy::cast_possible_truncation)]
fn escape(a: f64, b: f64) -> Option<(f32, f32)> {
    let (mut x, mut y, mut dx, mut dy) = (0.0f64, 0.0f64, 0.0f64, 0.0f64);
    for step in 0..MAX_STEPS {
        (dx, dy) = (2.0 * (x * dx - y * dy) + 1.0, 2.0 * (x * dy + y * dx));
        (x, y) = (x * x - y * y + a, 2.0 * x * y + b);
        let size = x * x + y * y;
        if size > ESCAPE_RADIUS_SQUARED {
            let count = f64::from(step) + 2.0 - (size.ln() / 2.0).log2();
            // z / z' points away from the set: the normal of the relief.
            let (nx, ny) = (x * dx + y * dy, y * dx - x * dy);
            let length = nx.hypot(ny).max(f64::MIN_POSITIVE);
            let light = (nx * 0.707 + ny * 0.707) / length;
            let light = ((light + 1.3) / 2.3).clamp(0.0, 1.0);
            return Some((count.max(1.0) as f32, light as f32));
        }
    }
    None
}
