//! Sea: a low sun over the water, its path of light, and waves that grow towards the shore.

use super::Scene;
use super::noise::{at, octaves, smooth};
use super::palette::{Linear, Palette, add, mix, scale};
use fanlight_shared::rng::Rng;

pub(super) fn scene(rng: &mut Rng, palette: Palette) -> Scene {
    let horizon = rng.within(-0.08, 0.16);
    let (sun_x, above) = (rng.within(-0.7, 0.7), rng.within(0.05, 0.34));
    let sun_y = horizon - above;
    let sun = rng.within(0.14, 0.2);
    let (clouds, waves, glints) = (rng.seed(), rng.seed(), rng.seed());
    let sky = move |x: f32, y: f32, palette: &Palette| -> Linear {
        let distance = (x - sun_x).hypot(y - sun_y);
        let up = smooth(-1.2, horizon + 0.05, y);
        let base = palette.at(0.3 + 0.56 * up);
        let high = (horizon - y).max(0.02);
        let drift = octaves(x * 0.7 + 2.0, y * 3.2 / (0.35 + high), 5, clouds);
        let cover = smooth(0.02, 0.7, drift) * smooth(0.0, 0.22, high);
        let lit = mix(palette.at(0.62), palette.at(0.99), (-distance * 1.5).exp());
        let base = mix(base, lit, 0.55 * cover);
        mix(base, palette.at(1.0), 0.6 * (-distance * 2.7).exp())
    };
    Box::new(move |x, y| {
        if y < horizon {
            let distance = (x - sun_x).hypot(y - sun_y);
            let disc = smooth(sun + 0.004, sun - 0.004, distance);
            return mix(sky(x, y, &palette), mix(palette.at(1.0), [1.0, 1.0, 0.96], 0.7), disc);
        }
        // Perspective: rows get closer towards the horizon.
        let near = (y - horizon) / (1.0 - horizon);
        let far = 1.0 / (near + 0.035);
        let (u, v) = (x * far * 0.55, far * 3.4);
        let swell = octaves(u * 0.6, v, 4, waves);
        let mirrored = sky(x + 0.06 * swell * near, horizon - (y - horizon) * 0.7, &palette);
        let crest = smooth(0.12, 0.75, swell);
        let tone = 0.1 + 0.44 * (1.0 - near).powf(1.7) + 0.2 * crest * near.powf(0.4) - 0.07 * near;
        let mut water = mix(palette.at(tone), mirrored, 0.26 * (1.0 - near).powf(1.4) + 0.04);
        water = scale(water, 1.0 - 0.3 * smooth(0.1, 0.8, -swell));
        // The path of light widens towards the viewer and breaks up on the waves.
        let width = 0.05 + sun * 0.5 + 0.34 * near;
        let inside = (-((x - sun_x) / width).powi(2)).exp();
        let sparkle = at(u * 3.0, v * 4.6, glints) + 0.55 * swell;
        let glint = smooth(0.42 - 0.6 * inside, 0.95 - 0.5 * inside, sparkle) * inside;
        add(water, scale(palette.at(0.97), 0.95 * glint * (1.0 - 0.45 * near)))
    })
}
