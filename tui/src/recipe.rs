//! The recipe in saved files: the lineage of a product, in a part of PNG, JPEG, WAV and FLAC files that holds no pixels and no
//! samples.
//!
//! Each format plans [`Edit`]s of the file: one to write a recipe, or those that remove the one that it has. What is left
//! after the removal are exactly the bytes of the product, so that a file can be compared with its recipe.

mod flac;
mod jpeg;
mod png;
mod wav;

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use fanlight_shared::lineage::{FORMAT, Lineage};

/// The beginning of every recipe, which is the JSON of a lineage.
const BEGINNING: &str = "{\"fanlight\":";
/// The longest recipe in a file, in bytes.
const MAX_RECIPE_BYTES: usize = 4 << 20;
/// How many parts of a file are looked at before the recipe is given up.
const MAX_PARTS: usize = 10_000;

/// A change of a file: at this place, these bytes replace some others.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Edit {
    at: u64,
    remove: u64,
    insert: Vec<u8>,
}

/// A recipe that was found in a file, and how to remove it.
struct Found {
    text: Vec<u8>,
    edits: Vec<Edit>,
}

/// A file that is read in any order.
trait File: Read + Seek {}
impl<T: Read + Seek> File for T {}

/// The formats that carry a recipe.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    Png,
    Jpeg,
    Wav,
    Flac,
}

impl Format {
    /// Returns the format of a MIME type, if it carries recipes.
    pub(crate) fn of_mime(mime: &str) -> Option<Self> {
        match mime {
            "image/png" => Some(Self::Png),
            "image/jpeg" => Some(Self::Jpeg),
            "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => Some(Self::Wav),
            "audio/flac" | "audio/x-flac" => Some(Self::Flac),
            _ => None,
        }
    }

    /// Returns the format of a file by its first bytes.
    fn of_file(file: &mut dyn File) -> io::Result<Option<Self>> {
        let mut head = [0; 12];
        file.seek(SeekFrom::Start(0))?;
        let mut read = 0;
        while read < head.len() {
            match file.read(&mut head[read..])? {
                0 => break,
                more => read += more,
            }
        }
        Ok(match &head[..read] {
            head if head.starts_with(png::SIGNATURE) => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'A', b'V', b'E'] => Some(Self::Wav),
            [b'f', b'L', b'a', b'C', ..] => Some(Self::Flac),
            _ => None,
        })
    }

    /// Returns the edits that add a recipe; `None` if the file isn't built as its format says.
    fn added(self, file: &mut dyn File, text: &[u8]) -> io::Result<Option<Vec<Edit>>> {
        let edits = match self {
            Self::Png => png::added(file, text),
            Self::Jpeg => jpeg::added(file, text),
            Self::Wav => wav::added(file, text),
            Self::Flac => flac::added(file, text),
        };
        understood(edits).map(Option::flatten)
    }

    fn found(self, file: &mut dyn File) -> io::Result<Option<Found>> {
        let found = match self {
            Self::Png => png::found(file),
            Self::Jpeg => jpeg::found(file),
            Self::Wav => wav::found(file),
            Self::Flac => flac::found(file),
        };
        understood(found).map(Option::flatten)
    }
}

/// Treats a file that ends too early as one that isn't built as its format says.
fn understood<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(it) => Ok(Some(it)),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(error) => Err(error),
    }
}

/// Copies a file and adds a recipe. Returns `false`, and copies nothing, if the file isn't built as its format says.
pub(crate) fn add(
    format: Format,
    from: &mut (impl Read + Seek),
    to: &mut impl Write,
    lineage: &Lineage,
) -> io::Result<bool> {
    let text = serde_json::to_vec(lineage)?;
    if text.len() > MAX_RECIPE_BYTES {
        return Ok(false);
    }
    let Some(edits) = format.added(from, &text)? else { return Ok(false) };
    apply(from, &edits, to)?;
    Ok(true)
}

/// A recipe read from a file.
#[derive(Debug)]
pub(crate) struct Saved {
    /// The lineage of the product.
    pub(crate) lineage: Lineage,
    /// Whether the file is still the product as it was saved.
    pub(crate) is_unchanged: bool,
}

/// Reads the recipe of a file.
///
/// # Errors
/// A sentence that follows the name of the file.
pub(crate) fn read(file: &mut (impl Read + Seek)) -> Result<Saved, String> {
    let unreadable = |error: io::Error| format!("can't be read: {error}");
    let format = Format::of_file(file).map_err(unreadable)?;
    let found = match format {
        Some(format) => format.found(file).map_err(unreadable)?,
        None => return Err("has no recipe: only PNG, JPEG, WAV and FLAC files carry one".into()),
    };
    let found =
        found.ok_or("has no recipe; it was saved with `--no-recipe`, by another program, or was changed")?;
    let lineage = parse(&found.text)?;
    let mut hasher = Hasher::default();
    apply(file, &found.edits, &mut hasher).map_err(unreadable)?;
    let is_unchanged = lineage.product.hash.is_none_or(|hash| hash == hasher.finish());
    Ok(Saved { lineage, is_unchanged })
}

/// Reads the recipe of the file that a person named; `None` if there is no such file.
pub(crate) fn of_file(name: &str) -> Option<Result<Saved, String>> {
    let path = Path::new(name);
    if !path.is_file() {
        return None;
    }
    let saved = std::fs::File::open(path).map_err(|error| format!("can't be read: {error}"));
    Some(saved.and_then(|mut file| read(&mut file)).map_err(|error| format!("`{name}` {error}")))
}

fn parse(text: &[u8]) -> Result<Lineage, String> {
    #[derive(serde::Deserialize)]
    struct Head {
        fanlight: u32,
    }
    let damaged = |error: serde_json::Error| format!("has a damaged recipe: {error}");
    let head: Head = serde_json::from_slice(text).map_err(damaged)?;
    if head.fanlight > FORMAT {
        let format = head.fanlight;
        return Err(format!("has a recipe of a newer Fanlight (format {format}, this one knows {FORMAT})"));
    }
    serde_json::from_slice(text).map_err(damaged)
}

/// Copies a file with some edits, which are in the order of their places.
fn apply(from: &mut (impl Read + Seek), edits: &[Edit], to: &mut impl Write) -> io::Result<()> {
    let mut at = from.seek(SeekFrom::Start(0))?;
    for edit in edits {
        let length = edit.at.saturating_sub(at);
        if io::copy(&mut from.by_ref().take(length), to)? != length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        to.write_all(&edit.insert)?;
        at = from.seek(SeekFrom::Start(edit.at + edit.remove))?;
    }
    io::copy(from, to)?;
    to.flush()
}

/// Hashes what is written to it.
#[derive(Default)]
struct Hasher(fanlight_shared::id::BlobHasher);

impl Hasher {
    fn finish(self) -> fanlight_shared::id::BlobHash {
        self.0.finish()
    }
}

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.add(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads bytes at a place.
fn bytes_at(file: &mut dyn File, at: u64, length: usize) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut bytes = vec![0; length];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
