//! Reads the log of an attempt for `logs.read`: both streams, followed by the notes of the node and of Fanlight.

use std::io;
use std::os::unix::fs::FileExt;

use fanlight_shared::rpc::frame::LOG_LIMIT;
use fanlight_shared::rpc::logs::{Part, Piece, Read, Stream};

use super::folder::Folder;
use crate::rooted::open_own;
use crate::supervisor::log::{self, StreamTag};

const DEFAULT_LIMIT: u32 = 64 * 1024;

/// Reads a part. The notes are included only after the attempt has ended, so that positions in the log never change.
///
/// # Errors
/// The log is gone.
pub(super) fn read(folder: &Folder, number: u32, read: &Read, ended: bool) -> Result<Part, String> {
    let limit = read.limit.unwrap_or(DEFAULT_LIMIT).clamp(4, LOG_LIMIT);
    let empty = |end: u64| Part {
        attempt: number,
        offset: read.offset.min(end),
        pieces: Vec::new(),
        next: read.offset.min(end),
        end,
        ended,
        limit,
    };
    // Agents write JSON, which is read; what they say is kept for people.
    let said = folder.said();
    let streams = if said.is_dir() { &said } else { folder.path() };
    let part = match log::read(streams, read.offset, limit) {
        Ok(part) => part,
        // It has not been started, or could not be.
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match (ended, folder.path().is_dir()) {
                (true, false) => Err("the log of this attempt is gone".into()),
                (true, true) => Ok(with_notes(empty(0), folder, read.offset, 0, limit)),
                (false, _) => Ok(empty(0)),
            };
        }
        Err(error) => return Err(format!("the log of this attempt can't be read: {error}")),
    };
    let streams_end = part.end;
    let mut response = Part {
        attempt: number,
        offset: part.offset.min(streams_end),
        pieces: Vec::with_capacity(part.pieces.len()),
        next: part.next.min(streams_end),
        end: streams_end,
        ended,
        limit,
    };
    let mut pieces = part.pieces;
    let all = ended && response.next >= streams_end;
    if let (Some((_, bytes)), false) = (pieces.last_mut(), all) {
        // A character that is cut off here belongs to the next part.
        let cut = unfinished(bytes);
        if cut > 0 {
            bytes.truncate(bytes.len() - cut);
            response.next -= cut as u64;
        }
    }
    response.pieces.extend(pieces.into_iter().filter(|(_, bytes)| !bytes.is_empty()).map(
        |(stream, bytes)| {
            let stream = match stream {
                StreamTag::Stdout => Stream::Stdout,
                StreamTag::Stderr => Stream::Stderr,
                StreamTag::Reasoning => Stream::Reasoning,
            };
            Piece { stream, text: String::from_utf8_lossy(&bytes).into_owned() }
        },
    ));
    Ok(if ended { with_notes(response, folder, read.offset, streams_end, limit) } else { response })
}

/// Adds the length of the notes, and the notes themselves once the streams are read.
fn with_notes(mut part: Part, folder: &Folder, asked: u64, streams_end: u64, limit: u32) -> Part {
    let Ok(file) = open_own(folder.path(), Folder::NOTES) else { return part };
    let Ok(length) = file.metadata().map(|it| it.len()) else { return part };
    part.end = streams_end + length;
    if asked < streams_end {
        return part;
    }
    let begin = (asked - streams_end).min(length);
    let mut bytes = vec![0; usize::try_from((length - begin).min(u64::from(limit))).unwrap_or(0)];
    if file.read_exact_at(&mut bytes, begin).is_err() {
        return part;
    }
    if begin + (bytes.len() as u64) < length {
        bytes.truncate(bytes.len() - unfinished(&bytes));
    }
    part.offset = streams_end + begin;
    part.next = part.offset + bytes.len() as u64;
    if !bytes.is_empty() {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        part.pieces = vec![Piece { stream: Stream::Log, text }];
    }
    part
}

/// Returns how many bytes at the end are the beginning of a character.
fn unfinished(bytes: &[u8]) -> usize {
    let tail = &bytes[bytes.len().saturating_sub(3)..];
    for (number, byte) in tail.iter().rev().enumerate() {
        let needed = match byte {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            0x80..=0xbf => continue,
            _ => return 0,
        };
        return if needed > number + 1 { number + 1 } else { 0 };
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanlight_shared::id::{AttemptId, RunId};
    use fanlight_shared::item::ItemPath;

    fn from(offset: u64, limit: u32) -> Read {
        Read {
            run_id: RunId::new(),
            node: "n".into(),
            item: ItemPath::WHOLE,
            attempt: None,
            offset,
            limit: Some(limit),
        }
    }

    #[test]
    fn characters_are_never_split() {
        let text = "aé€😀";
        for end in 0..=text.len() {
            let bytes = &text.as_bytes()[..end];
            let kept = &bytes[..end - unfinished(bytes)];
            assert!(std::str::from_utf8(kept).is_ok(), "{end}");
        }
        assert_eq!(unfinished(b"\xff\xff"), 0);
        assert_eq!(unfinished(b"\x80\x80\x80\x80"), 0);
    }

    #[test]
    fn an_attempt_that_could_not_start_has_notes_in_its_log() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::of(temp.path(), AttemptId::new());
        assert_eq!(read(&folder, 1, &from(0, 100), false).unwrap().end, 0);
        assert!(read(&folder, 1, &from(0, 100), true).unwrap_err().contains("gone"));
        folder.make().unwrap();
        std::fs::write(folder.path().join(Folder::NOTES), "one\ntwo\n").unwrap();
        let part = read(&folder, 1, &from(0, 4), true).unwrap();
        assert_eq!((part.offset, part.next, part.end), (0, 4, 8));
        assert_eq!(part.pieces, [Piece { stream: Stream::Log, text: "one\n".into() }]);
        let part = read(&folder, 1, &from(part.next, 100), true).unwrap();
        assert_eq!((part.next, part.pieces[0].text.as_str()), (8, "two\n"));
        assert!(read(&folder, 1, &from(99, 100), true).unwrap().pieces.is_empty());
    }
}
