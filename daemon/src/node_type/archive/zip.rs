//! `archive.zip`

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use fanlight_shared::media::MediaKind;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values, cut};
use flate2::Compression;
use flate2::write::DeflateEncoder;
use rawzip::{CompressionMethod, ErrorKind, ZipArchiveWriter};

use super::{MAX_BYTES, MAX_FILES, each_chunk, path};
use crate::file_error::FileError;
use crate::node_type::build::{Build, ty};
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner, Workspace};
use crate::rooted::{Links, MAX_DEPTH, Root, WalkEntry, walk};

pub(super) fn node_type() -> NodeType {
    Build::new("archive.zip", "Packs files into a ZIP archive; the same files always make the same bytes.")
        .input("files", Type::Any, "The files to pack: a file, a folder, or a list of them. A folder keeps its name in the archive, unless it is the only item.")
        .input("paths", Type::Text.list(), "The path of each item in the archive, such as `data/a.csv`; its name by default. The files of a folder are placed below its path.")
        .optional()
        .input("name", Type::Text, "The name of the archive.")
        .default("archive.zip")
        .output("file", ty::file(), "The archive.")
        .output("count", Type::Int, "The number of files in it.")
        .remember()
        .run(Runner::worker(run))
}

/// A file to pack.
struct Entry {
    path: String,
    file: PathBuf,
    executable: bool,
}

fn run(workspace: &mut Workspace, inputs: Values) -> Result<Values, FileError> {
    let entries = entries(workspace, &inputs)?;
    let (file, value) = workspace.create(inputs.text("name")?)?;
    let mut archive = ZipArchiveWriter::new(BufWriter::new(file));
    let mut left = MAX_BYTES;
    for entry in &entries {
        add(&mut archive, entry, &mut left)?;
    }
    archive.finish().map_err(failed)?;
    let count = Value::Int(i64::try_from(entries.len()).unwrap_or(i64::MAX));
    Ok(Values::from([("file".to_owned(), value), ("count".to_owned(), count)]))
}

/// Adds a file, without its time, which would make the bytes of two archives differ. `left`: how many bytes may be added.
fn add(
    archive: &mut ZipArchiveWriter<BufWriter<File>>,
    entry: &Entry,
    left: &mut u64,
) -> Result<(), FileError> {
    let unreadable =
        |error: &io::Error| FileError::of(&format!("`{}` can't be read", cut(&entry.path, 80)), error);
    let unwritable = |error| FileError::of("the archive can't be written", &error);
    let mut file = File::open(&entry.file).map_err(|error| unreadable(&error))?;
    let (mut open, config) = archive
        .new_file(&entry.path)
        .compression_method(CompressionMethod::DEFLATE)
        .unix_permissions(if entry.executable { 0o100_755 } else { 0o100_644 })
        .start()
        .map_err(failed)?;
    let mut writer = config.wrap(DeflateEncoder::new(&mut open, Compression::default()));
    each_chunk(&mut file, &unreadable, &mut |chunk| {
        *left = left.checked_sub(chunk.len() as u64).ok_or_else(|| {
            format!("the files have more than {} MiB together; pack them with a command", MAX_BYTES >> 20)
        })?;
        writer.write_all(chunk).map_err(unwritable)
    })?;
    let (encoder, described) = writer.finish().map_err(failed)?;
    encoder.finish().map_err(unwritable)?;
    open.finish(described).map_err(failed)?;
    Ok(())
}

fn failed(error: rawzip::Error) -> FileError {
    let what = "the archive can't be written";
    match error.into_kind() {
        ErrorKind::IO(error) => FileError::of(what, &error),
        other => format!("{what}: {other}").into(),
    }
}

/// Returns the files to pack, in order; each path once.
fn entries(workspace: &Workspace, inputs: &Values) -> Result<Vec<Entry>, String> {
    let given = match inputs.value("files")? {
        Value::List(items) => items.as_slice(),
        single => std::slice::from_ref(single),
    };
    let paths = inputs.maybe("paths").and_then(Value::as_list);
    if let Some(paths) = paths.filter(|paths| paths.len() != given.len()) {
        return Err(format!("`files` has {} items and `paths` has {}", given.len(), paths.len()));
    }
    let mut entries = Vec::new();
    for (at, value) in given.iter().enumerate() {
        let Value::Media(media) = value else {
            return Err(format!(
                "item {at} of `files` is {}, not a file; write it with a node such as `csv.write` first",
                value.type_of()
            ));
        };
        let path = match paths.and_then(|paths| paths[at].as_text()) {
            Some(path) => path.to_owned(),
            // A folder alone is the archive.
            None if media.kind == MediaKind::Dir && given.len() == 1 => String::new(),
            None => media.name.clone(),
        };
        let file = workspace.path(value)?;
        if media.kind == MediaKind::Dir {
            add_folder(&file, &path, &mut entries)?;
        } else {
            entries.push(Entry { path, file, executable: media.executable });
        }
        if entries.len() > MAX_FILES {
            return Err(format!("there are more than {MAX_FILES} files; pack them with a command"));
        }
    }
    check_paths(&entries)?;
    Ok(entries)
}

/// Checks each path, and that no file has the path of another one or of its folder.
fn check_paths(entries: &[Entry]) -> Result<(), String> {
    let mut known = HashSet::new();
    for Entry { path, .. } in entries {
        path::check(path).map_err(|why| {
            format!(
                "`{}` can't be a path in an archive: it {why}; write one such as `data/a.csv` in `paths`",
                cut(&path.escape_debug().to_string(), 80)
            )
        })?;
        if !known.insert(path.as_str()) {
            return Err(format!(
                "two files would be `{}` in the archive; give each its path in `paths`",
                cut(path, 80)
            ));
        }
    }
    for Entry { path, .. } in entries {
        let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        if let Some(folder) = folders.find(|folder| known.contains(folder)) {
            return Err(format!(
                "`{}` would be a file and a folder in the archive; give each its path in `paths`",
                cut(folder, 80)
            ));
        }
    }
    Ok(())
}

fn add_folder(folder: &Path, below: &str, entries: &mut Vec<Entry>) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt as _;
    let root = Root::open(folder).map_err(|error| format!("the folder can't be read: {error}"))?;
    walk(&root, Path::new(""), MAX_DEPTH, Links::Ignore, &mut |path, met| {
        match met {
            WalkEntry::Folder => return Ok(()),
            WalkEntry::File(_) => {}
            _ => return Err(format!("`{}` can't be packed: it is not a readable file", path.display())),
        }
        let Some(within) = path.to_str() else {
            return Err(format!("`{}` can't be packed: its name is not UTF-8", path.display()));
        };
        let file = folder.join(path);
        let mode = file.metadata().map_err(|error| format!("`{within}` can't be read: {error}"))?;
        let path = if below.is_empty() { within.to_owned() } else { format!("{below}/{within}") };
        entries.push(Entry { path, file, executable: mode.permissions().mode() & 0o100 != 0 });
        Ok(())
    })
}
