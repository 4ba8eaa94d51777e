//! Gradient: a few soft lights of one palette that run into each other.

use super::Scene;
use super::noise::octaves;
use super::palette::{Palette, from_lab, to_lab};
use fanlight_shared::rng::Rng;

pub(super) fn scene(rng: &mut Rng, palette: Palette) -> Scene {
    let (warp_x, warp_y) = (rng.seed(), rng.seed());
    let tones = [0.06, 0.22, 0.42, 0.6, 0.76, 0.93];
    let lights: Vec<([f32; 2], [f32; 3])> = tones
        .into_iter()
        .map(|tone| {
            let place = [rng.within(-1.5, 1.5), rng.within(-1.05, 1.05)];
            (place, to_lab(palette.at(tone + rng.within(-0.05, 0.05))))
        })
        .collect();
    Box::new(move |x, y| {
        let (wx, wy) = (
            x + 0.45 * octaves(x * 0.6, y * 0.6, 2, warp_x),
            y + 0.45 * octaves(x * 0.6, y * 0.6, 2, warp_y),
        );
        let mut sum = [0.0; 3];
        let mut all = 0.0;
        for ([px, py], lab) in &lights {
            let weight = 1.0 / ((wx - px).powi(2) + (wy - py).powi(2) + 0.09).powf(1.7);
            all += weight;
            sum = [0, 1, 2].map(|i| sum[i] + weight * lab[i]);
        }
        from_lab(sum.map(|it| it / all))
    })
}
