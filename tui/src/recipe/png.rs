//! PNG: an `iTXt` chunk after the header.

use std::io;

use super::{Edit, File, Found, MAX_PARTS, MAX_RECIPE_BYTES, bytes_at};

pub(super) const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// The keyword, then: not compressed, no language, no translated keyword.
const KEYWORD: &[u8] = b"fanlight\0\0\0\0\0";
/// The length of the signature and of the header chunk.
const HEADER: u64 = 8 + 25;

pub(super) fn added(file: &mut dyn File, text: &[u8]) -> io::Result<Option<Vec<Edit>>> {
    let head = bytes_at(file, 0, HEADER as usize)?;
    if !head.starts_with(SIGNATURE) || head[8..16] != *b"\0\0\0\x0dIHDR" {
        return Ok(None);
    }
    let mut body = b"iTXt".to_vec();
    body.extend(KEYWORD);
    body.extend(text);
    let mut chunk = (body.len() as u32 - 4).to_be_bytes().to_vec();
    chunk.extend(&body);
    chunk.extend(crc(&body).to_be_bytes());
    Ok(Some(vec![Edit { at: HEADER, remove: 0, insert: chunk }]))
}

pub(super) fn found(file: &mut dyn File) -> io::Result<Option<Found>> {
    let mut at = HEADER;
    for _ in 0..MAX_PARTS {
        let head = bytes_at(file, at, 8)?;
        let length = head[..4].iter().fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
        match &head[4..] {
            b"IDAT" | b"IEND" => return Ok(None),
            b"iTXt" if length <= MAX_RECIPE_BYTES as u64 => {
                let body = bytes_at(file, at + 8, length as usize)?;
                if let Some(text) = body.strip_prefix(KEYWORD) {
                    let edit = Edit { at, remove: length + 12, insert: Vec::new() };
                    return Ok(Some(Found { text: text.to_vec(), edits: vec![edit] }));
                }
            }
            _ => {}
        }
        at += length + 12;
    }
    Ok(None)
}

/// Returns the CRC-32 that ends a chunk.
fn crc(bytes: &[u8]) -> u32 {
    let step =
        |crc: u32, byte: &u8| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 }
            })
        };
    !bytes.iter().fold(!0, step)
}
