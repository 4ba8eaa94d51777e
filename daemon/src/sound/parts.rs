//! Parts of a sound.

use std::collections::VecDeque;
use std::ops::Range;

use super::{Shape, Source};

/// The kept parts of a sound, one after the other.
pub(crate) struct Parts<S> {
    source: S,
    /// In frames, ascending.
    parts: VecDeque<Range<u64>>,
    /// The frame that the next block begins with.
    at: u64,
    read: Vec<f32>,
}

impl<S: Source> Parts<S> {
    /// Keeps these ranges of frames, which ascend and don't overlap.
    pub(crate) fn new(source: S, parts: impl IntoIterator<Item = Range<u64>>) -> Self {
        Self { source, parts: parts.into_iter().collect(), at: 0, read: Vec::new() }
    }
}

impl<S: Source> Source for Parts<S> {
    fn shape(&self) -> Shape {
        self.source.shape()
    }

    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        block.clear();
        let channels = self.shape().channels;
        while block.is_empty() {
            if self.parts.is_empty() || !self.source.next(&mut self.read)? {
                return Ok(false);
            }
            let end = self.at + (self.read.len() / channels) as u64;
            while let Some(part) = self.parts.front() {
                let within = part.start.max(self.at)..part.end.min(end);
                if within.start < within.end {
                    let index = |frame: u64| (frame - self.at) as usize * channels;
                    block.extend_from_slice(&self.read[index(within.start)..index(within.end)]);
                }
                if part.end > end {
                    break;
                }
                self.parts.pop_front();
            }
            self.at = end;
        }
        Ok(true)
    }
}
