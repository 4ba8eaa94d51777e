//! Changes the rate of a sound by a windowed sinc filter.

use std::f64::consts::PI;

use super::{Shape, Source};

/// The zero crossings of the filter on each side.
const CROSSINGS: usize = 32;
/// The steps of the table between two zero crossings.
const STEPS: usize = 512;
/// The shape of the window; 9 keeps what is folded back below about -90 dB.
const BETA: f64 = 9.0;
/// The part of the band that passes: what lies above would be folded back.
const PASS: f64 = 0.95;
/// The frames of a block.
const BLOCK: u64 = 4096;

/// A sound with another rate.
pub(super) struct Resampler {
    source: Box<dyn Source>,
    from: u64,
    to: u64,
    /// The filter from its middle to its end.
    table: Vec<f32>,
    /// The number of source frames per zero crossing.
    width: f64,
    /// The frames that are still needed, interleaved.
    kept: Vec<f32>,
    /// The frame of the source that `kept` begins with.
    first: u64,
    /// How many frames the source has, once its end was read.
    length: Option<u64>,
    /// The next frame to make.
    next: u64,
    read: Vec<f32>,
}

impl Resampler {
    pub(super) fn new(source: Box<dyn Source>, rate: u32) -> Self {
        let (from, to) = (u64::from(source.shape().rate), u64::from(rate));
        let cutoff = (to as f64 / from as f64).min(1.0) * PASS;
        Self {
            source,
            from,
            to,
            table: table(),
            width: 1.0 / cutoff,
            kept: Vec::new(),
            first: 0,
            length: None,
            next: 0,
            read: Vec::new(),
        }
    }

    /// Returns the frames on each side that one frame is made from.
    fn reach(&self) -> u64 {
        (CROSSINGS as f64 * self.width).ceil() as u64 + 1
    }

    /// Reads until all frames before `end` are there, or the source has ended.
    fn fill(&mut self, end: u64) -> Result<(), String> {
        let channels = self.source.shape().channels as u64;
        while self.length.is_none() {
            let there = self.first + self.kept.len() as u64 / channels;
            if there >= end {
                return Ok(());
            }
            if self.source.next(&mut self.read)? {
                self.kept.extend_from_slice(&self.read);
            } else {
                self.length = Some(there);
            }
        }
        Ok(())
    }

    /// Makes the frame at `time`, in frames of the source.
    fn frame(&self, whole: u64, part: f64, block: &mut Vec<f32>) {
        let channels = self.source.shape().channels;
        let there = self.first + (self.kept.len() / channels) as u64;
        let reach = self.reach();
        let (begin, end) = (whole.saturating_sub(reach).max(self.first), (whole + reach + 1).min(there));
        let start = block.len();
        block.resize(start + channels, 0.0);
        for frame in begin..end {
            let distance = (frame as f64 - whole as f64 - part).abs() / self.width * STEPS as f64;
            let step = distance as usize;
            let Some([low, high]) = self.table.get(step..step + 2) else { continue };
            let weight = low + (high - low) * (distance - step as f64) as f32;
            let at = (frame - self.first) as usize * channels;
            for channel in 0..channels {
                block[start + channel] += weight * self.kept[at + channel];
            }
        }
        let scale = (1.0 / self.width) as f32;
        block[start..].iter_mut().for_each(|sample| *sample *= scale);
    }
}

impl Source for Resampler {
    fn shape(&self) -> Shape {
        Shape { rate: self.to as u32, ..self.source.shape() }
    }

    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        block.clear();
        let reach = self.reach();
        for _ in 0..BLOCK {
            let whole = self.next * self.from / self.to;
            let part = (self.next * self.from % self.to) as f64 / self.to as f64;
            self.fill(whole + reach + 1)?;
            if self.length.is_some_and(|length| whole >= length) {
                break;
            }
            self.frame(whole, part, block);
            self.next += 1;
        }
        let channels = self.source.shape().channels as u64;
        let needed = (self.next * self.from / self.to).saturating_sub(reach);
        let gone = needed.saturating_sub(self.first).min(self.kept.len() as u64 / channels);
        self.kept.drain(..(gone * channels) as usize);
        self.first += gone;
        Ok(!block.is_empty())
    }
}

/// Returns half of the filter: a sinc under a Kaiser window.
fn table() -> Vec<f32> {
    let ends = CROSSINGS * STEPS;
    let value = |step: usize| {
        let x = step as f64 / STEPS as f64;
        let sinc = if step == 0 { 1.0 } else { (PI * x).sin() / (PI * x) };
        let part = x / CROSSINGS as f64;
        sinc * bessel(BETA * (1.0 - part * part).max(0.0).sqrt()) / bessel(BETA)
    };
    (0..=ends).map(|step| value(step) as f32).collect()
}

/// Returns the modified Bessel function of order zero.
fn bessel(x: f64) -> f64 {
    let (mut sum, mut term) = (1.0, 1.0);
    for n in 1..40 {
        term *= (x / 2.0 / f64::from(n)).powi(2);
        sum += term;
    }
    sum
}
