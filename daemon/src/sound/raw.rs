//! Samples without a head, which no length limits.

use std::fs::File;
use std::io::{BufWriter, Write};

use crate::file_error::FileError;

/// A file of samples that is written.
pub(super) struct Raw {
    file: BufWriter<File>,
    /// The bytes of a sample.
    width: usize,
}

impl Raw {
    pub(super) fn new(file: File, bits: u32) -> Self {
        Self { file: BufWriter::new(file), width: bits as usize / 8 }
    }

    /// Adds samples, interleaved.
    pub(super) fn add(&mut self, samples: &[i32]) -> Result<(), FileError> {
        let mut write = |sample: &i32| self.file.write_all(&sample.to_le_bytes()[..self.width]);
        samples.iter().try_for_each(&mut write).map_err(|error| failed(&error))
    }

    pub(super) fn finish(mut self) -> Result<(), FileError> {
        self.file.flush().map_err(|error| failed(&error))
    }
}

fn failed(error: &std::io::Error) -> FileError {
    FileError::of("the sound can't be written", error)
}
