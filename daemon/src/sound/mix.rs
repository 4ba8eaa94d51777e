//! Sounds at the same time.

use super::{Shape, Source};

/// The most sounds of a mix: all of them are open at once.
pub(crate) const MAX_TRACKS: usize = 64;
/// The frames of a block.
const BLOCK: usize = 4096;

/// A sound of a mix.
pub(crate) struct Track {
    source: Box<dyn Source>,
    /// The factor of its samples.
    level: f32,
    /// The samples of silence that are left before it.
    silence: u64,
    block: Vec<f32>,
    /// How many samples of `block` were used.
    used: usize,
    ended: bool,
}

impl Track {
    /// Creates a track that begins at frame `start` of the mix.
    pub(crate) fn new(source: Box<dyn Source>, level: f32, start: u64) -> Self {
        let silence = start * source.shape().channels as u64;
        Self { source, level, silence, block: Vec::new(), used: 0, ended: false }
    }

    /// Adds its next samples. Returns how many of `out` it has reached.
    fn add(&mut self, out: &mut [f32]) -> Result<usize, String> {
        let mut at = self.silence.min(out.len() as u64) as usize;
        self.silence -= at as u64;
        while at < out.len() && !self.ended {
            if self.used == self.block.len() {
                self.used = 0;
                self.ended = !self.source.next(&mut self.block)?;
                continue;
            }
            let count = (out.len() - at).min(self.block.len() - self.used);
            for (sum, sample) in out[at..at + count].iter_mut().zip(&self.block[self.used..]) {
                *sum += sample * self.level;
            }
            at += count;
            self.used += count;
        }
        Ok(at)
    }
}

/// Tracks of the same shape, added. It ends with the last one of them.
pub(crate) struct Mix {
    shape: Shape,
    tracks: Vec<Track>,
}

impl Mix {
    pub(crate) fn new(shape: Shape, tracks: Vec<Track>) -> Self {
        Self { shape, tracks }
    }
}

impl Source for Mix {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        block.clear();
        block.resize(BLOCK * self.shape.channels, 0.0);
        let mut reached = 0;
        for track in self.tracks.iter_mut().filter(|it| !it.ended) {
            reached = reached.max(track.add(block)?);
        }
        block.truncate(reached);
        Ok(reached > 0)
    }
}
