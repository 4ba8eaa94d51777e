//! Writes a sound to a file.

use std::fs::File;

use super::flac::Flac;
use super::raw::Raw;
use super::wav::Wav;
use super::{Shape, Source};
use crate::file_error::FileError;

/// A format in which Fanlight writes sounds itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Wav,
    Flac,
    /// Samples only, for ffmpeg.
    Raw,
}

/// A sound file that is written.
pub(crate) struct Encoder {
    shape: Shape,
    file: Written,
    frames: u64,
    clipped: u64,
    samples: Vec<i32>,
}

enum Written {
    Wav(Wav),
    Flac(Box<Flac>),
    Raw(Raw),
}

/// What was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Summary {
    pub(crate) frames: u64,
    /// How many samples were above full scale, and were lowered to it.
    pub(crate) clipped: u64,
}

impl Encoder {
    /// Begins a sound in an empty file.
    ///
    /// # Errors
    /// It can't be written.
    pub(crate) fn new(file: File, format: Format, shape: Shape) -> Result<Self, FileError> {
        let file = match format {
            Format::Wav => Written::Wav(Wav::new(file, shape)?),
            Format::Flac => Written::Flac(Box::new(Flac::new(file, shape)?)),
            Format::Raw => Written::Raw(Raw::new(file, shape.bits)),
        };
        Ok(Self { shape, file, frames: 0, clipped: 0, samples: Vec::new() })
    }

    /// Writes a whole sound. `tell` is called now and then with the number of frames so far.
    ///
    /// # Errors
    /// The source has an error, or there are no samples; the file can't be written.
    pub(crate) fn write(
        mut self,
        source: &mut dyn Source,
        tell: &mut dyn FnMut(u64),
    ) -> Result<Summary, FileError> {
        let mut block = Vec::new();
        let often = u64::from(self.shape.rate) * 10;
        while source.next(&mut block)? {
            let before = self.frames;
            self.add(&block)?;
            if before / often != self.frames / often {
                tell(self.frames);
            }
        }
        if self.frames == 0 {
            return Err("the sound has no samples".into());
        }
        match self.file {
            Written::Wav(wav) => wav.finish()?,
            Written::Flac(flac) => flac.finish()?,
            Written::Raw(raw) => raw.finish()?,
        }
        Ok(Summary { frames: self.frames, clipped: self.clipped })
    }

    fn add(&mut self, block: &[f32]) -> Result<(), FileError> {
        if !block.iter().all(|sample| sample.is_finite()) {
            return Err("the sound has a sample that is not a number".into());
        }
        let full = (1_i64 << (self.shape.bits - 1)) as f64;
        self.samples.clear();
        for sample in block {
            let scaled = (f64::from(*sample) * full).round();
            // Full scale is one step further below zero than above.
            self.clipped += u64::from(scaled > full || scaled < -full);
            self.samples.push(scaled.clamp(-full, full - 1.0) as i32);
        }
        self.frames += (block.len() / self.shape.channels) as u64;
        self.shape.check_length(self.frames)?;
        match &mut self.file {
            Written::Wav(wav) => wav.add(&self.samples),
            Written::Flac(flac) => flac.add(&self.samples),
            Written::Raw(raw) => raw.add(&self.samples),
        }
    }
}
