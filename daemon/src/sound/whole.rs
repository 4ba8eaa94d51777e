//! Whether a sound file is whole, for formats whose decoder accepts any end.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// The longest page of an Ogg file, in bytes.
const MAX_PAGE_BYTES: u64 = 65_307;
/// The flag of the last page.
const LAST: u8 = 4;
/// The least length of the samples of a WAV file that is a placeholder, which programs write that don't know it yet.
const PLACEHOLDER_BYTES: u32 = 0x7fff_f000;
/// The most parts of a WAV file before its samples.
const MAX_WAV_PARTS: usize = 1000;

/// Returns whether an Ogg file ends with the last page of its stream.
pub(crate) fn ogg_is_whole(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(MAX_PAGE_BYTES)))?;
    let mut tail = Vec::new();
    file.take(MAX_PAGE_BYTES).read_to_end(&mut tail)?;
    Ok((0..tail.len()).any(|at| {
        let page = &tail[at..];
        let Some(segments) = page.get(26).map(|it| usize::from(*it)) else { return false };
        let Some(lengths) = page.get(27..27 + segments) else { return false };
        let bytes = 27 + segments + lengths.iter().map(|it| usize::from(*it)).sum::<usize>();
        page.starts_with(b"OggS\0") && page[5] & LAST != 0 && page.len() >= bytes
    }))
}

/// Returns whether a WAV file says how long its samples are.
pub(super) fn wav_has_length(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(12))?;
    for _ in 0..MAX_WAV_PARTS {
        let mut head = [0; 8];
        if file.read_exact(&mut head).is_err() {
            break;
        }
        let [kind @ .., a, b, c, d] = head;
        let length = u32::from_le_bytes([a, b, c, d]);
        if &kind == b"data" {
            return Ok(length < PLACEHOLDER_BYTES);
        }
        file.seek(SeekFrom::Current(i64::from(length) + i64::from(length % 2)))?;
    }
    Ok(true)
}

/// Returns whether the first frame of an MP3 file says how many frames follow.
pub(super) fn mp3_has_length(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut head = [0; 10];
    if file.read_exact(&mut head).is_err() {
        return Ok(false);
    }
    let tag = if head.starts_with(b"ID3") {
        10 + head[6..].iter().fold(0, |size, byte| size << 7 | u64::from(byte & 0x7f))
    } else {
        0
    };
    file.seek(SeekFrom::Start(tag))?;
    let mut first = Vec::new();
    file.take(256).read_to_end(&mut first)?;
    Ok(first.windows(4).any(|it| matches!(it, b"Xing" | b"Info" | b"VBRI")))
}
