//! Noise: a fractal relief under a low sun, with fine contour lines.

use super::Scene;
use super::noise::{octaves, smooth};
use super::palette::{Palette, mix, scale};
use fanlight_shared::rng::Rng;

pub(super) fn scene(rng: &mut Rng, palette: Palette) -> Scene {
    let (bend, land) = (rng.seed(), rng.seed());
    let zoom = rng.within(0.6, 0.85);
    let (ox, oy) = (rng.within(-50.0, 50.0), rng.within(-50.0, 50.0));
    let height = move |x: f32, y: f32| {
        let (x, y) = (x * zoom + ox, y * zoom + oy);
        let bx = 0.55 * octaves(x * 0.8 + 3.7, y * 0.8, 3, bend);
        octaves(x + bx, y - bx, 5, land)
    };
    Box::new(move |x, y| {
        const STEP: f32 = 0.006;
        let h = height(x, y);
        let (east, south) = (height(x + STEP, y) - h, height(x, y + STEP) - h);
        let (dx, dy) = (east / STEP * 0.32, south / STEP * 0.32);
        // Light from the upper left, a third up.
        let light = (dx * 0.58 + dy * 0.58 + 0.57) / (dx * dx + dy * dy + 1.0).sqrt();
        let t = 0.48 + 0.62 * h;
        let ground = scale(palette.at(t), 0.34 + 1.12 * light.max(0.0));
        let steps = t * 14.0;
        let slope = (dx.hypot(dy) / 0.32 * 14.0 * 0.62).max(0.5);
        let distance = (steps - steps.round()).abs() / slope;
        mix(ground, scale(palette.at(0.98), 0.95), 0.22 * smooth(0.006, 0.002, distance))
    })
}
