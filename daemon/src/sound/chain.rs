//! Sounds one after the other.

use super::{Shape, Source};

/// Sounds of the same shape, with silence between them.
pub(crate) struct Chain {
    shape: Shape,
    sources: std::vec::IntoIter<Box<dyn Source>>,
    now: Option<Box<dyn Source>>,
    /// The frames of each silence.
    gap: u64,
    /// The frames that are left of the current one.
    silence: u64,
}

impl Chain {
    /// Plays `sources`, which all have this shape, with `gap` frames of silence between them.
    pub(crate) fn new(shape: Shape, sources: Vec<Box<dyn Source>>, gap: u64) -> Self {
        let mut sources = sources.into_iter();
        Self { shape, now: sources.next(), sources, gap, silence: 0 }
    }
}

impl Source for Chain {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        loop {
            if self.silence > 0 {
                let frames = self.silence.min(4096);
                self.silence -= frames;
                block.clear();
                block.resize(frames as usize * self.shape.channels, 0.0);
                return Ok(true);
            }
            let Some(now) = &mut self.now else {
                block.clear();
                return Ok(false);
            };
            if now.next(block)? {
                return Ok(true);
            }
            self.now = self.sources.next();
            self.silence = if self.now.is_some() { self.gap } else { 0 };
        }
    }
}
