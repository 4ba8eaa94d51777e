//! Hills: ridge behind ridge in the haze, and a sun.

use super::Scene;
use super::noise::{at, octaves, smooth};
use super::palette::{Palette, add, mix, scale};
use fanlight_shared::rng::Rng;

struct Ridge {
    seed: u32,
    base: f32,
    height: f32,
    width: f32,
    tone: f32,
}

pub(super) fn scene(rng: &mut Rng, palette: Palette) -> Scene {
    let count = 7;
    let horizon = rng.within(-0.05, 0.12);
    let ridges: Vec<Ridge> = (0..count)
        .map(|nth| {
            let near = nth as f32 / (count - 1) as f32;
            Ridge {
                seed: rng.seed(),
                base: horizon + 0.86 * near.powf(1.25),
                height: 0.16 + 0.2 * near * rng.within(0.7, 1.2),
                width: 1.9 - 0.9 * near,
                tone: 0.66 * (1.0 - near).powf(1.15),
            }
        })
        .collect();
    let (sun_x, sun_y) = (rng.within(-0.75, 0.75), horizon - rng.within(0.28, 0.5));
    let sun = rng.within(0.13, 0.2);
    let clouds = rng.seed();
    Box::new(move |x, y| {
        let distance = (x - sun_x).hypot(y - sun_y);
        for ridge in ridges.iter().rev() {
            let crest = ridge.base
                - ridge.height * (0.35 + octaves(x * ridge.width, ridge.base * 9.0, 5, ridge.seed));
            if y > crest {
                let depth = y - crest;
                // Haze fills the valleys and takes on the colour of the sun.
                let haze = 0.17 * smooth(0.0, 0.42, depth) * smooth(0.0, 0.25, ridge.tone + 0.06);
                let ground = palette.at(ridge.tone + haze);
                let warm = (-distance * distance * 1.1).exp() * ridge.tone * 0.34;
                return add(scale(ground, 0.97), scale(palette.at(0.82), warm));
            }
        }
        let up = smooth(-1.15, horizon + 0.1, y);
        let sky = palette.at(0.36 + 0.56 * up);
        let streaks = octaves(x * 0.8, y * 5.0, 4, clouds) + 0.3 * at(x * 0.4, y * 2.0, clouds ^ 7);
        let sky = mix(sky, palette.at(0.97), 0.3 * smooth(0.08, 0.75, streaks));
        let glow = 0.5 * (-distance * 2.6).exp();
        let sky = mix(sky, palette.at(1.0), glow);
        let disc = smooth(sun + 0.004, sun - 0.004, distance);
        mix(sky, mix(palette.at(1.0), [1.0, 1.0, 0.97], 0.6), disc)
    })
}
