//! FLAC files, compressed frame by frame.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use flacenc::bitsink::ByteSink;
use flacenc::component::{BitRepr, StreamInfo};
use flacenc::config;
use flacenc::encode_fixed_size_frame;
use flacenc::error::{Verified, Verify};
use flacenc::source::{Context, Fill, FrameBuf};

use super::Shape;
use crate::file_error::FileError;

/// The highest rate that is written, in frames per second.
const MAX_RATE: u32 = 96_000;
/// The frames of a block.
const BLOCK: usize = 4096;

/// A FLAC file that is written.
pub(super) struct Flac {
    file: BufWriter<File>,
    shape: Shape,
    config: Verified<config::Encoder>,
    info: StreamInfo,
    buffer: FrameBuf,
    /// Counts the samples and hashes them.
    context: Context,
    /// The samples that don't fill a block yet, interleaved.
    waiting: Vec<i32>,
}

impl Flac {
    pub(super) fn new(file: File, shape: Shape) -> Result<Self, FileError> {
        let Shape { rate, channels, bits } = shape;
        if rate > MAX_RATE {
            return Err(format!(
                "the sound has {rate} frames a second, and FLAC is written with up to {MAX_RATE}; use `format: wav` or \
                 `audio.resample`"
            )
            .into());
        }
        let bits = bits as usize;
        let config = config::Encoder::default().into_verified().map_err(|(_, error)| refused(&error))?;
        let mut flac = Self {
            file: BufWriter::new(file),
            shape,
            config,
            info: StreamInfo::new(rate as usize, channels, bits).map_err(|error| refused(&error))?,
            buffer: FrameBuf::with_size(channels, BLOCK).map_err(|error| refused(&error))?,
            context: Context::new(bits, channels),
            waiting: Vec::new(),
        };
        flac.head()?;
        Ok(flac)
    }

    /// Adds samples, interleaved.
    pub(super) fn add(&mut self, samples: &[i32]) -> Result<(), FileError> {
        self.waiting.extend_from_slice(samples);
        let block = BLOCK * self.shape.channels;
        let whole = self.waiting.len() / block * block;
        let rest = self.waiting.split_off(whole);
        let ready = std::mem::replace(&mut self.waiting, rest);
        ready.chunks_exact(block).try_for_each(|block| self.block(block))
    }

    /// Writes the last block, and the numbers that are known now.
    pub(super) fn finish(mut self) -> Result<(), FileError> {
        let last = std::mem::take(&mut self.waiting);
        if !last.is_empty() {
            self.block(&last)?;
        }
        self.info.set_md5_digest(&self.context.md5_digest());
        self.info.set_total_samples(self.context.total_samples());
        self.file.seek(SeekFrom::Start(0)).map_err(|error| failed(&error))?;
        self.head()?;
        self.file.flush().map_err(|error| failed(&error))
    }

    fn block(&mut self, samples: &[i32]) -> Result<(), FileError> {
        self.buffer.fill_interleaved(samples).map_err(|error| refused(&error))?;
        self.context.fill_interleaved(samples).map_err(|error| refused(&error))?;
        let number = self.context.current_frame_number().unwrap_or(0);
        let frame = encode_fixed_size_frame(&self.config, &self.buffer, number, &self.info)
            .map_err(|error| refused(&error))?;
        self.info.update_frame_info(&frame);
        let mut sink = ByteSink::new();
        frame.write(&mut sink).map_err(|error| refused(&error))?;
        self.file.write_all(sink.as_slice()).map_err(|error| failed(&error))
    }

    fn head(&mut self) -> Result<(), FileError> {
        let mut info = self.info.clone();
        // The last block is shorter and doesn't count.
        info.set_block_sizes(BLOCK, BLOCK).map_err(|error| refused(&error))?;
        if self.context.total_samples() == 0 {
            info.set_frame_sizes(0, 0).map_err(|error| refused(&error))?;
        }
        let mut sink = ByteSink::new();
        info.write(&mut sink).map_err(|error| refused(&error))?;
        // The only block of metadata, and its length.
        let mut head = b"fLaC\x80\0\0\x22".to_vec();
        head.extend_from_slice(sink.as_slice());
        self.file.write_all(&head).map_err(|error| failed(&error))
    }
}

fn failed(error: &std::io::Error) -> FileError {
    FileError::of("the sound can't be written", error)
}

fn refused(error: &dyn std::fmt::Display) -> FileError {
    format!("the sound can't be written as FLAC: {error}").into()
}
