//! Sounds: read and written block by block, so that a long one takes no more memory than a short one. This code must not
//! decode foreign bytes in the daemon's own process.

#[cfg(feature = "audio")]
mod chain;
#[cfg(feature = "audio")]
mod convert;
mod decode;
#[cfg(feature = "audio")]
mod encode;
#[cfg(feature = "audio")]
mod flac;
#[cfg(feature = "audio")]
mod gain;
#[cfg(feature = "audio")]
mod mix;
#[cfg(feature = "audio")]
mod parts;
#[cfg(feature = "audio")]
mod raw;
#[cfg(feature = "audio")]
mod resample;
#[cfg(feature = "audio")]
pub(crate) mod synth;
#[cfg(feature = "audio")]
mod wav;
mod whole;

#[cfg(feature = "audio")]
pub(crate) use self::{
    chain::Chain,
    convert::converted,
    encode::{Encoder, Format},
    gain::{Shaped, from_db, to_db},
    mix::{MAX_TRACKS, Mix, Track},
    parts::Parts,
};
pub(crate) use decode::{Decoder, check};
pub(crate) use whole::ogg_is_whole;

/// The longest sound, in seconds.
pub(crate) const MAX_SECONDS: u64 = 4 * 60 * 60;
/// The most channels of a sound.
pub(crate) const MAX_CHANNELS: usize = 8;
/// The lowest and highest rate, in frames per second.
pub(crate) const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;

/// How a sound is sampled.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Shape {
    /// Frames per second. A frame has one sample of each channel.
    pub(crate) rate: u32,
    pub(crate) channels: usize,
    /// The bits of a sample when it is written: 16, or 24 for a sound that has more than 16.
    pub(crate) bits: u32,
}

impl Shape {
    /// Returns the seconds of this many frames.
    pub(crate) fn seconds(self, frames: u64) -> f64 {
        frames as f64 / f64::from(self.rate)
    }

    /// Returns the frames of this many seconds, which are not negative.
    #[cfg(feature = "audio")]
    pub(crate) fn frames(self, seconds: f64) -> u64 {
        (seconds * f64::from(self.rate)).round() as u64
    }

    /// Checks a number of frames before or while they are made.
    ///
    /// # Errors
    /// They last longer than [`MAX_SECONDS`].
    pub(crate) fn check_length(self, frames: u64) -> Result<(), String> {
        if frames > MAX_SECONDS * u64::from(self.rate) {
            return Err(format!("the sound is longer than {} hours, which is too long", MAX_SECONDS / 3600));
        }
        Ok(())
    }
}

/// A sound that is read from its beginning to its end.
pub(crate) trait Source {
    fn shape(&self) -> Shape;

    /// Fills `block` with the next frames, interleaved. Returns false at the end, with an empty block.
    ///
    /// # Errors
    /// A sentence: the sound is damaged or too long.
    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String>;
}

impl<S: Source + ?Sized> Source for Box<S> {
    fn shape(&self) -> Shape {
        (**self).shape()
    }
    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        (**self).next(block)
    }
}

/// Reads a sound to its end, and passes each block to `take`.
#[cfg(feature = "audio")]
pub(crate) fn each_block(source: &mut dyn Source, mut take: impl FnMut(&[f32])) -> Result<(), String> {
    let mut block = Vec::new();
    while source.next(&mut block)? {
        take(&block);
    }
    Ok(())
}

/// Returns the largest sample of a sound, without its sign.
#[cfg(feature = "audio")]
pub(crate) fn peak(source: &mut dyn Source) -> Result<f32, String> {
    let mut peak = 0.0_f32;
    each_block(source, |block| peak = block.iter().fold(peak, |most, it| most.max(it.abs())))?;
    Ok(peak)
}

#[cfg(test)]
#[cfg(feature = "audio")]
mod tests;
