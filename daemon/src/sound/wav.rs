//! WAV files.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use super::Shape;
use crate::file_error::FileError;

/// The bytes before the samples.
const HEAD_BYTES: u32 = 44;

/// A WAV file that is written.
pub(super) struct Wav {
    file: BufWriter<File>,
    shape: Shape,
    /// The bytes of the samples.
    bytes: u64,
}

impl Wav {
    pub(super) fn new(file: File, shape: Shape) -> Result<Self, FileError> {
        let mut wav = Self { file: BufWriter::new(file), shape, bytes: 0 };
        wav.head().map_err(failed)?;
        Ok(wav)
    }

    /// Adds samples, interleaved.
    pub(super) fn add(&mut self, samples: &[i32]) -> Result<(), FileError> {
        let width = self.shape.bits as usize / 8;
        self.bytes += (samples.len() * width) as u64;
        if self.bytes > u64::from(u32::MAX - HEAD_BYTES - 1) {
            return Err(
                "the sound needs more than 4 GiB, which a WAV file can't hold; use `format: flac`".into()
            );
        }
        samples
            .iter()
            .try_for_each(|sample| self.file.write_all(&sample.to_le_bytes()[..width]))
            .map_err(failed)
    }

    /// Writes the lengths, which are known now.
    pub(super) fn finish(mut self) -> Result<(), FileError> {
        self.end().map_err(failed)
    }

    fn end(&mut self) -> std::io::Result<()> {
        if self.bytes % 2 == 1 {
            self.file.write_all(&[0])?;
        }
        self.file.seek(SeekFrom::Start(0))?;
        self.head()?;
        self.file.flush()
    }

    fn head(&mut self) -> std::io::Result<()> {
        let Shape { rate, channels, bits } = self.shape;
        let (channels, bytes) = (channels as u16, self.bytes as u32);
        let frame = channels * (bits / 8) as u16;
        let mut head = Vec::with_capacity(HEAD_BYTES as usize);
        head.extend(b"RIFF");
        head.extend((HEAD_BYTES - 8 + bytes + bytes % 2).to_le_bytes());
        head.extend(b"WAVEfmt \x10\0\0\0\x01\0");
        head.extend(channels.to_le_bytes());
        head.extend(rate.to_le_bytes());
        head.extend((rate * u32::from(frame)).to_le_bytes());
        head.extend(frame.to_le_bytes());
        head.extend((bits as u16).to_le_bytes());
        head.extend(b"data");
        head.extend(bytes.to_le_bytes());
        self.file.write_all(&head)
    }
}

fn failed(error: std::io::Error) -> FileError {
    FileError::of("the sound can't be written", &error)
}
