//! JPEG: comments after the segments of applications. A segment is short, so a recipe may need several.

use std::io;

use super::{Edit, File, Found, MAX_PARTS, MAX_RECIPE_BYTES, bytes_at};

/// The beginning of a comment with a part of a recipe: followed by the number of the part and of all parts.
const MARK: &[u8] = b"fanlight recipe ";
/// The most bytes of a recipe in one segment.
const PART: usize = 65_000;
const COMMENT: u8 = 0xfe;

pub(super) fn added(file: &mut dyn File, text: &[u8]) -> io::Result<Option<Vec<Edit>>> {
    if bytes_at(file, 0, 2)? != [0xff, 0xd8] {
        return Ok(None);
    }
    let mut at = 2;
    for _ in 0..MAX_PARTS {
        match segment(file, at)? {
            Some((0xe0..=0xef, length)) => at += length,
            Some(_) => break,
            None => return Ok(None),
        }
    }
    let parts = text.len().div_ceil(PART).max(1);
    let mut insert = Vec::with_capacity(text.len() + parts * 40);
    for (number, part) in text.chunks(PART).enumerate() {
        let head = [MARK, format!("{}/{parts}\0", number + 1).as_bytes()].concat();
        insert.extend([0xff, COMMENT]);
        insert.extend(((head.len() + part.len() + 2) as u16).to_be_bytes());
        insert.extend(head);
        insert.extend(part);
    }
    Ok(Some(vec![Edit { at, remove: 0, insert }]))
}

pub(super) fn found(file: &mut dyn File) -> io::Result<Option<Found>> {
    let (mut at, mut text, mut begin, mut next) = (2, Vec::new(), 0, 1);
    for _ in 0..MAX_PARTS {
        let Some((marker, length)) = segment(file, at)? else { return Ok(None) };
        if marker == COMMENT {
            let body = bytes_at(file, at + 4, length as usize - 4)?;
            if let Some((number, count, part)) = part(&body).filter(|(number, ..)| *number == next) {
                if number == 1 {
                    begin = at;
                }
                text.extend(part);
                next += 1;
                if text.len() > MAX_RECIPE_BYTES {
                    return Ok(None);
                }
                if number == count {
                    let edit = Edit { at: begin, remove: at + length - begin, insert: Vec::new() };
                    return Ok(Some(Found { text, edits: vec![edit] }));
                }
            }
        }
        at += length;
    }
    Ok(None)
}

/// Returns the marker and the length of a segment, with its marker; `None` where the picture begins.
fn segment(file: &mut dyn File, at: u64) -> io::Result<Option<(u8, u64)>> {
    let head = bytes_at(file, at, 4)?;
    let length = u64::from(u16::from_be_bytes([head[2], head[3]]));
    let holds_data = matches!(head[1], 0xc0..=0xcf | 0xdb..=0xfe) && head[1] != 0xda;
    Ok((head[0] == 0xff && holds_data && length >= 2).then_some((head[1], length + 2)))
}

/// Returns the number of a part, how many there are, and its text.
fn part(body: &[u8]) -> Option<(usize, usize, &[u8])> {
    let rest = body.strip_prefix(MARK)?;
    let end = rest.iter().take(20).position(|byte| *byte == 0)?;
    let (number, count) = std::str::from_utf8(&rest[..end]).ok()?.split_once('/')?;
    Some((number.parse().ok()?, count.parse().ok()?, &rest[end + 1..]))
}
