//! Checks whether a JPEG is complete: decoders fill missing parts with grey and report nothing.

use std::io::{self, BufRead};

const START_OF_SCAN: u8 = 0xda;
const END_OF_IMAGE: u8 = 0xd9;

/// Returns whether the picture ends with its end marker. Bytes after that are ignored: cameras append a video there.
/// Files that don't begin as a JPEG or have invalid segments are left to the decoder.
///
/// # Errors
/// It can't be read.
pub(super) fn is_whole(reader: &mut impl BufRead) -> io::Result<bool> {
    match walk(reader) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        walked => walked.map(|()| true),
    }
}

/// Reads to the end marker.
fn walk(reader: &mut impl BufRead) -> io::Result<()> {
    if [byte(reader)?, byte(reader)?] != [0xff, 0xd8] {
        return Ok(());
    }
    loop {
        if byte(reader)? != 0xff {
            return Ok(());
        }
        let mut marker = byte(reader)?;
        // Any number of fill bytes may precede a marker.
        while marker == 0xff {
            marker = byte(reader)?;
        }
        loop {
            match marker {
                END_OF_IMAGE => return Ok(()),
                // Markers without a segment.
                0x01 | 0xd0..=0xd7 => break,
                _ => {}
            }
            let length = u64::from(u16::from_be_bytes([byte(reader)?, byte(reader)?]));
            skip(reader, length.saturating_sub(2))?;
            if marker != START_OF_SCAN {
                break;
            }
            marker = next_marker(reader)?;
        }
    }
}

/// Skips the coded data of a scan and returns the marker after it.
fn next_marker(reader: &mut impl BufRead) -> io::Result<u8> {
    loop {
        let buffer = reader.fill_buf()?;
        if buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let Some(at) = buffer.iter().position(|byte| *byte == 0xff) else {
            let length = buffer.len();
            reader.consume(length);
            continue;
        };
        reader.consume(at + 1);
        match byte(reader)? {
            // An escaped 0xff, a restart, a fill byte.
            0x00 | 0xd0..=0xd7 => {}
            0xff => {}
            marker => return Ok(marker),
        }
    }
}

fn byte(reader: &mut impl BufRead) -> io::Result<u8> {
    let mut byte = [0];
    reader.read_exact(&mut byte)?;
    Ok(byte[0])
}

fn skip(reader: &mut impl BufRead, length: u64) -> io::Result<()> {
    let skipped = io::copy(&mut io::Read::take(reader, length), &mut io::sink())?;
    if skipped == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(bytes: &[u8]) -> bool {
        is_whole(&mut io::Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn only_the_end_marker_of_the_picture_itself_counts() {
        // An application segment that holds an end marker, a scan with an escaped byte and a restart.
        let picture = [
            &[0xff, 0xd8][..],
            &[0xff, 0xe1, 0, 4, 0xff, 0xd9],
            &[0xff, 0xff, 0xda, 0, 2, 7, 0xff, 0, 0xff, 0xd0, 7],
        ]
        .concat();
        assert!(!whole(&picture));
        let picture = [&picture[..], &[0xff, 0xd9]].concat();
        assert!(whole(&picture));
        assert!((2..picture.len()).all(|end| !whole(&picture[..end])));
        assert!(whole(&[&picture[..], b"more"].concat()));
        let progressive =
            [&[0xff, 0xd8, 0xff, 0xda, 0, 2, 1, 0xff, 0xda, 0, 2, 2][..], &[0xff, 0xd9]].concat();
        assert!(whole(&progressive));
        assert!(whole(b"no picture at all"), "the decoder says that better");
    }
}
