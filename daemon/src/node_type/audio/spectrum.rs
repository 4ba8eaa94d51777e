//! The spectrum of a short part of a sound.

use std::f32::consts::{PI, TAU};

/// The samples of a part; a power of two.
pub(super) const SIZE: usize = 2048;

/// Returns the level of each frequency, in decibels of a sine at full scale: `SIZE / 2` of them, from 0 to half the
/// rate.
pub(super) fn levels(part: &[f32]) -> Vec<f32> {
    // A Hann window, whose mean is one half.
    let window = |at: usize| 0.5 - 0.5 * (TAU * at as f32 / SIZE as f32).cos();
    let mut values: Vec<(f32, f32)> =
        (0..SIZE).map(|at| (part.get(at).copied().unwrap_or(0.0) * window(at), 0.0)).collect();
    transform(&mut values);
    let full = SIZE as f32 / 4.0;
    values[..SIZE / 2]
        .iter()
        .map(|(re, im)| 20.0 * ((re * re + im * im).sqrt() / full).max(1e-9).log10())
        .collect()
}

/// Computes the fast Fourier transform, in place; the length is a power of two.
fn transform(values: &mut [(f32, f32)]) {
    let length = values.len();
    let bits = length.trailing_zeros();
    for at in 0..length {
        let other = at.reverse_bits() >> (usize::BITS - bits);
        if at < other {
            values.swap(at, other);
        }
    }
    let mut half = 1;
    while half < length {
        for group in values.chunks_exact_mut(2 * half) {
            let (low, high) = group.split_at_mut(half);
            for (nth, (a, b)) in low.iter_mut().zip(high).enumerate() {
                let (sin, cos) = (-PI * nth as f32 / half as f32).sin_cos();
                let turned = (b.0 * cos - b.1 * sin, b.0 * sin + b.1 * cos);
                (*a, *b) = ((a.0 + turned.0, a.1 + turned.1), (a.0 - turned.0, a.1 - turned.1));
            }
        }
        half *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_at_full_scale_is_at_its_frequency_with_0_db() {
        let sine: Vec<f32> = (0..SIZE).map(|at| (TAU * 100.0 * at as f32 / SIZE as f32).sin()).collect();
        let levels = levels(&sine);
        assert!(levels[100].abs() < 0.1, "{}", levels[100]);
        assert!(levels[90] < -90.0 && levels[500] < -90.0, "{} {}", levels[90], levels[500]);
    }
}
