//! Sounds one after the other.

use super::{Shape, Source};

/// Sounds of the same shape, with silence between them. Each is opened when the one before has ended.
pub(crate) struct Chain<I> {
    shape: Shape,
    sources: I,
    now: Option<Box<dyn Source>>,
    /// The frames of each silence.
    gap: u64,
    /// The frames that are left of the current one.
    silence: u64,
}

impl<I: Iterator<Item = Result<Box<dyn Source>, String>>> Chain<I> {
    /// Plays `sources`, which all have this shape, with `gap` frames of silence between them.
    ///
    /// # Errors
    /// The first one can't be opened.
    pub(crate) fn new(shape: Shape, mut sources: I, gap: u64) -> Result<Self, String> {
        Ok(Self { shape, now: sources.next().transpose()?, sources, gap, silence: 0 })
    }
}

impl<I: Iterator<Item = Result<Box<dyn Source>, String>>> Source for Chain<I> {
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
            self.now = self.sources.next().transpose()?;
            self.silence = if self.now.is_some() { self.gap } else { 0 };
        }
    }
}
