//! Copies what a command writes into the log of its attempt, masked, as the supervisor does for commands on this machine.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::files::{STDERR, STDOUT};
use crate::command::folder::Folder;
use crate::rooted::{Refusal, open_own};
use crate::secret::{MaskStream, Secrets};
use crate::supervisor::log::{LogWriter, StdoutWriter, StreamTag};

/// How much is read at once, in bytes.
const CHUNK: usize = 64 << 10;
/// How much of a stream is copied before the other one has its turn, and the events are read.
const MAX_TURN: u64 = 4 << 20;

/// The output of one attempt, and how far it was copied.
pub(super) struct Output {
    log: LogWriter,
    stdout: StdoutWriter,
    streams: [Stream; 2],
    masked: bool,
}

struct Stream {
    name: &'static str,
    tag: StreamTag,
    offset: u64,
    mask: Option<MaskStream>,
}

impl Output {
    /// Starts from the beginning: what an earlier daemon copied is replaced. Blocks.
    ///
    /// # Errors
    /// What it copied can't be removed.
    pub(super) fn open(folder: &Folder, stdout_limit: u64, secrets: &Secrets) -> io::Result<Self> {
        for entry in std::fs::read_dir(folder.path())? {
            let entry = entry?;
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            if name == "log" || name.starts_with("log.") || name == STDOUT {
                std::fs::remove_file(entry.path())?;
            }
        }
        let stream = |name, tag| Stream { name, tag, offset: 0, mask: secrets.stream() };
        Ok(Self {
            log: LogWriter::new(folder.path().to_owned()),
            stdout: StdoutWriter::new(folder.path(), stdout_limit),
            streams: [stream(STDOUT, StreamTag::Stdout), stream(STDERR, StreamTag::Stderr)],
            masked: false,
        })
    }

    /// Returns the length of the log so far.
    pub(super) fn end(&self) -> u64 {
        self.log.end()
    }

    /// Returns whether a secret was masked in standard output.
    pub(super) fn is_masked(&self) -> bool {
        self.masked
    }

    /// Returns how much of standard output and standard error was read.
    pub(super) fn read_so_far(&self) -> [u64; 2] {
        [self.streams[0].offset, self.streams[1].offset]
    }

    /// Copies what is new, or a part of it. Returns whether there may be more. Blocks.
    ///
    /// # Errors
    /// It can't be read.
    pub(super) fn copy(&mut self, files: &Path) -> Result<bool, Refusal> {
        let mut more = false;
        for at in 0..self.streams.len() {
            let mut file = match open_own(files, self.streams[at].name) {
                Err(Refusal::Absent) => continue,
                file => file?,
            };
            more |= self.copy_stream(at, &mut file)?;
        }
        Ok(more)
    }

    fn copy_stream(&mut self, at: usize, file: &mut File) -> io::Result<bool> {
        file.seek(SeekFrom::Start(self.streams[at].offset))?;
        let mut chunk = vec![0; CHUNK];
        let mut copied = 0;
        while copied < MAX_TURN {
            let count = match file.read(&mut chunk) {
                Ok(0) => return Ok(false),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            copied += count as u64;
            self.streams[at].offset += count as u64;
            let mut masked = Vec::new();
            let bytes = match &mut self.streams[at].mask {
                None => &chunk[..count],
                Some(mask) => {
                    mask.push(&chunk[..count], &mut masked);
                    self.masked |= at == 0 && mask.has_found();
                    &masked
                }
            };
            put(&mut self.log, &mut self.stdout, self.streams[at].tag, bytes);
        }
        Ok(true)
    }

    /// Writes what the masks held back: nothing follows.
    pub(super) fn finish(&mut self) {
        for at in 0..self.streams.len() {
            let Some(mut mask) = self.streams[at].mask.take() else { continue };
            let mut rest = Vec::new();
            mask.finish(&mut rest);
            self.masked |= at == 0 && mask.has_found();
            put(&mut self.log, &mut self.stdout, self.streams[at].tag, &rest);
        }
    }
}

fn put(log: &mut LogWriter, stdout: &mut StdoutWriter, tag: StreamTag, bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    if tag == StreamTag::Stdout {
        stdout.write(bytes);
    }
    log.write(tag, bytes);
}
