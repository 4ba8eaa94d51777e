//! A voice that says syllables: pulses through the resonances of vowels. It has the rhythm and the sound of speech, and
//! cannot be understood.

use std::f64::consts::TAU;

use fanlight_shared::rng::Rng;

/// The first three resonances of a, e, i, o and u, in hertz.
const VOWELS: [[f64; 3]; 5] = [
    [730.0, 1090.0, 2440.0],
    [530.0, 1840.0, 2480.0],
    [300.0, 2220.0, 2960.0],
    [570.0, 840.0, 2410.0],
    [320.0, 870.0, 2240.0],
];
/// How loud they are.
const LEVELS: [f64; 3] = [1.0, 0.5, 0.25];
/// How wide they are, in hertz.
const WIDTHS: [f64; 3] = [80.0, 100.0, 140.0];

/// A syllable, or a pause.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Syllable {
    /// The vowel; `None` for a pause.
    vowel: Option<usize>,
    /// Whether it begins with a consonant.
    consonant: bool,
    seconds: f64,
}

impl Syllable {
    fn pause(seconds: f64) -> Self {
        Self { vowel: None, consonant: false, seconds }
    }

    /// Returns the syllables of a text: one for each group of vowels, a pause after each word and sentence.
    #[cfg(feature = "llm")]
    pub(crate) fn of_text(text: &str, speed: f64) -> Vec<Self> {
        let mut syllables = Vec::new();
        for word in text.split_whitespace() {
            let mut before = None;
            let mut consonant = false;
            for letter in word.chars().flat_map(char::to_lowercase) {
                let vowel = vowel(letter);
                match (vowel, before) {
                    (Some(vowel), None) => {
                        syllables.push(Self { vowel: Some(vowel), consonant, seconds: 0.18 / speed });
                        consonant = false;
                    }
                    (None, _) => consonant |= letter.is_alphanumeric(),
                    _ => {}
                }
                before = vowel;
            }
            // What is left is a word without vowels, or the end of one.
            if consonant && before.is_none() && syllables.last().is_none_or(Self::is_pause) {
                syllables.push(Self { vowel: Some(1), consonant, seconds: 0.12 / speed });
            }
            let pause = match word.chars().next_back() {
                Some('.' | '!' | '?' | '…') => 0.4,
                Some(',' | ';' | ':') => 0.2,
                _ => 0.06,
            };
            syllables.push(Self::pause(pause / speed));
        }
        syllables
    }

    /// Returns whether nothing is said.
    #[cfg(feature = "llm")]
    pub(crate) fn is_pause(&self) -> bool {
        self.vowel.is_none()
    }

    /// Returns syllables from a seed that last at least this many seconds.
    pub(crate) fn babble(seed: i64, seconds: f64) -> Vec<Self> {
        let mut rng = Rng::new(seed);
        let (mut syllables, mut at) = (Vec::new(), 0.0);
        while at < seconds {
            let pause = match rng.below(12) {
                0 => Some(0.35),
                1..4 => Some(0.08),
                _ => None,
            };
            let syllable = match pause {
                Some(pause) => Self::pause(pause),
                None => Self {
                    vowel: Some(rng.below(VOWELS.len())),
                    consonant: rng.below(4) > 0,
                    seconds: f64::from(rng.within(0.12, 0.24)),
                },
            };
            at += syllable.seconds;
            syllables.push(syllable);
        }
        syllables
    }
}

/// Returns the vowel that a letter sounds like.
#[cfg(feature = "llm")]
fn vowel(letter: char) -> Option<usize> {
    Some(match letter {
        'a' | 'à' | 'á' | 'â' | 'ä' | 'å' => 0,
        'e' | 'è' | 'é' | 'ê' | 'ë' | 'æ' => 1,
        'i' | 'í' | 'ì' | 'î' | 'ï' | 'y' => 2,
        'o' | 'ó' | 'ò' | 'ô' | 'ö' | 'ø' => 3,
        'u' | 'ú' | 'ù' | 'û' | 'ü' => 4,
        // A letter of a script without vowels among them is a syllable of its own.
        other if other.is_alphabetic() && !other.is_ascii() => other as usize % VOWELS.len(),
        '0'..='9' => 1,
        _ => return None,
    })
}

/// A voice.
pub(crate) struct Voice {
    syllables: Vec<Syllable>,
    rate: f64,
    /// The syllable that is said now, and the frame it began with.
    now: usize,
    since: u64,
    phase: f64,
    /// The pitch, in hertz.
    pitch: f64,
    filters: [Resonance; 3],
    noise: Rng,
}

#[derive(Clone, Copy, Default)]
struct Resonance {
    gain: f64,
    a: f64,
    b: f64,
    y1: f64,
    y2: f64,
}

impl Voice {
    /// Creates a voice; the seed chooses its pitch.
    pub(crate) fn new(syllables: Vec<Syllable>, seed: i64, rate: u32) -> Self {
        let mut noise = Rng::new(seed);
        let pitch = f64::from(noise.within(95.0, 190.0));
        let mut voice = Self {
            syllables,
            rate: f64::from(rate),
            now: 0,
            since: 0,
            phase: 0.0,
            pitch,
            filters: Default::default(),
            noise,
        };
        voice.tune();
        voice
    }

    fn length(&self, syllable: &Syllable) -> u64 {
        (syllable.seconds * self.rate).round() as u64
    }

    /// Returns how many frames all syllables take.
    #[cfg(feature = "llm")]
    pub(crate) fn frames(&self) -> u64 {
        self.syllables.iter().map(|it| self.length(it)).sum()
    }

    /// Sets the resonances of the vowel that is said now.
    fn tune(&mut self) {
        let Some(vowel) = self.syllables.get(self.now).and_then(|it| it.vowel) else { return };
        for (filter, nth) in self.filters.iter_mut().zip(0..) {
            let radius = (-std::f64::consts::PI * WIDTHS[nth] / self.rate).exp();
            let hertz = VOWELS[vowel][nth].min(self.rate * 0.45);
            filter.a = 2.0 * radius * (TAU * hertz / self.rate).cos();
            filter.b = -radius * radius;
            filter.gain = LEVELS[nth] * (1.0 - radius);
        }
    }

    /// Returns the sample of a frame; frames are asked for in order.
    pub(crate) fn sample(&mut self, frame: u64) -> f32 {
        while let Some(syllable) = self.syllables.get(self.now) {
            if frame - self.since < self.length(syllable) {
                break;
            }
            self.since += self.length(syllable);
            self.now += 1;
            self.tune();
        }
        let Some(syllable) = self.syllables.get(self.now) else { return 0.0 };
        let (since, left) = {
            let since = (frame - self.since) as f64 / self.rate;
            (since, syllable.seconds - since)
        };
        let (level, hiss) = match syllable.vowel {
            Some(_) => ((since / 0.03).min(left / 0.05).clamp(0.0, 1.0), syllable.consonant && since < 0.04),
            None => (0.0, false),
        };
        // The pitch falls through a syllable, as in speech.
        self.phase = (self.phase + self.pitch * (1.08 - 0.3 * since) / self.rate).fract();
        let pulse = (1.0 - 2.0 * self.phase) * level;
        let said: f64 = self.filters.iter_mut().map(|it| it.step(pulse)).sum();
        let hiss = if hiss { f64::from(self.noise.within(-0.2, 0.2)) } else { 0.0 };
        (said * 4.0 + hiss).tanh() as f32
    }
}

impl Resonance {
    fn step(&mut self, input: f64) -> f64 {
        let output = self.gain * input + self.a * self.y1 + self.b * self.y2;
        (self.y1, self.y2) = (output, self.y1);
        output
    }
}
