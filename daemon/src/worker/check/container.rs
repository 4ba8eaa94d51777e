//! The outermost parts of containers: MP4 and its relatives, Matroska and WebM, Ogg.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use crate::sound::ogg_is_whole;

/// The ids of the first two elements of Matroska, with their marker bits.
const EBML: u64 = 0x1a45_dfa3;
const SEGMENT: u64 = 0x1853_8067;

/// Checks the container of a sound or a video, which `what` is. Other containers pass.
///
/// # Errors
/// A sentence: it is cut, or has no index.
pub(super) fn check(path: &Path, what: &str) -> Result<(), String> {
    let damage = damage_of(path).map_err(|error| format!("the {what} can't be read: {error}"))?;
    damage.map_or(Ok(()), |damage| Err(format!("the {what} is damaged: {damage}")))
}

fn damage_of(path: &Path) -> io::Result<Option<&'static str>> {
    let mut file = BufReader::new(File::open(path)?);
    let length = file.get_ref().metadata()?.len();
    let mut head = Vec::new();
    file.by_ref().take(8).read_to_end(&mut head)?;
    file.rewind()?;
    Ok(if head.get(4..) == Some(b"ftyp") {
        of_mp4(&mut file, length)?
    } else if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        of_matroska(&mut file, length)?
    } else {
        (head.starts_with(b"OggS") && !ogg_is_whole(path)?).then_some("it ends before its last page")
    })
}

fn of_mp4(file: &mut BufReader<File>, length: u64) -> io::Result<Option<&'static str>> {
    let (mut at, mut has_index, mut has_data) = (0_u64, false, false);
    // Some writers leave fewer bytes behind the last part than a part has.
    while length - at >= 8 {
        file.seek(SeekFrom::Start(at))?;
        let (declared, kind) = (number(file, 4)?, number(file, 4)?.to_be_bytes());
        let (head, size) = match declared {
            // It takes all that follows.
            0 => (8, length - at),
            1 if length - at >= 16 => (16, number(file, 8)?),
            size => (8, size),
        };
        let Some(end) = at.checked_add(size).filter(|end| size >= head && *end <= length) else {
            return Ok(Some("it ends before its end"));
        };
        has_index |= &kind[4..] == b"moov" && size > head;
        has_data |= &kind[4..] == b"mdat" && size > head;
        at = end;
    }
    Ok(match (has_index, has_data) {
        (false, _) => Some("its index is missing"),
        (true, false) => Some("it has an index and no data"),
        (true, true) => None,
    })
}

fn of_matroska(file: &mut BufReader<File>, length: u64) -> io::Result<Option<&'static str>> {
    const CUT: Option<&str> = Some("it ends before its end");
    for id in [EBML, SEGMENT] {
        let element = number(file, 4).and_then(|found| Ok((found, size_of(file)?)));
        let (found, size) = match element {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(CUT),
            element => element?,
        };
        // Something else may stand between them; then nothing is known.
        let (true, Some(size)) = (found == id, size) else { return Ok(None) };
        let begin = file.stream_position()?;
        if begin.saturating_add(size) > length {
            return Ok(CUT);
        }
        file.seek(SeekFrom::Start(begin + size))?;
    }
    Ok(None)
}

/// Reads the size of an element of Matroska; `None` for one that was not known when it was written.
fn size_of(file: &mut BufReader<File>) -> io::Result<Option<u64>> {
    let first = number(file, 1)?;
    let more = (first as u8).leading_zeros() as usize;
    if more > 7 {
        return Ok(None);
    }
    let own = first & (0x7f >> more);
    let size = own << (8 * more) | number(file, more)?;
    Ok(Some(size).filter(|size| *size != (1 << (7 * (more + 1))) - 1))
}

/// Reads a number of this many bytes.
fn number(file: &mut BufReader<File>, bytes: usize) -> io::Result<u64> {
    let mut number = [0; 8];
    file.read_exact(&mut number[8 - bytes..])?;
    Ok(u64::from_be_bytes(number))
}
