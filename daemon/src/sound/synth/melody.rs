//! A melody from a seed, over long low notes.

use super::wave;
use fanlight_shared::rng::Rng;

/// The steps of the scale, in semitones above its first note: a pentatonic one, in which all notes go together.
const SCALE: [f64; 5] = [0.0, 2.0, 4.0, 7.0, 9.0];
/// The lengths of notes, in beats.
const LENGTHS: [f64; 4] = [0.5, 0.5, 1.0, 1.5];
/// The beats of a low note.
const BAR: f64 = 4.0;

struct Note {
    start: f64,
    seconds: f64,
    hertz: f64,
}

/// A melody.
pub(crate) struct Melody {
    high: Vec<Note>,
    low: Vec<Note>,
    /// The notes that sound now.
    now: (usize, usize),
    rate: f64,
}

impl Melody {
    /// Composes at least this many seconds.
    pub(crate) fn new(seed: i64, seconds: f64, rate: u32) -> Self {
        let mut rng = Rng::new(seed);
        let root = 196.0 * 2_f64.powf(rng.below(12) as f64 / 12.0);
        let beat = 60.0 / f64::from(rng.within(84.0, 120.0));
        let hertz = |degree: i32| {
            let (octave, step) = (degree.div_euclid(5), degree.rem_euclid(5) as usize);
            root * 2_f64.powf(f64::from(octave) + SCALE[step] / 12.0)
        };
        let (mut high, mut low) = (Vec::new(), Vec::new());
        let (mut at, mut degree) = (0.0, 5_i32);
        while at < seconds {
            let length = *rng.pick(&LENGTHS) * beat;
            degree = (degree + *rng.pick(&[-2, -1, -1, 1, 1, 2])).clamp(1, 10);
            high.push(Note { start: at, seconds: length, hertz: hertz(degree) });
            at += length;
        }
        at = 0.0;
        while at < seconds {
            let length = BAR * beat;
            low.push(Note { start: at, seconds: length, hertz: hertz(*rng.pick(&[-5, -5, -3, -2])) });
            at += length;
        }
        Self { high, low, now: (0, 0), rate: f64::from(rate) }
    }

    /// Returns the sample of a frame; frames are asked for in order.
    pub(crate) fn sample(&mut self, frame: u64) -> f32 {
        let time = frame as f64 / self.rate;
        0.6 * played(&self.high, &mut self.now.0, time) + 0.4 * played(&self.low, &mut self.now.1, time)
    }
}

fn played(notes: &[Note], now: &mut usize, time: f64) -> f32 {
    while notes.get(*now + 1).is_some_and(|next| next.start <= time) {
        *now += 1;
    }
    let Some(note) = notes.get(*now) else { return 0.0 };
    let since = time - note.start;
    // A short attack and release, so that nothing clicks, and a note that fades like a string.
    let edge = (since / 0.01).min((note.seconds - since) / 0.02).clamp(0.0, 1.0);
    let level = (edge * (-2.0 * since / note.seconds).exp()) as f32;
    let tone = |harmonic: f64| wave("sine", note.hertz * harmonic * since);
    level * (0.7 * tone(1.0) + 0.2 * tone(2.0) + 0.1 * tone(3.0))
}
