use std::collections::BTreeMap;

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::value::{Value, Values};

use super::node_types;
use crate::node_type::fixture::inputs;
use crate::node_type::{NodeType, Runner, Workspace};
use crate::sound::{Decoder, Shape, each_block};

fn find(name: &str) -> NodeType {
    node_types().into_iter().find(|it| it.spec.name == name).unwrap()
}

/// A workspace in which one node after the other works.
struct Studio {
    workspace: Workspace,
    folder: tempfile::TempDir,
    given: BTreeMap<BlobHash, std::path::PathBuf>,
}

impl Studio {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let workspace = Workspace::of_test(folder.path().to_owned(), BTreeMap::new());
        Self { workspace, folder, given: BTreeMap::new() }
    }

    fn run(&mut self, name: &str, given: &[(&str, Value)]) -> Result<Values, String> {
        let node_type = find(name);
        // The engine sees what the daemon has found in the bytes.
        let given: Vec<(&str, Value)> = given.iter().map(|(name, value)| (*name, as_audio(value))).collect();
        let inputs = inputs(&node_type, &given)?;
        let Runner::Worker(run) = &node_type.run else { panic!("{name} needs no worker") };
        run(&mut self.workspace, inputs).map_err(String::from)
    }

    fn made(&mut self, name: &str, given: &[(&str, Value)]) -> Value {
        self.run(name, given).unwrap()["audio"].clone()
    }

    /// A sound of a tenth of a second, unless `given` says otherwise.
    fn generated(&mut self, given: &[(&str, Value)]) -> Value {
        let mut all = vec![("seconds", Value::Float(0.1)), ("kind", "tone".into())];
        all.extend(given.iter().cloned());
        let all: BTreeMap<&str, Value> = all.into_iter().collect();
        self.made("audio.generate", &all.into_iter().collect::<Vec<_>>())
    }

    fn samples(&self, value: &Value) -> (Shape, Vec<f32>) {
        let mut decoder = Decoder::open(&self.workspace.path(value).unwrap()).unwrap();
        let mut samples = Vec::new();
        each_block(&mut decoder, |block| samples.extend_from_slice(block)).unwrap();
        (crate::sound::Source::shape(&decoder), samples)
    }

    /// A file of the user with these bytes.
    fn file(&mut self, name: &str, bytes: &[u8]) -> Value {
        let hash = BlobHash::of(bytes);
        let path = self.folder.path().join(hash.to_string());
        std::fs::write(&path, bytes).unwrap();
        self.given.insert(hash, path);
        self.workspace = Workspace::of_test(self.fresh(), self.given.clone());
        let mime = "application/octet-stream".into();
        Value::from(Media {
            kind: MediaKind::File,
            hash,
            mime,
            bytes: bytes.len() as u64,
            name: name.into(),
            executable: false,
            source: None,
            width: None,
            height: None,
        })
    }

    fn fresh(&self) -> std::path::PathBuf {
        tempfile::tempdir_in(&self.folder).unwrap().keep()
    }

    fn bytes(&self, value: &Value) -> Vec<u8> {
        std::fs::read(self.workspace.path(value).unwrap()).unwrap()
    }
}

fn as_audio(value: &Value) -> Value {
    match value {
        Value::Media(media) => Value::from(Media { kind: MediaKind::Audio, ..(**media).clone() }),
        Value::List(items) => Value::List(items.iter().map(as_audio).collect()),
        other => other.clone(),
    }
}

fn name(value: &Value) -> &str {
    &value.as_media().unwrap().name
}

fn peak(samples: &[f32]) -> f32 {
    samples.iter().fold(0.0, |most, it| most.max(it.abs()))
}

#[test]
fn a_generated_sound_has_the_length_level_and_channels_that_were_asked_for() {
    let mut studio = Studio::new();
    for kind in ["tone", "noise", "melody", "voice"] {
        for format in ["wav", "flac"] {
            let given = [
                ("kind", kind.into()),
                ("seconds", Value::Float(1.5)),
                ("rate", Value::Int(8000)),
                ("channels", Value::Int(2)),
                ("level", Value::Float(-6.0)),
                ("format", format.into()),
            ];
            let made = studio.run("audio.generate", &given).unwrap();
            let (shape, samples) = studio.samples(&made["audio"]);
            assert_eq!(shape, Shape { rate: 8000, channels: 2, bits: 16 });
            assert_eq!((samples.len(), &made["seconds"]), (24_000, &Value::Float(1.5)));
            assert!((0.1..0.502).contains(&peak(&samples)), "{kind}: {}", peak(&samples));
            assert_eq!(name(&made["audio"]), format!("{kind}.{format}"));
        }
    }
    let high = studio.run("audio.generate", &[("kind", "tone".into()), ("frequency", Value::Int(30_000))]);
    assert!(high.unwrap_err().contains("44100 frames a second hold at most 22050 Hz"));
}

#[test]
fn a_loaded_file_keeps_its_samples_rate_and_channels() {
    let mut studio = Studio::new();
    let tone = studio.generated(&[("format", "flac".into()), ("channels", Value::Int(2))]);
    let (bytes, expected) = (studio.bytes(&tone), studio.samples(&tone));
    let file = studio.file("a song.flac", &bytes);
    let made = studio.run("audio.load", &[("file", file)]).unwrap();
    assert_eq!(studio.samples(&made["audio"]), expected);
    assert_eq!(name(&made["audio"]), "a song.wav");
    assert_eq!((&made["rate"], &made["channels"]), (&Value::Int(44_100), &Value::Int(2)));
    assert_eq!(made["seconds"], Value::Float(0.1));
}

#[test]
fn a_file_that_is_no_sound_or_a_damaged_or_empty_one_is_refused_by_its_name() {
    let mut studio = Studio::new();
    let tone = studio.generated(&[]);
    let whole = studio.bytes(&tone);
    let mut empty = whole[..44].to_vec();
    empty[40..44].fill(0);
    for (bytes, expected) in [
        (&b"hello, this is a text"[..], "this is not a sound of a known format"),
        (&b""[..], "this is not a sound of a known format"),
        (&whole[..whole.len() / 2], "the sound is damaged: it ends after 0.0 s of 0.1 s"),
        (&empty[..], "the sound has no samples"),
    ] {
        let file = studio.file("take.wav", bytes);
        let error = studio.run("audio.load", &[("file", file)]).unwrap_err();
        assert!(error.starts_with("`take.wav`: ") && error.contains(expected), "{error}");
    }
    // A rate that no device has.
    let mut odd = whole.clone();
    odd[24..28].copy_from_slice(&7_u32.to_le_bytes());
    let file = studio.file("odd.wav", &odd);
    let error = studio.run("audio.load", &[("file", file)]).unwrap_err();
    assert_eq!(error, "`odd.wav`: it has 7 frames a second; 4000 to 384000 are accepted");
}

#[test]
fn a_recording_longer_than_the_limit_is_refused_by_its_header() {
    let mut studio = Studio::new();
    let tone = studio.generated(&[("rate", Value::Int(8000))]);
    let mut bytes = studio.bytes(&tone);
    // A header for a sound of five hours.
    let data = 2 * 8000 * 5 * 3600_u32;
    bytes[4..8].copy_from_slice(&(data + 36).to_le_bytes());
    bytes[40..44].copy_from_slice(&data.to_le_bytes());
    let file = studio.file("long.wav", &bytes);
    let error = studio.run("audio.load", &[("file", file)]).unwrap_err();
    assert_eq!(error, "`long.wav`: the sound is longer than 4 hours, which is too long");
}

#[test]
fn a_part_is_cut_to_the_frame_and_never_beyond_the_end() {
    let mut studio = Studio::new();
    let tone = studio.generated(&[("rate", Value::Int(8000)), ("seconds", Value::Float(1.0))]);
    let (_, whole) = studio.samples(&tone);
    let trim = |studio: &mut Studio, start: f64, end: f64| {
        let given = [("audio", tone.clone()), ("start", Value::Float(start)), ("end", Value::Float(end))];
        studio.run("audio.trim", &given)
    };
    let made = trim(&mut studio, 0.25, 0.5).unwrap();
    assert_eq!(studio.samples(&made["audio"]).1, whole[2000..4000]);
    assert_eq!(made["seconds"], Value::Float(0.25));
    let late = trim(&mut studio, 0.5, 1.5).unwrap_err();
    assert_eq!(late, "`end` is after the end of the sound, which lasts 1.000 s");
    assert_eq!(trim(&mut studio, 0.5, 0.5).unwrap_err(), "`end` is not after `start`");
    let outside = studio.run("audio.trim", &[("audio", tone.clone()), ("start", Value::Float(1.0))]);
    assert_eq!(outside.unwrap_err(), "`start` is not within the sound, which lasts 1.000 s");
}

#[test]
fn a_fade_begins_and_ends_in_silence_and_leaves_the_middle() {
    let mut studio = Studio::new();
    let given = [("wave", "square".into()), ("rate", Value::Int(8000)), ("seconds", Value::Float(1.0))];
    let tone = studio.generated(&given);
    let (_, before) = studio.samples(&tone);
    let fades = [("fade_in", Value::Float(0.25)), ("fade_out", Value::Float(0.25))];
    let fades = [&[("audio", tone.clone())], &fades[..]].concat();
    let made = studio.made("audio.fade", &fades);
    let (_, after) = studio.samples(&made);
    assert_eq!((after[0], after[7999], after.len()), (0.0, 0.0, 8000));
    assert_eq!(after[2000..6000], before[2000..6000]);
    assert!((after[1000].abs() - before[1000].abs() / 2.0).abs() < 0.001);
    let long = studio.run("audio.fade", &[("audio", tone), ("fade_in", Value::Float(1.5))]);
    assert_eq!(long.unwrap_err(), "the fades are longer than the sound, which lasts 1.000 s");
}

#[test]
fn sounds_of_several_kinds_are_joined_with_silence_between() {
    let mut studio = Studio::new();
    let one = studio.generated(&[("rate", Value::Int(8000)), ("seconds", Value::Float(0.5))]);
    let two = studio.generated(&[("rate", Value::Int(16_000)), ("channels", Value::Int(2))]);
    let given = [("audios", Value::List(vec![one, two.clone()])), ("gap", Value::Float(0.25))];
    let made = studio.run("audio.concat", &given).unwrap();
    let (shape, samples) = studio.samples(&made["audio"]);
    assert_eq!((shape.rate, shape.channels), (16_000, 2));
    assert_eq!(samples.len(), 2 * (8000 + 4000 + 1600));
    assert!(samples[16_000..24_000].iter().all(|it| *it == 0.0));
    assert_eq!(samples[24_000..], studio.samples(&two).1);
    let six = studio.generated(&[("channels", Value::Int(6))]);
    let error = studio.run("audio.concat", &[("audios", Value::List(vec![two, six]))]).unwrap_err();
    assert!(error.starts_with("`tone.wav`: a sound of 2 channels can't become one of 6"), "{error}");
}

#[test]
fn a_level_that_is_no_gain_is_refused() {
    let mut studio = Studio::new();
    let tone = studio.generated(&[]);
    for level in [800.0, f64::NAN, f64::NEG_INFINITY] {
        let levels = Value::List(vec![Value::Float(level)]);
        let given = [("audios", Value::List(vec![tone.clone()])), ("levels", levels)];
        let error = studio.run("audio.mix", &given).unwrap_err();
        assert!(error.contains("`levels` has a number that is not within -120 and 120"), "{error}");
    }
}

#[test]
fn a_gain_changes_the_level_and_never_exceeds_full_scale() {
    let mut studio = Studio::new();
    let tone = studio.generated(&[]);
    let before = peak(&studio.samples(&tone).1);
    let louder = studio.made("audio.gain", &[("audio", tone.clone()), ("gain", Value::Float(6.0))]);
    assert!((peak(&studio.samples(&louder).1) / before - 1.995).abs() < 0.01);
    let error = studio.run("audio.gain", &[("audio", tone), ("gain", Value::Float(20.0))]).unwrap_err();
    assert!(error.contains("exceeds full scale by"), "{error}");
}

#[test]
fn a_sound_reaches_its_target_loudness_unless_the_ceiling_is_in_the_way() {
    let mut studio = Studio::new();
    let given =
        [("frequency", Value::Float(997.0)), ("rate", Value::Int(48_000)), ("channels", Value::Int(2))];
    let long = [&given[..], &[("seconds", Value::Float(3.0)), ("level", Value::Float(-20.0))]].concat();
    let tone = studio.generated(&long);
    let run = |studio: &mut Studio, audio: &Value, target: f64| {
        let given = [("audio", audio.clone()), ("target", Value::Float(target))];
        let made = studio.run("audio.loudness", &given).unwrap();
        let numbers = ["measured", "loudness", "peak", "gain"].map(|it| made[it].as_float().unwrap());
        (made["audio"].clone(), numbers)
    };
    // EBU Tech 3341: a stereo sine of about 1 kHz with a peak of -20 dB has -20 LUFS.
    let (louder, [measured, loudness, peak, gain]) = run(&mut studio, &tone, -16.0);
    assert!((measured + 20.0).abs() < 0.1 && (gain - 4.0).abs() < 0.1, "{measured} {gain}");
    assert!((loudness + 16.0).abs() < 0.01 && (peak + 16.0).abs() < 0.1, "{loudness} {peak}");
    let (_, [measured, ..]) = run(&mut studio, &louder, -16.0);
    assert!((measured + 16.0).abs() < 0.05, "the sound itself has the loudness: {measured}");
    let (_, [_, loudness, peak, _]) = run(&mut studio, &tone, 0.0);
    assert!((peak + 1.0).abs() < 0.01 && (loudness + 1.0).abs() < 0.1, "{loudness} {peak}");
}

#[test]
fn silence_and_very_short_sounds_have_no_loudness() {
    let mut studio = Studio::new();
    let short = studio.generated(&[]);
    let silent = studio.generated(&[("seconds", Value::Float(1.0)), ("level", Value::Float(-120.0))]);
    for sound in [short, silent] {
        let error = studio.run("audio.loudness", &[("audio", sound)]).unwrap_err();
        assert_eq!(error, "`tone.wav` is silent or shorter than 0.4 s, so it has no loudness");
    }
}

#[test]
fn a_resampled_sound_has_its_new_rate_and_the_same_length() {
    let mut studio = Studio::new();
    let tone = studio.generated(&[("channels", Value::Int(2))]);
    let given = [("audio", tone.clone()), ("rate", Value::Int(16_000)), ("channels", Value::Int(1))];
    let made = studio.run("audio.resample", &given).unwrap();
    let (shape, samples) = studio.samples(&made["audio"]);
    assert_eq!((shape.rate, shape.channels, samples.len()), (16_000, 1, 1600));
    assert_eq!(made["seconds"], Value::Float(0.1));
    let neither = studio.run("audio.resample", &[("audio", tone)]).unwrap_err();
    assert!(neither.starts_with("neither `rate` nor `channels` is given"));
}

#[test]
fn silence_is_removed_but_for_what_is_to_stay() {
    let mut studio = Studio::new();
    let rate = [("rate", Value::Int(8000)), ("seconds", Value::Float(1.0))];
    let tone = studio.generated(&rate);
    let silence = studio.generated(&[&rate[..], &[("level", Value::Float(-120.0))]].concat());
    let parts = vec![silence.clone(), tone.clone(), silence.clone(), tone, silence.clone()];
    let all = studio.made("audio.concat", &[("audios", Value::List(parts))]);
    let made = studio.run("audio.silence", &[("audio", all.clone())]).unwrap();
    let seconds = |made: &Values, name: &str| made[name].as_float().unwrap();
    assert!((seconds(&made, "seconds") - 2.6).abs() < 0.02, "{}", seconds(&made, "seconds"));
    assert!((seconds(&made, "removed") - 2.4).abs() < 0.02);
    let ends = studio.run("audio.silence", &[("audio", all), ("where", "ends".into())]).unwrap();
    assert!((seconds(&ends, "seconds") - 3.4).abs() < 0.02, "{}", seconds(&ends, "seconds"));
    let error = studio.run("audio.silence", &[("audio", silence)]).unwrap_err();
    assert_eq!(error, "`tone.wav` is silent as a whole, so nothing would be left");
}

#[test]
fn a_waveform_and_a_spectrogram_show_where_the_sound_is() {
    let mut studio = Studio::new();
    let rate =
        [("rate", Value::Int(16_000)), ("seconds", Value::Float(0.5)), ("frequency", Value::Int(4000))];
    let tone = studio.generated(&[&rate[..], &[("level", Value::Float(-6.0))]].concat());
    let silence = studio.generated(&[&rate[..], &[("level", Value::Float(-120.0))]].concat());
    let both = studio.made("audio.concat", &[("audios", Value::List(vec![tone, silence]))]);
    let size = [("audio", both), ("width", Value::Int(100)), ("height", Value::Int(80))];
    let wave = studio.run("audio.waveform", &size).unwrap();
    let wave = studio.workspace.picture(&wave["image"]).unwrap().to_rgb8();
    let colored = |x: u32| (0..80).filter(|y| wave.get_pixel(x, *y).0 != [255, 255, 255]).count();
    assert!((38..=42).contains(&colored(20)) && colored(80) <= 2, "{} {}", colored(20), colored(80));
    let spectrum =
        studio.run("audio.spectrogram", &[&size[..], &[("scale", "linear".into())]].concat()).unwrap();
    let spectrum = studio.workspace.picture(&spectrum["image"]).unwrap().to_rgb8();
    let light = |x: u32, y: u32| spectrum.get_pixel(x, y).0.iter().map(|it| u32::from(*it)).sum::<u32>();
    assert!(light(20, 40) > 500 && light(20, 10) < 100 && light(80, 40) < 100);
    assert_eq!(spectrum.dimensions(), (100, 80));
}

#[test]
fn a_format_that_needs_ffmpeg_is_written_or_says_how_to_install_it() {
    let mut studio = Studio::new();
    let made = studio.run("audio.generate", &[("format", "mp3".into()), ("seconds", Value::Float(1.0))]);
    match made {
        Ok(made) => {
            let (_, samples) = studio.samples(&made["audio"]);
            assert!((samples.len() as i64 - 44_100).abs() < 2500, "{}", samples.len());
        }
        Err(error) => assert!(
            error.starts_with("`format: mp3` needs the program ffmpeg")
                && error.contains("apt install ffmpeg"),
            "{error}"
        ),
    }
}

#[test]
fn a_rate_that_flac_is_not_written_with_is_refused_in_a_sentence() {
    let mut studio = Studio::new();
    let tone = studio.generated(&[("rate", Value::Int(96_000)), ("format", "flac".into())]);
    let given = [("audio", tone), ("rate", Value::Int(192_000)), ("format", "flac".into())];
    let error = studio.run("audio.resample", &given).unwrap_err();
    assert_eq!(
        error,
        "the sound has 192000 frames a second, and FLAC is written with up to 96000; use `format: wav` or `audio.resample`"
    );
}
