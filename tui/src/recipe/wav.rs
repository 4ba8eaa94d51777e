//! WAV: a list of information with a comment, at the end of the file.

use std::io::{self, SeekFrom};

use super::{BEGINNING, Edit, File, Found, MAX_PARTS, MAX_RECIPE_BYTES, bytes_at};

/// The head of the list, of its only entry, and their lengths.
const HEAD: usize = 20;

/// A chunk: its place, its name and the length of its body.
type Chunk = (u64, [u8; 4], u64);

pub(super) fn added(file: &mut dyn File, text: &[u8]) -> io::Result<Option<Vec<Edit>>> {
    let Some((chunks, end)) = chunks(file)? else { return Ok(None) };
    if !chunks.iter().any(|(_, name, _)| name == b"data") {
        return Ok(None);
    }
    let odd = text.len() % 2;
    let mut chunk = b"LIST".to_vec();
    chunk.extend(((text.len() + odd + 12) as u32).to_le_bytes());
    chunk.extend(b"INFOICMT");
    chunk.extend((text.len() as u32).to_le_bytes());
    chunk.extend(text);
    chunk.extend(&[0][..odd]);
    let Ok(size) = u32::try_from(end - 8 + chunk.len() as u64) else { return Ok(None) };
    Ok(Some(vec![resized(size), Edit { at: end, remove: 0, insert: chunk }]))
}

pub(super) fn found(file: &mut dyn File) -> io::Result<Option<Found>> {
    let Some((chunks, end)) = chunks(file)? else { return Ok(None) };
    // The newest one is the last.
    for (at, name, length) in chunks.into_iter().rev() {
        if name != *b"LIST" || length < HEAD as u64 - 8 || length > MAX_RECIPE_BYTES as u64 {
            continue;
        }
        let body = bytes_at(file, at + 8, length as usize)?;
        let Some(entry) = body.strip_prefix(b"INFOICMT") else { continue };
        let Some((size, text)) = entry.split_first_chunk::<4>() else { continue };
        let Some(text) = text.get(..u32::from_le_bytes(*size) as usize) else { continue };
        if !text.starts_with(BEGINNING.as_bytes()) {
            continue;
        }
        let remove = length + 8 + length % 2;
        let Ok(size) = u32::try_from(end - 8 - remove) else { return Ok(None) };
        let edits = vec![resized(size), Edit { at, remove, insert: Vec::new() }];
        return Ok(Some(Found { text: text.to_vec(), edits }));
    }
    Ok(None)
}

fn resized(size: u32) -> Edit {
    Edit { at: 4, remove: 4, insert: size.to_le_bytes().to_vec() }
}

/// Returns the chunks and the end of a file whose lengths fit together. Streams, of which nobody knew the length, don't.
fn chunks(file: &mut dyn File) -> io::Result<Option<(Vec<Chunk>, u64)>> {
    let head = bytes_at(file, 0, 12)?;
    let end = file.seek(SeekFrom::End(0))?;
    let size = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
    if head[..4] != *b"RIFF" || head[8..] != *b"WAVE" || end != size + 8 {
        return Ok(None);
    }
    let (mut at, mut chunks) = (12, Vec::new());
    while at < end && chunks.len() < MAX_PARTS {
        let head = bytes_at(file, at, 8)?;
        let length = u64::from(u32::from_le_bytes([head[4], head[5], head[6], head[7]]));
        chunks.push((at, [head[0], head[1], head[2], head[3]], length));
        at += 8 + length + length % 2;
    }
    Ok((at == end).then_some((chunks, end)))
}
