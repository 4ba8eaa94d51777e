//! The log of an attempt: the beginning and the end of both streams, in order of arrival.
//!
//! It is kept in the attempt's folder as append-only files. `log` holds the beginning; `log.OFFSET` hold the end, named
//! by the offset (20 digits) at which they begin. A file holds 512 KiB; when the last one is full, a new one begins,
//! and of the files with an offset only the last two stay. So readers never see bytes change, only files appear and
//! disappear, and everything between the first 512 KiB and the last 512 KiB to 1 MiB is dropped.
//!
//! A file is a sequence of records: the stream (u8: 1 standard output, 2 standard error, 3 reasoning), a length (u32,
//! little endian), and that many bytes. Offsets only count the bytes of output. The last record may be cut off while it
//! is being written.
//!
//! `stdout` in the same folder is the beginning of standard output, as plain bytes: 1 MiB, or as much as the command was
//! started with. One byte more means that there was more.
//!
//! If the command got secrets, all of these files contain masked output.

mod writer;

use std::io;
use std::path::Path;

use crate::rooted::read_own;

pub(crate) use writer::{LogWriter, StdoutWriter};

/// The maximum size of a file of the log.
const FILE: u64 = 512 << 10;
/// How much of standard output is kept for the port of a command, in bytes.
pub(crate) const STDOUT: u64 = 1 << 20;

/// Which stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamTag {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The reasoning of a node.
    Reasoning,
}

impl StreamTag {
    /// Returns its number on disk, which is never used for another stream.
    fn number(self) -> u8 {
        match self {
            Self::Stdout => 1,
            Self::Stderr => 2,
            Self::Reasoning => 3,
        }
    }

    /// Returns the stream with this number; an unknown one is shown as standard output.
    fn of(number: u8) -> Self {
        match number {
            2 => Self::Stderr,
            3 => Self::Reasoning,
            _ => Self::Stdout,
        }
    }
}

/// A part of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogPart {
    /// The offset of this part, in bytes; greater than requested if the middle was dropped.
    pub offset: u64,
    /// The output, by stream; together `next - offset` bytes. A part never spans dropped bytes.
    pub pieces: Vec<(StreamTag, Vec<u8>)>,
    /// Where the next part begins.
    pub next: u64,
    /// The length of the log so far.
    pub end: u64,
}

/// The beginning of standard output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stdout {
    /// At most 1 MiB.
    pub bytes: Vec<u8>,
    /// There was more.
    pub truncated: bool,
    /// A secret in it was masked. The reader of the file knows.
    pub masked: bool,
}

/// Reads at most `limit` bytes of the log in an attempt's folder, from `offset` on. Works while the log is written; a log
/// without a byte yet is an empty part.
///
/// # Errors
/// There is no such folder, or the log can't be read.
pub fn read(folder: &Path, offset: u64, limit: u32) -> io::Result<LogPart> {
    // A file may disappear after the folder is listed; then list it again.
    let mut tries = 0;
    loop {
        match read_once(folder, offset, limit) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries < 100 && folder.is_dir() => {
                tries += 1
            }
            done => return done,
        }
    }
}

fn read_once(folder: &Path, offset: u64, limit: u32) -> io::Result<LogPart> {
    let files = files(folder)?;
    let Some((last_start, last)) = files.last() else {
        return Ok(LogPart { offset: 0, pieces: Vec::new(), next: 0, end: 0 });
    };
    let last_bytes = read_own(folder, last)?;
    let end = last_start + records(&last_bytes).map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
    let offset = offset.min(end);
    // The last file that begins at or before the offset may end before it: then the middle was dropped there.
    let from = files.iter().rposition(|(start, _)| *start <= offset).unwrap_or(0);
    let mut part = LogPart { offset, pieces: Vec::new(), next: offset, end };
    let mut left = limit as usize;
    for (index, (start, name)) in files.iter().enumerate().skip(from) {
        let bytes = if index + 1 == files.len() { last_bytes.clone() } else { read_own(folder, name)? };
        if part.pieces.is_empty() && *start > part.next {
            (part.offset, part.next) = (*start, *start);
        }
        if *start > part.next {
            break;
        }
        let mut position = *start;
        for (stream, bytes) in records(&bytes) {
            let skip = usize::try_from(part.next.saturating_sub(position)).unwrap_or(usize::MAX);
            position += bytes.len() as u64;
            let Some(wanted) = bytes.get(skip..).filter(|wanted| !wanted.is_empty()) else { continue };
            let wanted = &wanted[..wanted.len().min(left)];
            part.next += wanted.len() as u64;
            left -= wanted.len();
            match part.pieces.last_mut() {
                Some((tag, text)) if *tag == stream => text.extend_from_slice(wanted),
                _ if wanted.is_empty() => {}
                _ => part.pieces.push((stream, wanted.to_vec())),
            }
            if left == 0 {
                return Ok(part);
            }
        }
    }
    Ok(part)
}

/// Returns the files of the log with the offsets at which they begin, in order.
fn files(folder: &Path) -> io::Result<Vec<(u64, String)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        let start = match name.strip_prefix("log") {
            Some("") => Some(0),
            Some(rest) => rest.strip_prefix('.').and_then(|digits| digits.parse().ok()),
            None => None,
        };
        if let Some(start) = start {
            files.push((start, name.to_owned()));
        }
    }
    files.sort();
    Ok(files)
}

/// Returns the records in these bytes; the last one as far as it goes.
fn records(bytes: &[u8]) -> impl Iterator<Item = (StreamTag, &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (head, after) = rest.split_first_chunk::<5>()?;
        let [tag, length @ ..] = *head;
        let length = (u32::from_le_bytes(length) as usize).min(after.len());
        let (data, after) = after.split_at(length);
        rest = after;
        Some((StreamTag::of(tag), data))
    })
}

/// Reads the standard output kept for the port `stdout`; empty if the command wrote none.
///
/// # Errors
/// There is no such folder, or it can't be read.
pub fn stdout(folder: &Path) -> io::Result<Stdout> {
    let mut bytes = match read_own(folder, "stdout") {
        Err(error) if error.kind() == io::ErrorKind::NotFound && folder.is_dir() => Vec::new(),
        bytes => bytes?,
    };
    let truncated = bytes.len() as u64 > STDOUT;
    bytes.truncate(usize::try_from(STDOUT).unwrap_or(usize::MAX));
    Ok(Stdout { bytes, truncated, masked: false })
}

#[cfg(test)]
mod tests;
