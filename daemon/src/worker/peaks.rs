//! The waveform of a sound: least and greatest sample of up to 512 equal stretches, channels mixed.

use std::path::Path;

use crate::sound::{Decoder, Source as _};

/// `{"peaks": [[min, max], …]}`, each between -1 and 1.
pub(super) const MIME: &str = "application/x-fanlight-peaks+json";
/// The most stretches.
const COLUMNS: usize = 512;

/// Returns the waveform as JSON.
pub(super) fn of(path: &Path) -> Result<String, String> {
    let mut sound = Decoder::open(path)?;
    let channels = sound.shape().channels;
    let (mut peaks, mut block) = (Peaks::default(), Vec::new());
    // At damage it ends, and what was there before is shown.
    while let Ok(true) = sound.next(&mut block) {
        for frame in block.chunks_exact(channels) {
            peaks.add(frame.iter().sum::<f32>() / channels as f32);
        }
    }
    if peaks.columns.is_empty() {
        return Err("there is no sound in it".into());
    }
    Ok(peaks.json())
}

/// Peaks of a sound whose length is not known before its end: whenever the columns run out, each two become one.
struct Peaks {
    columns: Vec<(f32, f32)>,
    /// How many frames make a column.
    width: usize,
    /// How many are in the last one.
    filled: usize,
}

impl Default for Peaks {
    fn default() -> Self {
        Self { columns: Vec::new(), width: 1, filled: 1 }
    }
}

impl Peaks {
    fn add(&mut self, sample: f32) {
        let sample = if sample.is_finite() { sample.clamp(-1.0, 1.0) } else { 0.0 };
        if self.filled == self.width {
            if self.columns.len() == COLUMNS {
                self.columns = self
                    .columns
                    .chunks(2)
                    .map(|two| two.iter().fold(two[0], |a, b| (a.0.min(b.0), a.1.max(b.1))))
                    .collect();
                self.width *= 2;
            }
            self.columns.push((sample, sample));
            self.filled = 1;
            return;
        }
        self.filled += 1;
        if let Some(last) = self.columns.last_mut() {
            *last = (last.0.min(sample), last.1.max(sample));
        }
    }

    fn json(&self) -> String {
        let rounded = |it: f32| (f64::from(it) * 1000.0).round() / 1000.0;
        let peaks: Vec<[f64; 2]> =
            self.columns.iter().map(|(min, max)| [rounded(*min), rounded(*max)]).collect();
        serde_json::json!({ "peaks": peaks }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_sound_is_reduced_to_few_columns_and_keeps_its_peaks() {
        let mut peaks = Peaks::default();
        for frame in 0..100_000 {
            peaks.add(if frame == 70_000 { 1.0 } else { -0.25 });
        }
        assert!((COLUMNS / 2..=COLUMNS).contains(&peaks.columns.len()));
        assert_eq!(peaks.columns.iter().filter(|it| it.1 > 0.9).count(), 1);
        assert!(peaks.columns.iter().all(|it| it.0 <= -0.25));
    }
}
