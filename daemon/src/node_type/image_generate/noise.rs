//! Gradient noise, and functions based on it. They are called for every pixel from other modules, where only functions with
//! `#[inline]` are inlined.

/// Returns a number that depends on a place and a seed.
#[allow(clippy::cast_sign_loss)]
#[inline]
pub(super) fn hash(x: i32, y: i32, seed: u32) -> u32 {
    let mut h =
        seed ^ (x as u32).wrapping_mul(0x9e37_79b1) ^ (y as u32).wrapping_mul(0x85eb_ca77).rotate_left(13);
    h = (h ^ (h >> 16)).wrapping_mul(0x7feb_352d);
    h = (h ^ (h >> 15)).wrapping_mul(0x846c_a68b);
    h ^ (h >> 16)
}

/// Returns the same within `0..1`.
#[allow(clippy::cast_precision_loss)]
#[inline]
pub(super) fn unit(x: i32, y: i32, seed: u32) -> f32 {
    (hash(x, y, seed) >> 8) as f32 / (1u32 << 24) as f32
}

const HALF: f32 = std::f32::consts::FRAC_1_SQRT_2;

/// Sixteen directions.
const DIRECTIONS: [(f32, f32); 16] = [
    (1.0, 0.0),
    (0.923_88, 0.382_683),
    (HALF, HALF),
    (0.382_683, 0.923_88),
    (0.0, 1.0),
    (-0.382_683, 0.923_88),
    (-HALF, HALF),
    (-0.923_88, 0.382_683),
    (-1.0, 0.0),
    (-0.923_88, -0.382_683),
    (-HALF, -HALF),
    (-0.382_683, -0.923_88),
    (0.0, -1.0),
    (0.382_683, -0.923_88),
    (HALF, -HALF),
    (0.923_88, -0.382_683),
];

/// Returns smooth noise, about -1..1.
#[allow(clippy::cast_possible_truncation)]
#[inline]
pub(super) fn at(x: f32, y: f32, seed: u32) -> f32 {
    let (ix, iy) = (floor(x), floor(y));
    let (fx, fy) = (x - ix as f32, y - iy as f32);
    let corner = |dx: i32, dy: i32| {
        let (gx, gy) = DIRECTIONS[(hash(ix.wrapping_add(dx), iy.wrapping_add(dy), seed) >> 28) as usize];
        gx * (fx - dx as f32) + gy * (fy - dy as f32)
    };
    let (u, v) = (fade(fx), fade(fy));
    let upper = lerp(corner(0, 0), corner(1, 0), u);
    let lower = lerp(corner(0, 1), corner(1, 1), u);
    lerp(upper, lower, v) * std::f32::consts::SQRT_2
}

/// Returns the whole number below; `f32::floor` is a call into the C library.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
#[inline]
fn floor(x: f32) -> i32 {
    let whole = x as i32;
    whole.wrapping_sub(i32::from(whole as f32 > x))
}

/// Returns octaves of noise, about -1..1.
#[inline]
pub(super) fn octaves(mut x: f32, mut y: f32, count: u32, seed: u32) -> f32 {
    let (mut sum, mut strength, mut all) = (0.0, 1.0, 0.0);
    for octave in 0..count {
        sum += strength * at(x, y, seed.wrapping_add(octave));
        all += strength;
        strength *= 0.5;
        // Rotate a little each time, so that the lattices don't line up.
        (x, y) = (1.6 * x - 1.2 * y + 7.3, 1.2 * x + 1.6 * y - 3.1);
    }
    sum / all * 1.4
}

#[inline]
pub(super) fn lerp(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

#[inline]
fn fade(t: f32) -> f32 {
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}

/// Interpolates smoothly from 0 at `from` to 1 at `to`; `from` may be greater.
#[inline]
pub(super) fn smooth(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
