use std::fs::File;
use std::path::{Path, PathBuf};

use super::encode::Summary;
use super::synth::Computed;
use super::*;

const STEREO: Shape = Shape { rate: 8000, channels: 2, bits: 16 };

/// A sine of 440 Hz and half of full scale.
fn sine(shape: Shape, frames: u64) -> Box<dyn Source> {
    let rate = f64::from(shape.rate);
    Box::new(Computed::new(shape, frames, move |at| 0.5 * synth::wave("sine", at as f64 / rate * 440.0)))
}

/// A sound with these samples.
struct Samples(Shape, Vec<f32>);

impl Source for Samples {
    fn shape(&self) -> Shape {
        self.0
    }
    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        *block = std::mem::take(&mut self.1);
        Ok(!block.is_empty())
    }
}

fn all(source: &mut dyn Source) -> Vec<f32> {
    let mut samples = Vec::new();
    each_block(source, |block| samples.extend_from_slice(block)).unwrap();
    samples
}

fn write(folder: &Path, format: Format, source: &mut dyn Source) -> (PathBuf, Summary) {
    let path = folder.join(format!("{format:?}"));
    let file = File::create(&path).unwrap();
    let written = Encoder::new(file, format, source.shape()).unwrap().write(source, &mut |_| ());
    (path, written.unwrap())
}

fn decoded(path: &Path) -> Result<(Shape, Vec<f32>), String> {
    let mut decoder = Decoder::open(path)?;
    let mut samples = Vec::new();
    each_block(&mut decoder, |block| samples.extend_from_slice(block))?;
    Ok((decoder.shape(), samples))
}

#[test]
fn each_sample_survives_in_both_formats_and_depths() {
    let folder = tempfile::tempdir().unwrap();
    for bits in [16, 24] {
        for (channels, frames) in [(1, 1), (2, 5), (2, 20_001), (6, 4096)] {
            let shape = Shape { rate: 44_100, channels, bits };
            let full = (1_i64 << (bits - 1)) as f32;
            let noise = (0..frames * channels as i64).map(|at| (at * 7919 % 60_000 - 30_000) as f32 / full);
            let samples: Vec<f32> = noise.collect();
            for format in [Format::Wav, Format::Flac] {
                let (path, written) = write(folder.path(), format, &mut Samples(shape, samples.clone()));
                assert_eq!(written, Summary { frames: frames as u64, clipped: 0 });
                assert!(decoded(&path).unwrap() == (shape, samples.clone()), "{format:?} {shape:?}");
                assert_eq!(Decoder::open(&path).unwrap().exact_frames(), Some(frames as u64), "{format:?}");
            }
        }
    }
}

#[test]
fn a_file_that_ends_too_early_is_damaged_wherever_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    for format in [Format::Wav, Format::Flac] {
        let (path, _) = write(folder.path(), format, &mut sine(STEREO, 20_000));
        let whole = std::fs::read(&path).unwrap();
        for part in [50, 100, 1000, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&path, &whole[..part]).unwrap();
            let error = decoded(&path).unwrap_err();
            let expected = ["damaged", "no samples", "not a sound of a known format", "cut"];
            assert!(expected.iter().any(|it| error.contains(it)), "{format:?} {part}: {error}");
        }
    }
}

#[test]
fn a_flac_file_with_a_changed_byte_is_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = write(folder.path(), Format::Flac, &mut sine(STEREO, 20_000));
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&path, &bytes).unwrap();
    assert!(decoded(&path).unwrap_err().contains("damaged"));
}

#[test]
fn samples_above_full_scale_are_lowered_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let shape = Shape { channels: 1, ..STEREO };
    let (path, written) =
        write(folder.path(), Format::Wav, &mut Samples(shape, vec![1.5, 1.0, -1.0, -1.1, f32::MAX, 0.0]));
    assert_eq!(written.clipped, 3);
    let (_, samples) = decoded(&path).unwrap();
    let top = 32_767.0 / 32_768.0;
    assert_eq!(samples, [top, top, -1.0, -1.0, top, 0.0]);
}

#[test]
fn a_sound_without_samples_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("a")).unwrap();
    let encoder = Encoder::new(file, Format::Wav, STEREO).unwrap();
    let error = encoder.write(&mut Samples(STEREO, Vec::new()), &mut |_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the sound has no samples");
}

#[test]
fn a_sound_longer_than_the_limit_is_refused_while_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("a")).unwrap();
    let shape = Shape { rate: 1, channels: 1, bits: 16 };
    let mut endless = Computed::new(shape, u64::MAX, |_| 0.0);
    let error = Encoder::new(file, Format::Wav, shape).unwrap().write(&mut endless, &mut |_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the sound is longer than 4 hours, which is too long");
}

#[test]
fn a_resampled_sine_is_the_sine_at_the_other_rate() {
    for (from, to) in [(8000, 44_100), (44_100, 48_000), (48_000, 8000), (44_100, 44_101)] {
        let frames = u64::from(from) / 4;
        let shape = |rate| Shape { rate, channels: 1, bits: 16 };
        let made = all(&mut *converted(sine(shape(from), frames), shape(to)).unwrap());
        let expected = all(&mut *sine(shape(to), made.len() as u64));
        assert_eq!(made.len() as u64, (frames * u64::from(to)).div_ceil(u64::from(from)), "{from} {to}");
        let edge = made.len() / 8;
        let worst = (edge..made.len() - edge).map(|at| (made[at] - expected[at]).abs()).fold(0.0, f32::max);
        assert!(worst < 0.0005, "{from} {to}: {worst}");
    }
}

#[test]
fn what_a_lower_rate_cannot_hold_is_gone() {
    let shape = Shape { rate: 48_000, channels: 1, bits: 16 };
    let high = Computed::new(shape, 12_000, |at| synth::wave("sine", at as f64 * 10.0 / 48.0));
    let made = all(&mut *converted(Box::new(high), Shape { rate: 16_000, ..shape }).unwrap());
    let loudest = made[500..made.len() - 500].iter().fold(0.0_f32, |most, it| most.max(it.abs()));
    assert!(loudest < 0.0003, "{loudest}");
}

#[test]
fn channels_are_copied_or_averaged_and_nothing_else() {
    let stereo = |samples: &[f32]| Box::new(Samples(STEREO, samples.to_vec()));
    let mono = Shape { channels: 1, ..STEREO };
    let made = all(&mut *converted(stereo(&[0.5, 0.25, -1.0, 0.0]), mono).unwrap());
    assert_eq!(made, [0.375, -0.5]);
    let made = all(&mut *converted(Box::new(Samples(mono, vec![0.5, 0.25])), STEREO).unwrap());
    assert_eq!(made, [0.5, 0.5, 0.25, 0.25]);
    let error = converted(stereo(&[0.0, 0.0]), Shape { channels: 6, ..STEREO }).err().unwrap();
    assert!(error.contains("2 channels can't become one of 6"), "{error}");
}

#[test]
fn a_mix_adds_tracks_and_ends_with_the_last_one() {
    let mono = Shape { channels: 1, ..STEREO };
    let track =
        |samples: &[f32], level, start| Track::new(Box::new(Samples(mono, samples.to_vec())), level, start);
    let tracks = vec![track(&[0.5; 3], 1.0, 0), track(&[0.25, 0.5], 2.0, 2), track(&[1.0], 0.5, 9000)];
    let made = all(&mut Mix::new(mono, tracks));
    assert_eq!(made[..5], [0.5, 0.5, 1.0, 1.0, 0.0]);
    assert_eq!((made.len(), made[9000], made[8999]), (9001, 0.5, 0.0));
}

#[test]
fn parts_are_kept_across_blocks() {
    let shape = Shape { channels: 2, ..STEREO };
    let count = || Computed::new(shape, 10_000, |at| at as f32);
    let made = all(&mut Parts::new(count(), [1..3, 4090..4100, 9999..10_000]));
    let frames: Vec<u64> = made.chunks(2).map(|frame| frame[1] as u64).collect();
    let expected: Vec<u64> = (1..3).chain(4090..4100).chain(9999..10_000).collect();
    assert_eq!(frames, expected);
}

#[test]
fn the_end_of_an_ogg_stream_is_its_last_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ogg");
    let page = |flags: u8, bytes: u8| {
        let mut page = b"OggS\0".to_vec();
        page.push(flags);
        page.resize(26, 0);
        page.extend([1, bytes]);
        page.resize(28 + usize::from(bytes), 7);
        page
    };
    let whole = [page(2, 200), page(0, 200), page(4, 100)].concat();
    for (bytes, expected) in [(&whole[..], true), (&whole[..whole.len() - 1], false), (&whole[..456], false)]
    {
        std::fs::write(&path, bytes).unwrap();
        assert_eq!(whole::ogg_is_whole(&path).unwrap(), expected);
    }
}

#[test]
fn the_same_seed_makes_the_same_melody_and_voice_and_another_seed_another() {
    let melody = |seed| {
        let mut melody = synth::Melody::new(seed, 1.0, 8000);
        (0..8000).map(|at| melody.sample(at)).collect::<Vec<_>>()
    };
    let voice = |seed| {
        let mut voice = synth::Voice::new(synth::Syllable::babble(seed, 1.0), seed, 8000);
        (0..8000).map(|at| voice.sample(at)).collect::<Vec<_>>()
    };
    for make in [&melody as &dyn Fn(i64) -> Vec<f32>, &voice] {
        assert_eq!(make(1), make(1));
        assert_ne!(make(1), make(2));
        let loudest = make(3).iter().fold(0.0_f32, |most, it| most.max(it.abs()));
        assert!((0.2..=1.0).contains(&loudest), "{loudest}");
    }
}
