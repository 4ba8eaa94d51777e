//! Plasma: noise distorted by noise, twice.

use super::Scene;
use super::noise::{octaves, smooth};
use super::palette::{Palette, scale};
use fanlight_shared::rng::Rng;

pub(super) fn scene(rng: &mut Rng, palette: Palette) -> Scene {
    let seeds: [u32; 5] = std::array::from_fn(|_| rng.seed());
    let zoom = rng.within(0.5, 0.75);
    let turn = rng.within(0.0, std::f32::consts::TAU);
    let (sin, cos) = turn.sin_cos();
    let bend = rng.within(1.2, 1.8);
    Box::new(move |x, y| {
        let (x, y) = ((x * cos - y * sin) * zoom, (x * sin + y * cos) * zoom);
        let (qx, qy) = (octaves(x, y, 3, seeds[0]), octaves(x + 5.2, y + 1.3, 3, seeds[1]));
        let (bx, by) = (x + bend * qx, y + bend * qy);
        let (rx, ry) = (octaves(bx + 1.7, by + 9.2, 3, seeds[2]), octaves(bx + 8.3, by + 2.8, 3, seeds[3]));
        let f = octaves(x + bend * rx, y + bend * ry, 4, seeds[4]);
        let t = 0.46 + 0.62 * f + 0.22 * ry;
        let folds = (rx * rx + ry * ry).sqrt();
        let shine = 0.2 * smooth(0.45, 1.1, folds + 0.4 * qx) * smooth(0.25, 0.7, t);
        scale(palette.at(t + shine), 0.84 + 0.34 * folds)
    })
}
