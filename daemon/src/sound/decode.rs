//! Decodes sounds.

use std::fs::File;
use std::path::Path;

use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_PCM_F32BE, CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F64BE, CODEC_ID_PCM_F64LE,
};
use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::common::Limit;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::well_known::{FORMAT_ID_FLAC, FORMAT_ID_MP3, FORMAT_ID_OGG, FORMAT_ID_WAVE};
use symphonia::core::formats::{FormatOptions, FormatReader, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;

use super::{MAX_CHANNELS, RATES, Shape, Source, whole};

/// The most bytes of a tag or of a picture in a file; longer ones are skipped.
const MAX_TAG_BYTES: usize = 1 << 20;
/// The frames of an MP3 file that may be missing at its end: its first one is often counted and never heard.
const MP3_SLACK: u64 = 1152;
/// The types of formats that are known, whatever kind of sound is in them.
const KNOWN: [&str; 3] = ["audio/x-wav", "audio/x-flac", "audio/mpeg"];

/// A sound file that is decoded.
pub(crate) struct Decoder {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    shape: Shape,
    /// The first block, which says how the sound is sampled.
    first: Option<Vec<f32>>,
    /// How many frames the file says it has.
    announced: Option<u64>,
    /// Whether that number is exact.
    exact: bool,
    /// Whether the file has an end.
    whole: bool,
    frames: u64,
}

/// Why a sound file can't be opened.
enum OpenError {
    /// Its format is not known, or its head is cut.
    Format,
    /// Its kind of sound can't be decoded here.
    Kind(String),
    Damaged(String),
}

impl From<String> for OpenError {
    fn from(sentence: String) -> Self {
        Self::Damaged(sentence)
    }
}

impl From<&str> for OpenError {
    fn from(sentence: &str) -> Self {
        Self::Damaged(sentence.to_owned())
    }
}

impl From<OpenError> for String {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Format => {
                "this is not a sound of a known format; WAV, FLAC, MP3, Ogg Vorbis and AAC are".to_owned()
            }
            OpenError::Kind(sentence) | OpenError::Damaged(sentence) => sentence,
        }
    }
}

/// Checks that a sound file of this type is whole, by decoding it. One that can't be decoded here passes.
///
/// # Errors
/// A sentence: it is damaged, cut, or has no samples.
pub(crate) fn check(path: &Path, mime: &str) -> Result<(), String> {
    let mut decoder = match Decoder::open_known(path) {
        Ok(decoder) => decoder,
        Err(OpenError::Kind(_)) => return Ok(()),
        Err(OpenError::Format) if KNOWN.contains(&mime) => {
            return Err("the sound is damaged: its head can't be read".to_owned());
        }
        Err(OpenError::Format) => return Ok(()),
        Err(OpenError::Damaged(sentence)) => return Err(sentence),
    };
    let mut block = Vec::new();
    while decoder.next(&mut block)? {}
    Ok(())
}

impl Decoder {
    /// Opens a sound file.
    ///
    /// # Errors
    /// A sentence: there is no sound in it, it is damaged, or has too many channels.
    pub(crate) fn open(path: &Path) -> Result<Self, String> {
        Ok(Self::open_known(path)?)
    }

    fn open_known(path: &Path) -> Result<Self, OpenError> {
        let file = File::open(path).map_err(|error| format!("the sound can't be read: {error}"))?;
        let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
        let tags = MetadataOptions::default()
            .limit_tag_bytes(Limit::Maximum(MAX_TAG_BYTES))
            .limit_visual_bytes(Limit::Maximum(MAX_TAG_BYTES));
        let format = symphonia::default::get_probe()
            .probe(&Hint::new(), stream, FormatOptions::default(), tags)
            .map_err(|error| match error {
                Error::IoError(_) | Error::Unsupported(_) => OpenError::Format,
                other => OpenError::Damaged(damaged(&other)),
            })?;
        let track = format.default_track(TrackType::Audio).ok_or("there is no sound in it")?;
        let params = track.codec_params.as_ref().and_then(|it| it.audio());
        let params = params.ok_or_else(|| OpenError::Kind("its kind of sound is unknown".to_owned()))?;
        let options = AudioDecoderOptions::default().verify(true);
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(params, &options)
            .map_err(|error| OpenError::Kind(format!("its kind of sound can't be decoded: {error}")))?;
        let float = [CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F32BE, CODEC_ID_PCM_F64LE, CODEC_ID_PCM_F64BE]
            .contains(&params.codec);
        let bits = if float || params.bits_per_sample.is_some_and(|bits| bits > 16) { 24 } else { 16 };
        let container = format.format_info().format;
        let exact = [FORMAT_ID_WAVE, FORMAT_ID_FLAC].contains(&container);
        let unreadable = |error: std::io::Error| format!("the sound can't be read: {error}");
        let announced = match track.num_frames {
            _ if container == FORMAT_ID_WAVE && !whole::wav_has_length(path).map_err(unreadable)? => None,
            frames if exact => frames,
            // Without it, the number is a guess.
            frames if container == FORMAT_ID_MP3 && whole::mp3_has_length(path).map_err(unreadable)? => {
                frames
            }
            _ => None,
        };
        let whole = container != FORMAT_ID_OGG || whole::ogg_is_whole(path).map_err(unreadable)?;
        let shape = Shape { rate: 0, channels: 0, bits };
        let track = track.id;
        let mut opened =
            Self { format, decoder, track, shape, first: None, announced, exact, whole, frames: 0 };
        let mut first = Vec::new();
        opened.decode(&mut first)?;
        if first.is_empty() {
            return Err("the sound has no samples".into());
        }
        opened.first = Some(first);
        Ok(opened)
    }

    /// Returns how many frames it has, if the file says so exactly. Reading it to its end checks that.
    #[cfg(feature = "audio")]
    pub(crate) fn exact_frames(&self) -> Option<u64> {
        self.announced.filter(|_| self.exact)
    }

    fn decode(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        block.clear();
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track => packet,
                Ok(Some(_)) => continue,
                Ok(None) => return self.end().map(|()| false),
                Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    if !self.exact {
                        return Err(self.cut_off());
                    }
                    return self.end().map(|()| false);
                }
                Err(error) => return Err(self.damaged_here(&error)),
            };
            let buffer = match self.decoder.decode(&packet) {
                Ok(buffer) => buffer,
                Err(error) => return Err(damaged_after(self.seconds(), &error)),
            };
            if buffer.frames() == 0 {
                continue;
            }
            let (rate, channels) = (buffer.spec().rate(), buffer.spec().channels().count());
            buffer.copy_to_vec_interleaved(block);
            self.check(rate, channels, block)?;
            self.frames += (block.len() / channels) as u64;
            self.shape.check_length(self.frames)?;
            return Ok(true);
        }
    }

    fn check(&mut self, rate: u32, channels: usize, block: &[f32]) -> Result<(), String> {
        if self.frames == 0 {
            if !(1..=MAX_CHANNELS).contains(&channels) {
                return Err(format!("it has {channels} channels; at most {MAX_CHANNELS} are accepted"));
            }
            if !RATES.contains(&rate) {
                let (low, high) = (RATES.start(), RATES.end());
                return Err(format!("it has {rate} frames a second; {low} to {high} are accepted"));
            }
            (self.shape.rate, self.shape.channels) = (rate, channels);
        }
        if (rate, channels) != (self.shape.rate, self.shape.channels) {
            return Err(format!(
                "the sound changes its rate or its channels after {:.1} s; split it there first",
                self.seconds()
            ));
        }
        if block.iter().any(|it| !it.is_finite()) {
            return Err(format!(
                "the sound is damaged: after {:.1} s a sample is not a number",
                self.seconds()
            ));
        }
        Ok(())
    }

    /// Checks at the end that everything was there.
    fn end(&mut self) -> Result<(), String> {
        let slack = if self.exact { 0 } else { MP3_SLACK };
        if !self.whole || self.announced.is_some_and(|announced| self.frames + slack < announced) {
            return Err(self.cut_off());
        }
        if self.exact && self.announced.is_some_and(|announced| self.frames > announced) {
            return Err("the sound is damaged: it is longer than it says".into());
        }
        if self.decoder.finalize().verify_ok == Some(false) {
            return Err("the sound is damaged: its samples don't match its checksum".into());
        }
        Ok(())
    }

    fn cut_off(&self) -> String {
        let announced = self.announced.filter(|_| self.shape.rate > 0);
        let of = announced.map(|it| format!(" of {:.1} s", self.shape.seconds(it))).unwrap_or_default();
        format!("the sound is damaged: it ends after {:.1} s{of}", self.seconds())
    }

    fn damaged_here(&self, error: &Error) -> String {
        match error {
            Error::ResetRequired => {
                format!("the sound changes its format after {:.1} s; split it there first", self.seconds())
            }
            other => damaged_after(self.seconds(), other),
        }
    }

    fn seconds(&self) -> f64 {
        if self.shape.rate == 0 { 0.0 } else { self.shape.seconds(self.frames) }
    }
}

impl Source for Decoder {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn next(&mut self, block: &mut Vec<f32>) -> Result<bool, String> {
        match self.first.take() {
            Some(first) => {
                *block = first;
                Ok(true)
            }
            None => self.decode(block),
        }
    }
}

fn damaged(error: &Error) -> String {
    format!("the sound is damaged: {}", fanlight_shared::value::cut(&error.to_string(), 200))
}

fn damaged_after(seconds: f64, error: &Error) -> String {
    format!(
        "the sound is damaged after {seconds:.1} s: {}",
        fanlight_shared::value::cut(&error.to_string(), 200)
    )
}
