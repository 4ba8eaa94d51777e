//! Converts a sound to another rate and other channels.

use super::resample::Resampler;
use super::{Shape, Source};

/// Converts a sound to this shape.
///
/// # Errors
/// A sentence: there is no obvious way from its channels to the others.
pub(crate) fn converted(source: Box<dyn Source>, to: Shape) -> Result<Box<dyn Source>, String> {
    let from = source.shape();
    let source: Box<dyn Source> = match (from.channels, to.channels) {
        (a, b) if a == b => source,
        (1, _) | (2, 1) => Box::new(Channels { source, to: to.channels, read: Vec::new() }),
        (a, b) => {
            return Err(format!(
                "a sound of {a} channels can't become one of {b}; only one channel becomes several, and two become one"
            ));
        }
    };
    Ok(if from.rate == to.rate { source } else { Box::new(Resampler::new(source, to.rate)) })
}

/// One channel as several, or two as their mean.
struct Channels {
    source: Box<dyn Source>,
    to: usize,
    read: Vec<f32>,
}

impl Source for Channels {
    fn shape(&self) -> Shape {
        Shape { channels: self.to, ..self.source.shape() }
    }

    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        block.clear();
        let from = self.source.shape().channels;
        let more = self.source.next(&mut self.read)?;
        for frame in self.read.chunks_exact(from) {
            let mean = frame.iter().sum::<f32>() / from as f32;
            block.extend(std::iter::repeat_n(mean, self.to));
        }
        Ok(more)
    }
}
