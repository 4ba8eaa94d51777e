//! Voronoi: leaded glass, each pane in a tone of the palette with its own light.

use super::Scene;
use super::noise::{hash, octaves, smooth, unit};
use super::palette::{Palette, mix, scale};
use fanlight_shared::rng::Rng;

#[allow(clippy::cast_possible_truncation)]
pub(super) fn scene(rng: &mut Rng, palette: Palette) -> Scene {
    let (cells, tones) = (rng.seed(), rng.seed());
    let zoom = rng.within(3.0, 4.6);
    let (sun_x, sun_y) = (rng.within(-0.8, 0.8), rng.within(-0.6, 0.3));
    let point = move |ix: i32, iy: i32| {
        let jitter = |salt: u32| 0.5 + 0.42 * (2.0 * unit(ix, iy, cells ^ salt) - 1.0);
        (ix as f32 + jitter(0), iy as f32 + jitter(0x5bd1_e995))
    };
    Box::new(move |x, y| {
        let (x, y) = (x * zoom, y * zoom);
        let (cx, cy) = (x.floor() as i32, y.floor() as i32);
        let around = || (-2..=2).flat_map(move |dy| (-2..=2).map(move |dx| (cx + dx, cy + dy)));
        let mut nearest = (f32::MAX, (0.0, 0.0), (0, 0));
        for (ix, iy) in around() {
            let (px, py) = point(ix, iy);
            let distance = (px - x).powi(2) + (py - y).powi(2);
            if distance < nearest.0 {
                nearest = (distance, (px, py), (ix, iy));
            }
        }
        let (_, (px, py), cell) = nearest;
        let mut border = f32::MAX;
        for (ix, iy) in around().filter(|it| *it != cell) {
            let (qx, qy) = point(ix, iy);
            let (nx, ny) = (qx - px, qy - py);
            let along = ((px + qx) / 2.0 - x) * nx + ((py + qy) / 2.0 - y) * ny;
            border = border.min(along / nx.hypot(ny).max(1e-6));
        }
        let own = unit(cell.0, cell.1, tones) - 0.5;
        let tone = 0.52 + 0.5 * octaves(px * 0.16, py * 0.16, 2, tones) + 0.34 * own;
        let glow = (-((px / zoom - sun_x).powi(2) + (py / zoom - sun_y).powi(2)) * 1.4).exp();
        let pane = palette.at(tone * 0.8 + 0.1 + 0.24 * glow);
        // Each pane is lit a little from one side, and thicker towards its lead.
        let angle = (hash(cell.0, cell.1, tones) % 628) as f32 / 100.0;
        let tilt = (x - px) * angle.cos() + (y - py) * angle.sin();
        let glass =
            scale(pane, (0.9 + 0.34 * tilt) * (0.72 + 0.34 * smooth(0.0, 0.34, border)) + 0.14 * glow);
        mix(scale(palette.at(0.0), 0.55), glass, smooth(0.028, 0.05, border))
    })
}
