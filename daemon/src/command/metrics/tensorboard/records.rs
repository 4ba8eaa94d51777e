//! The frames of a file of records: length, checksum of the length, data, checksum of the data.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::MetadataExt;

/// The bytes before the data: its length and the checksum of that.
const HEAD: usize = 12;
/// The bytes after the data: its checksum.
const TAIL: usize = 4;
/// The largest record that is read, in bytes. Larger ones hold pictures and the like.
const MAX_RECORD: u64 = 16 * 1024 * 1024;
/// How much is read at once, in bytes.
const CHUNK: usize = 64 * 1024;

/// How far a file was read.
#[derive(Debug, Default)]
pub(super) struct Records {
    inode: u64,
    /// Where the bytes in `kept` end.
    offset: u64,
    /// The beginning of a record that is not complete.
    kept: Vec<u8>,
    /// How many bytes of a large record are still to be skipped.
    skip: u64,
    /// A length was damaged: nobody knows where the next record begins.
    is_lost: bool,
}

/// What a file holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Record<'a> {
    /// The data of a record.
    Data(&'a [u8]),
    /// The data of the record at this byte doesn't match its checksum.
    Damaged(u64),
    /// The length of the record at this byte doesn't match its checksum.
    Lost(u64),
    /// A record is too large; it has this many bytes.
    TooLarge(u64),
}

impl Records {
    /// Calls `visit` with each record that is new. Reads at most about `limit` bytes, and returns how many it read.
    ///
    /// # Errors
    /// The file can't be read.
    pub(super) fn read(
        &mut self,
        mut file: File,
        limit: u64,
        visit: &mut dyn FnMut(Record<'_>),
    ) -> io::Result<u64> {
        let meta = file.metadata()?;
        if meta.ino() != self.inode || meta.len() < self.offset {
            // It was replaced or overwritten: points with the same steps replace those from before.
            *self = Self { inode: meta.ino(), ..Self::default() };
        }
        let mut read = 0;
        let mut chunk = vec![0; CHUNK];
        while read < limit && !self.is_lost {
            let jump = self.skip.min(meta.len().saturating_sub(self.offset));
            (self.offset, self.skip) = (self.offset + jump, self.skip - jump);
            if meta.len() <= self.offset {
                break;
            }
            file.seek(SeekFrom::Start(self.offset))?;
            let count = match file.read(&mut chunk) {
                Ok(0) => break,
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            (self.offset, read) = (self.offset + count as u64, read + count as u64);
            self.kept.extend_from_slice(&chunk[..count]);
            self.take(visit);
        }
        Ok(read)
    }

    /// Takes the records that are complete.
    fn take(&mut self, visit: &mut dyn FnMut(Record<'_>)) {
        let mut at = 0;
        while let Some((head, rest)) = self.kept[at..].split_first_chunk::<HEAD>() {
            let place = self.offset - (self.kept.len() - at) as u64;
            let (length, sum) = head.split_at(8);
            if masked(length) != number(sum) {
                self.is_lost = true;
                visit(Record::Lost(place));
                break;
            }
            let length = u64::from_le_bytes(length.try_into().unwrap_or_default());
            if length > MAX_RECORD {
                visit(Record::TooLarge(length));
                let here = rest.len() as u64;
                let all = length.saturating_add(TAIL as u64);
                // What is kept beyond the record, if it ends in this chunk, is read again.
                self.skip = all.saturating_sub(here);
                at = self.kept.len() - usize::try_from(here.saturating_sub(all)).unwrap_or(0);
                continue;
            }
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let Some((data, after)) = rest.split_at_checked(length) else { break };
            let Some(sum) = after.get(..TAIL) else { break };
            visit(if masked(data) == number(sum) { Record::Data(data) } else { Record::Damaged(place) });
            at += HEAD + length + TAIL;
        }
        self.kept.drain(..at);
        if self.is_lost {
            self.kept = Vec::new();
        }
    }

    /// Returns whether the file ends within a record.
    pub(super) fn is_cut(&self) -> bool {
        !self.kept.is_empty() || self.skip > 0
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes.try_into().map_or(0, u32::from_le_bytes)
}

/// Returns the CRC-32C of bytes, masked as in files of records: a checksum of data that has checksums is a weak one.
fn masked(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)];
    let crc = !bytes.iter().fold(u32::MAX, step);
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// The CRC-32C (Castagnoli) of each byte.
const TABLE: [u32; 256] = {
    const POLYNOMIAL: u32 = 0x82f6_3b78;
    let mut table = [0; 256];
    let mut index = 0;
    while index < table.len() {
        #[allow(clippy::cast_possible_truncation)]
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
};

/// Returns a record.
#[cfg(test)]
pub(super) fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length).to_le_bytes(), data, &masked(data).to_le_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_the_standard() {
        // The check value of CRC-32C, and the mask taken back.
        let crc = masked(b"123456789").wrapping_sub(0xa282_ead8).rotate_left(15);
        assert_eq!(crc, 0xe306_9283);
    }
}
