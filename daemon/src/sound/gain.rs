//! The level of a sound, which may change with time.

use super::{Shape, Source};

/// Returns the factor of a number of decibels.
pub(crate) fn from_db(db: f64) -> f32 {
    10_f64.powf(db / 20.0) as f32
}

/// Returns the decibels of a factor; minus infinity for 0.
pub(crate) fn to_db(factor: f32) -> f64 {
    20.0 * f64::from(factor).log10()
}

/// A sound whose frames are each multiplied by a factor.
pub(crate) struct Shaped<S, F> {
    source: S,
    factor: F,
    at: u64,
}

impl<S: Source, F: FnMut(u64) -> f32> Shaped<S, F> {
    /// Changes the gain of a sound; `factor` is called for each frame, in order.
    pub(crate) fn new(source: S, factor: F) -> Self {
        Self { source, factor, at: 0 }
    }
}

impl<S: Source, F: FnMut(u64) -> f32> Source for Shaped<S, F> {
    fn shape(&self) -> Shape {
        self.source.shape()
    }

    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        let more = self.source.next(block)?;
        for frame in block.chunks_exact_mut(self.source.shape().channels) {
            let factor = (self.factor)(self.at);
            frame.iter_mut().for_each(|sample| *sample *= factor);
            self.at += 1;
        }
        Ok(more)
    }
}
