//! The lines of a file that grows: reads those that are new, in bounded memory.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::rooted::{Refusal, open_own};

/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// The position in the file, and the line that is not complete yet.
#[derive(Debug)]
pub(super) struct Tail {
    /// The longest line, in bytes.
    max_line: usize,
    /// The most bytes of the file that are read.
    max_bytes: u64,
    inode: u64,
    offset: u64,
    total: u64,
    pub(super) line: Vec<u8>,
    /// Whether the line is too long and is skipped to its end.
    skip: bool,
}

/// What the file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'a> {
    /// The file was replaced or overwritten: what follows is from its beginning.
    Again,
    /// A line, without its end.
    Whole(&'a [u8]),
    /// A line that is too long; nothing of it is kept.
    TooLong,
    /// So much that the rest is not read.
    TooMuch,
}

impl Tail {
    pub(super) fn new(max_line: usize, max_bytes: u64) -> Self {
        Self { max_line, max_bytes, inode: 0, offset: 0, total: 0, line: Vec::new(), skip: false }
    }

    /// Calls `visit` with each line that is new in the file of this name in an own folder.
    ///
    /// # Errors
    /// It can't be read, or is something else than a file.
    pub(super) fn read(
        &mut self,
        folder: &Path,
        name: &str,
        visit: &mut dyn FnMut(Line<'_>),
    ) -> Result<(), Refusal> {
        match open_own(folder, name) {
            Err(Refusal::Absent) => Ok(()),
            other => self.read_file(other?, visit),
        }
    }

    /// Calls `visit` with each line that is new in an open file.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn read_file(
        &mut self,
        mut file: File,
        visit: &mut dyn FnMut(Line<'_>),
    ) -> Result<(), Refusal> {
        let meta = file.metadata()?;
        if meta.ino() != self.inode || meta.len() < self.offset {
            // The file is new, or was overwritten with `>` instead of `>>`: start at its beginning.
            let new = Self::new(self.max_line, self.max_bytes);
            let was_read = self.offset > 0;
            *self = Self { inode: meta.ino(), total: self.total, ..new };
            if was_read {
                visit(Line::Again);
            }
        }
        if meta.len() == self.offset || self.total >= self.max_bytes {
            return Ok(());
        }
        file.seek(SeekFrom::Start(self.offset))?;
        let mut chunk = vec![0; CHUNK];
        loop {
            let count = match file.read(&mut chunk) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error.into()),
            };
            self.offset += count as u64;
            self.total += count as u64;
            self.bytes(&chunk[..count], visit);
            if self.total >= self.max_bytes {
                // Its last line is only a part.
                (self.line, self.skip) = (Vec::new(), true);
                visit(Line::TooMuch);
                return Ok(());
            }
        }
    }

    /// Takes the last line, which counts although it has no end.
    pub(super) fn finish(&mut self, visit: &mut dyn FnMut(Line<'_>)) {
        let line = std::mem::take(&mut self.line);
        if !std::mem::take(&mut self.skip) && !line.is_empty() {
            visit(Line::Whole(&line));
        }
    }

    fn bytes(&mut self, bytes: &[u8], visit: &mut dyn FnMut(Line<'_>)) {
        let mut parts = bytes.split(|it| *it == b'\n');
        let last = parts.next_back().unwrap_or_default();
        for part in parts {
            self.append(part, visit);
            let line = std::mem::take(&mut self.line);
            if !std::mem::take(&mut self.skip) {
                visit(Line::Whole(&line));
            }
        }
        self.append(last, visit);
    }

    fn append(&mut self, part: &[u8], visit: &mut dyn FnMut(Line<'_>)) {
        if self.skip {
            return;
        }
        if self.line.len() + part.len() > self.max_line {
            self.line = Vec::new();
            self.skip = true;
            visit(Line::TooLong);
            return;
        }
        self.line.extend_from_slice(part);
    }
}
