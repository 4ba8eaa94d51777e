//! `archive.unzip`

use std::collections::HashSet;
use std::fs::{File, Permissions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use flate2::read::DeflateDecoder;
use globset::{GlobBuilder, GlobMatcher};
use rawzip::{CompressionMethod, RECOMMENDED_BUFFER_SIZE, ZipArchive, ZipArchiveEntryWayfinder};

use super::{MAX_BYTES, MAX_FILES, each_chunk, path};
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};

/// How many times larger than the archive its files may be, once they are large.
const MAX_RATIO: u64 = 200;
/// The size from which on files are large, in bytes.
const LARGE: u64 = 64 << 20;
/// The bits of a mode that are the type of the file, and their values for regular files and for folders.
const FILE_TYPE: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const FOLDER: u32 = 0o040_000;

pub(super) fn node_type() -> NodeType {
    Build::new("archive.unzip", "Unpacks a ZIP archive. Archives with links, passwords or paths that lead elsewhere are refused, and so are those that grow out of proportion.")
        .input("file", ty::file(), "The archive.")
        .input("glob", Type::Text, "The files to unpack: `*.csv` (in any folder), `data/**`.")
        .default("**")
        .output("files", ty::file().list(), "The files, sorted by path; executable files stay executable.")
        .output("paths", Type::Text.list(), "Their paths in the archive.")
        .output("count", Type::Int, "The number of files.")
        .remember()
        .run(Runner::worker(run))
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let value = inputs.value("file")?;
    let name = value.as_media().map(|media| cut(&media.name, 60)).unwrap_or_default();
    let glob = inputs.text("glob")?;
    // A pattern without a folder matches names.
    let anywhere =
        if glob.contains('/') || glob.contains("**") { glob.to_owned() } else { format!("**/{glob}") };
    let matcher = GlobBuilder::new(&anywhere).literal_separator(true).build();
    let matcher = matcher.map_err(|error| format!("input `glob`: {error}"))?.compile_matcher();
    let archive = File::open(workspace.path(value)?)
        .map_err(|error| FileError::of(&format!("`{name}` can't be read"), &error))?;
    let mut unpacked = unpack(workspace, archive, &matcher).map_err(|error| match error {
        FileError::Full(sentence) => FileError::Full(sentence),
        FileError::Other(sentence) => format!("`{name}`: {sentence}").into(),
    })?;
    unpacked.sort_by(|(one, _), (other, _)| one.cmp(other));
    let count = Value::Int(i64::try_from(unpacked.len()).unwrap_or(i64::MAX));
    let (paths, files): (Vec<Value>, Vec<Value>) =
        unpacked.into_iter().map(|(path, file)| (Value::from(path), file)).unzip();
    let outputs = [("files", files.into()), ("paths", paths.into()), ("count", count)];
    Ok(outputs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A file of the archive.
struct Entry {
    path: String,
    executable: bool,
    method: CompressionMethod,
    place: ZipArchiveEntryWayfinder,
}

/// Unpacks the files that match. Each is complete and has the right checksum, or there is an error.
fn unpack(
    workspace: &mut Workspace,
    file: File,
    matcher: &GlobMatcher,
) -> Result<Vec<(String, Value)>, FileError> {
    let size = file.metadata().map_err(|error| FileError::of("it can't be read", &error))?.len();
    let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
    let archive = ZipArchive::from_file(file, &mut buffer).map_err(damaged)?;
    let mut left = Left { bytes: MAX_BYTES, size, so_far: 0 };
    let mut unpacked = Vec::new();
    for Entry { path, executable, method, place } in entries(&archive, &mut buffer, matcher)? {
        let entry = archive.get_entry(place).map_err(damaged)?;
        let decoded: Box<dyn Read> = match method {
            CompressionMethod::STORE => Box::new(entry.reader()),
            CompressionMethod::DEFLATE => Box::new(DeflateDecoder::new(entry.reader())),
            _ => {
                return Err(format!(
                    "`{}` is compressed with a method that is not supported; only stored and deflated files can be unpacked",
                    cut(&path, 80)
                )
                .into());
            }
        };
        let name = path.rsplit('/').next().unwrap_or(&path);
        let (mut file, value) = workspace.create(name)?;
        let unreadable = |error: &io::Error| {
            FileError::Other(format!("`{}` is damaged: {}", cut(&path, 80), cut(&format!("{error}"), 100)))
        };
        let unwritable = |error| FileError::of("a file can't be written", &error);
        each_chunk(&mut entry.verifying_reader(decoded), &unreadable, &mut |chunk| {
            left.take(chunk.len())?;
            file.write_all(chunk).map_err(unwritable)
        })?;
        if executable {
            file.set_permissions(Permissions::from_mode(0o700)).map_err(unwritable)?;
        }
        unpacked.push((path, value));
    }
    Ok(unpacked)
}

/// Returns the files that match, after a look at all.
fn entries(
    archive: &ZipArchive<rawzip::FileReader>,
    buffer: &mut [u8],
    matcher: &GlobMatcher,
) -> Result<Vec<Entry>, String> {
    let (mut found, mut known) = (Vec::new(), HashSet::new());
    let mut all = archive.entries(buffer);
    while let Some(entry) = all.next_entry().map_err(damaged)? {
        let path = path_of(entry.file_path().as_bytes())?;
        let shown = || cut(&path, 80);
        let mode = entry.mode().value();
        if !matches!(mode & FILE_TYPE, 0 | REGULAR | FOLDER) {
            return Err(format!("`{}` is a link or a special file; such archives are not unpacked", shown()));
        }
        if entry.flags().is_encrypted() || entry.flags().has_strong_encryption() {
            return Err(format!("`{}` is encrypted; unpack it with a command", shown()));
        }
        if !known.insert(path.clone()) {
            return Err(format!("it contains `{}` twice", shown()));
        }
        if known.len() > MAX_FILES {
            return Err(format!("it has more than {MAX_FILES} files; unpack it with a command"));
        }
        if !entry.is_dir() && matcher.is_match(&path) {
            found.push(Entry {
                executable: mode & 0o100 != 0,
                method: entry.compression_method(),
                place: entry.wayfinder(),
                path,
            });
        }
    }
    if known.len() as u64 != archive.entries_hint() {
        return Err(format!(
            "it is damaged: it should have {} entries and has {}",
            archive.entries_hint(),
            known.len()
        ));
    }
    Ok(found)
}

fn damaged(error: rawzip::Error) -> String {
    format!("it is not a ZIP archive, or a damaged one: {error}")
}

/// How much may still be unpacked.
struct Left {
    bytes: u64,
    /// The size of the archive.
    size: u64,
    so_far: u64,
}

impl Left {
    fn take(&mut self, bytes: usize) -> Result<(), String> {
        self.so_far += bytes as u64;
        if self.so_far > self.bytes {
            return Err(format!(
                "its files have more than {} MiB together; unpack it with a command",
                self.bytes >> 20
            ));
        }
        if self.so_far > LARGE && self.so_far / MAX_RATIO > self.size {
            return Err(format!(
                "its files are more than {MAX_RATIO} times as large as the archive, as in one that is made to fill disks"
            ));
        }
        Ok(())
    }
}

/// Returns the path of an entry without the `/` at the end of folders.
fn path_of(bytes: &[u8]) -> Result<String, String> {
    let path = std::str::from_utf8(bytes)
        .map_err(|_| format!("the name `{}` is not UTF-8", cut(&String::from_utf8_lossy(bytes), 80)))?;
    let path = path.strip_suffix('/').unwrap_or(path);
    path::check(path).map_err(|why| {
        format!("`{}` {why}; nothing was unpacked", cut(&path.escape_debug().to_string(), 80))
    })?;
    Ok(path.to_owned())
}
