//! FLAC: a field among the comments of Vorbis.

use std::io;

use super::{Edit, File, Found, MAX_PARTS, bytes_at};

const FIELD: &[u8] = b"FANLIGHT_RECIPE=";
/// The vendor of a block that was added for the recipe alone.
const VENDOR: &[u8] = b"fanlight";
const COMMENTS: u8 = 4;
/// The mark of the last block, in its type.
const LAST: u8 = 0x80;
/// The longest body of a block.
const MAX_BLOCK: usize = (1 << 24) - 1;

/// A block of metadata.
struct Block {
    at: u64,
    kind: u8,
    is_last: bool,
    length: usize,
}

/// Comments: who wrote the file, and the fields.
struct Comments {
    vendor: Vec<u8>,
    fields: Vec<Vec<u8>>,
}

pub(super) fn added(file: &mut dyn File, text: &[u8]) -> io::Result<Option<Vec<Edit>>> {
    let Some(blocks) = blocks(file)? else { return Ok(None) };
    let field = [FIELD, text].concat();
    let edits = match blocks.iter().find(|block| block.kind == COMMENTS) {
        Some(block) => {
            let Some(mut comments) = read(file, block)? else { return Ok(None) };
            comments.fields.push(field);
            written(&comments, block.is_last).map(|insert| vec![replaced(block, insert)])
        }
        None => {
            let Some(first) = blocks.first() else { return Ok(None) };
            let comments = Comments { vendor: VENDOR.to_vec(), fields: vec![field] };
            let after = Edit { at: first.at + 4 + first.length as u64, remove: 0, insert: Vec::new() };
            written(&comments, first.is_last).map(|insert| {
                vec![Edit { at: first.at, remove: 1, insert: vec![first.kind] }, Edit { insert, ..after }]
            })
        }
    };
    Ok(edits)
}

pub(super) fn found(file: &mut dyn File) -> io::Result<Option<Found>> {
    let Some(blocks) = blocks(file)? else { return Ok(None) };
    let Some(at) = blocks.iter().position(|block| block.kind == COMMENTS) else { return Ok(None) };
    let block = &blocks[at];
    let Some(mut comments) = read(file, block)? else { return Ok(None) };
    let Some(field) = comments.fields.iter().rposition(|field| field.starts_with(FIELD)) else {
        return Ok(None);
    };
    let text = comments.fields.remove(field)[FIELD.len()..].to_vec();
    let edits = if comments.vendor == VENDOR && comments.fields.is_empty() && at == 1 {
        let first = &blocks[0];
        let kind = first.kind | if block.is_last { LAST } else { 0 };
        vec![Edit { at: first.at, remove: 1, insert: vec![kind] }, replaced(block, Vec::new())]
    } else {
        let Some(insert) = written(&comments, block.is_last) else { return Ok(None) };
        vec![replaced(block, insert)]
    };
    Ok(Some(Found { text, edits }))
}

fn replaced(block: &Block, insert: Vec<u8>) -> Edit {
    Edit { at: block.at, remove: block.length as u64 + 4, insert }
}

fn blocks(file: &mut dyn File) -> io::Result<Option<Vec<Block>>> {
    if bytes_at(file, 0, 4)? != *b"fLaC" {
        return Ok(None);
    }
    let (mut at, mut blocks) = (4, Vec::new());
    while blocks.len() < MAX_PARTS {
        let head = bytes_at(file, at, 4)?;
        let length = usize::from(head[1]) << 16 | usize::from(head[2]) << 8 | usize::from(head[3]);
        let block = Block { at, kind: head[0] & !LAST, is_last: head[0] & LAST != 0, length };
        at += 4 + length as u64;
        let is_last = block.is_last;
        blocks.push(block);
        if is_last {
            // The first block describes the stream.
            return Ok(blocks.first().is_some_and(|first| first.kind == 0).then_some(blocks));
        }
    }
    Ok(None)
}

fn read(file: &mut dyn File, block: &Block) -> io::Result<Option<Comments>> {
    let body = bytes_at(file, block.at + 4, block.length)?;
    Ok(parse(&body))
}

fn parse(mut body: &[u8]) -> Option<Comments> {
    let body = &mut body;
    let vendor = text(body)?;
    let count = number(body)? as usize;
    if count > MAX_PARTS {
        return None;
    }
    let fields = (0..count).map(|_| text(body)).collect::<Option<Vec<_>>>()?;
    body.is_empty().then_some(Comments { vendor, fields })
}

fn number(body: &mut &[u8]) -> Option<u32> {
    let (number, rest) = body.split_first_chunk::<4>()?;
    *body = rest;
    Some(u32::from_le_bytes(*number))
}

fn text(body: &mut &[u8]) -> Option<Vec<u8>> {
    let length = number(body)? as usize;
    let (text, rest) = body.split_at_checked(length)?;
    *body = rest;
    Some(text.to_vec())
}

/// Returns a block with these comments, if they are not too long.
fn written(comments: &Comments, is_last: bool) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    let mut add = |text: &[u8]| {
        body.extend((text.len() as u32).to_le_bytes());
        body.extend(text);
    };
    add(&comments.vendor);
    let mut fields = (comments.fields.len() as u32).to_le_bytes().to_vec();
    for field in &comments.fields {
        fields.extend((field.len() as u32).to_le_bytes());
        fields.extend(field);
    }
    body.extend(fields);
    if body.len() > MAX_BLOCK {
        return None;
    }
    let kind = COMMENTS | if is_last { LAST } else { 0 };
    let length = (body.len() as u32).to_be_bytes();
    let mut block = vec![kind, length[1], length[2], length[3]];
    block.extend(body);
    Some(block)
}
