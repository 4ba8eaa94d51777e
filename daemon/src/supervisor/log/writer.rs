//! Writes a log. No file is created before the first byte: most commands write nothing.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

use super::{FILE, StreamTag};
use crate::rooted::create_own;

/// The writing end of a log.
#[derive(Debug)]
pub(crate) struct LogWriter {
    folder: PathBuf,
    /// How many bytes of output were written so far.
    end: u64,
    current: Option<(File, u64)>,
    /// The files that are named by an offset, oldest first; at most two.
    tail: Vec<PathBuf>,
    any: bool,
}

impl LogWriter {
    /// Returns a log in this folder.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, end: 0, current: None, tail: Vec::new(), any: false }
    }

    /// Returns the number of bytes written so far.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Writes output. If it can't be written (a full disk), it is dropped like the middle of a long log, and the
    /// command continues.
    pub(crate) fn write(&mut self, stream: StreamTag, bytes: &[u8]) {
        if self.append(stream, bytes).is_err() {
            self.current = None;
        }
        self.end += bytes.len() as u64;
    }

    fn append(&mut self, stream: StreamTag, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
        if self.current.as_ref().is_none_or(|(_, size)| *size >= FILE) {
            self.begin()?;
        }
        let Some((file, size)) = &mut self.current else { return Ok(()) };
        let mut record = Vec::with_capacity(5 + bytes.len());
        record.push(stream.number());
        record.extend(length.to_le_bytes());
        record.extend(bytes);
        file.write_all(&record)?;
        *size += record.len() as u64;
        Ok(())
    }

    fn begin(&mut self) -> io::Result<()> {
        self.current = None;
        let name = if self.any { format!("log.{:020}", self.end) } else { "log".to_owned() };
        let file = create_own(&self.folder, &name)?;
        if self.any {
            if self.tail.len() == 2 {
                let old = self.tail.remove(0);
                // The folder belongs to the daemon, which may have removed it.
                let _ = std::fs::remove_file(old);
            }
            self.tail.push(self.folder.join(name));
        }
        self.any = true;
        self.current = Some((file, 0));
        Ok(())
    }
}

/// The writing end of `stdout`.
#[derive(Debug)]
pub(crate) struct StdoutWriter {
    folder: PathBuf,
    file: Option<File>,
    left: u64,
}

impl StdoutWriter {
    /// Creates the writer of `stdout` in this folder, which keeps this many bytes.
    pub(crate) fn new(folder: &std::path::Path, limit: u64) -> Self {
        Self { folder: folder.to_owned(), file: None, left: limit.saturating_add(1) }
    }

    /// Writes output, as much as still fits.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let kept = &bytes[..bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX))];
        if kept.is_empty() {
            return;
        }
        self.left -= kept.len() as u64;
        if self.append(kept).is_err() || self.left == 0 {
            // After a failure nothing more is kept, so that there is no gap.
            (self.file, self.left) = (None, 0);
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => create_own(&self.folder, "stdout")?,
        };
        file.write_all(bytes)?;
        self.file = Some(file);
        Ok(())
    }
}
