//! Sounds that are computed: tones, noise, melodies and voices. The same inputs give the same samples.

mod melody;
mod voice;

use std::f64::consts::TAU;

pub(crate) use melody::Melody;
pub(crate) use voice::{Syllable, Voice};

use super::{Shape, Source};

/// A sound that is computed sample by sample, the same for each channel.
pub(crate) struct Computed<F> {
    shape: Shape,
    frames: u64,
    at: u64,
    sample: F,
}

impl<F: FnMut(u64) -> f32> Computed<F> {
    /// Creates a sound; `sample` is called for each frame, in order.
    pub(crate) fn new(shape: Shape, frames: u64, sample: F) -> Self {
        Self { shape, frames, at: 0, sample }
    }
}

impl<F: FnMut(u64) -> f32> Source for Computed<F> {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        block.clear();
        let end = self.frames.min(self.at + 4096);
        while self.at < end {
            block.extend(std::iter::repeat_n((self.sample)(self.at), self.shape.channels));
            self.at += 1;
        }
        Ok(!block.is_empty())
    }
}

/// Returns a sample of a wave at this phase, in turns.
pub(crate) fn wave(form: &str, phase: f64) -> f32 {
    let phase = phase.fract();
    let value = match form {
        "square" => {
            if phase < 0.5 {
                1.0
            } else {
                -1.0
            }
        }
        "triangle" => 1.0 - 4.0 * ((phase + 0.25).fract() - 0.5).abs(),
        "saw" => 2.0 * phase - 1.0,
        _ => (TAU * phase).sin(),
    };
    value as f32
}
