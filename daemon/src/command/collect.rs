//! Collects outputs: turns the files and the stdout of an ended command into the values of its ports. Blocks.

mod changes;
mod field;
mod place;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use fanlight_shared::media::MediaKind;
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::{CommandOutput, OutputSource};
use indexmap::IndexMap;

use super::changed::MAX_FILES;
use super::folder::Folder;
use super::pattern::Pattern;
use super::report::Reported;
use crate::attempt::Attempt;
use crate::file_error::FileError;
use crate::media;
use crate::rooted::{Entry, Root, WalkEntry};
use crate::secret::Secrets;
use crate::store::blob::{Blobs, Published};
use crate::supervisor::log::Stdout;

pub(super) use place::{Claim, FoundEntry, Place, find, places, previewed};

/// The most files that a glob matches.
const MAX_MATCHES: usize = 10_000;
/// The longest file whose content becomes a value, in bytes.
const MAX_CONTENT: u64 = 16 * 1024 * 1024;

/// The sources of outputs.
pub(super) struct Sources<'a> {
    /// The places where files can be; the first that has a file wins.
    pub(super) places: Vec<Place<'a>>,
    /// The command's standard output.
    pub(super) stdout: &'a Stdout,
    /// Its reports.
    pub(super) reported: &'a IndexMap<String, Reported>,
    /// The secrets of the command: a file that contains one is not published.
    pub(super) secrets: &'a Secrets,
    pub(super) blobs: &'a Blobs,
    pub(super) attempt: &'a Attempt,
    pub(super) folder: &'a Folder,
    /// Whether the command exited with 0.
    pub(super) ended_well: bool,
}

/// The result of collecting.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) values: Values,
    pub(super) blobs: Vec<Published>,
    /// Outputs whose files the command did not change in a shared folder.
    pub(super) unchanged: Vec<String>,
    /// A sentence for each declared output that is missing or wrong.
    pub(super) problems: Vec<String>,
    /// Notes for people.
    pub(super) notes: Vec<String>,
}

/// Collects all declared and reported outputs.
///
/// # Errors
/// [`FileError::Full`]: collect everything again. Other problems are returned in [`Collected`].
pub(super) fn collect(
    outputs: &IndexMap<String, CommandOutput>,
    sources: &Sources<'_>,
) -> Result<Collected, FileError> {
    let mut collector = Collector { sources, json: None, collected: Collected::default() };
    for (name, output) in outputs {
        let value = match sources.reported.get(name) {
            Some(reported) => collector.reported(reported, &output.ty, output.file_name()),
            None => collector.declared(output),
        };
        collector.add(name, value)?;
    }
    for (name, reported) in sources.reported {
        if !outputs.contains_key(name) {
            let value = collector.reported(reported, &Type::Any, None);
            collector.add(name, value)?;
        }
    }
    Ok(collector.collected)
}

struct Collector<'a> {
    sources: &'a Sources<'a>,
    json: Option<Result<Value, String>>,
    collected: Collected,
}

/// The value of an output.
struct Made {
    value: Value,
    /// Whether the command left its files unchanged.
    unchanged: bool,
}

impl From<Value> for Made {
    fn from(value: Value) -> Self {
        Self { value, unchanged: false }
    }
}

impl Collector<'_> {
    fn add(&mut self, name: &str, made: Result<Made, FileError>) -> Result<(), FileError> {
        match made {
            Ok(made) => {
                if made.unchanged {
                    self.collected.notes.push(format!("output `{name}` was left unchanged"));
                    self.collected.unchanged.push(name.to_owned());
                }
                self.collected.values.insert(name.to_owned(), made.value);
            }
            Err(full @ FileError::Full(_)) => return Err(full),
            Err(problem) => self.collected.problems.push(format!("output `{name}`: {problem}")),
        }
        Ok(())
    }

    fn declared(&mut self, output: &CommandOutput) -> Result<Made, FileError> {
        let name = output.file_name();
        match &output.source {
            OutputSource::Path(path) => self.path(path, &output.ty, name),
            OutputSource::Glob(glob) => self.glob(glob, output, name),
            OutputSource::Changes(changes) => self.changes(*changes),
            OutputSource::Event => Err("the command did not report this output in $FANLIGHT_EVENTS".into()),
            OutputSource::Json(path) => {
                let stdout = self.sources.stdout;
                let json = self.json.get_or_insert_with(|| field::parse(stdout));
                let found = field::find(json.as_ref().map_err(Clone::clone)?, path)?;
                Ok(found.clone().convert(&output.ty).map(Made::from)?)
            }
        }
    }

    fn reported(&mut self, reported: &Reported, ty: &Type, name: Option<&str>) -> Result<Made, FileError> {
        match reported {
            Reported::Path(path) => self.path(path, ty, name),
            Reported::Secret => Err("it contains a secret, and outputs are stored".into()),
            Reported::Value(_) if ty.has_media() => {
                Err(format!("{ty} is declared, so $FANLIGHT_EVENTS must give its \"path\"").into())
            }
            Reported::Value(value) => Ok(Value::from_json(value.clone()).convert(ty).map(Made::from)?),
        }
    }

    fn path(&mut self, path: &str, ty: &Type, name: Option<&str>) -> Result<Made, FileError> {
        let found = place::find(&self.sources.places, Path::new(path))?;
        let FoundEntry { entry, unchanged, name: own_name, place } = found;
        let value = self.read(place, Path::new(path), entry, name.unwrap_or(&own_name), ty)?;
        Ok(Made { value, unchanged })
    }

    /// Reads the file or folder at a path of a place; in a shared folder it must not change meanwhile.
    fn read(
        &mut self,
        place: &Place<'_>,
        path: &Path,
        entry: Entry,
        name: &str,
        ty: &Type,
    ) -> Result<Value, FileError> {
        let held = place.hold(path, &entry)?;
        let read = self.value(entry, &place.root, path, name, ty);
        // A change meanwhile may explain the problem.
        place.release(&held)?;
        read.map_err(|problem| match problem {
            Mismatch::Type(what) => format!("`{}` {what}", super::text::line(&path.to_string_lossy())).into(),
            Mismatch::Problem(problem) => problem,
        })
    }

    fn glob(&mut self, glob: &str, output: &CommandOutput, name: Option<&str>) -> Result<Made, FileError> {
        let of = match &output.ty {
            Type::List(of) => of.as_ref(),
            one => one,
        };
        let pattern = Pattern::parse(glob)?;
        let mut found: BTreeMap<PathBuf, usize> = BTreeMap::new();
        for (number, place) in self.sources.places.iter().enumerate() {
            let notes = &mut self.collected.notes;
            pattern.find(&place.root, &mut |path, met| {
                match met {
                    WalkEntry::File(_) => {
                        found.entry(path.to_owned()).or_insert(number);
                    }
                    WalkEntry::BrokenLink(link, refusal) if place.is_link_changed(path, link) => {
                        return Err(format!("`{}`: {refusal}", path.display()));
                    }
                    WalkEntry::Other(what) => {
                        notes.push(format!("`{}` was left out: it is {what}", path.display()));
                    }
                    WalkEntry::Unreadable => notes.push(format!("`{}` can't be read", path.display())),
                    WalkEntry::BrokenLink(..)
                    | WalkEntry::Link(_)
                    | WalkEntry::Folder
                    | WalkEntry::Passed
                    | WalkEntry::TooDeep => {}
                }
                if found.len() > MAX_MATCHES {
                    return Err(format!("the glob `{glob}` matches more than {MAX_MATCHES} files"));
                }
                Ok(())
            })?;
        }
        let mut items = Vec::with_capacity(found.len());
        let mut all_unchanged = true;
        for (path, number) in found {
            let place = &self.sources.places[number];
            let Some(own) = place.own_entry(&path, output.take_unchanged)? else { continue };
            all_unchanged &= own.unchanged;
            let own_name = place::name_of(&path);
            let name = name.map_or(own_name, |name| numbered(name, items.len()));
            items.push(self.read(place, &path, own.entry, &name, of)?);
        }
        if items.is_empty() {
            self.collected.notes.push(format!("the glob `{glob}` matches no file of this attempt"));
        }
        let unchanged = all_unchanged && !items.is_empty();
        Ok(Made { value: Value::List(items), unchanged })
    }

    /// Returns the value of `entry`, which is at `path` in `root`.
    fn value(
        &mut self,
        entry: Entry,
        root: &Root,
        path: &Path,
        name: &str,
        ty: &Type,
    ) -> Result<Value, Mismatch> {
        let secrets = self.sources.secrets;
        if let Entry::File(file) = &entry {
            secrets.check_file(file)?;
        }
        match (ty, entry) {
            (Type::Any | Type::Media(MediaKind::Dir), Entry::Folder(_)) => {
                let taken =
                    media::publish_folder(root, path, name, MAX_FILES, self.sources.blobs, &|file| {
                        secrets.check_file(file)
                    })?;
                self.collected.blobs.extend(taken.published);
                let notes = taken.left_out.iter();
                let notes = notes.map(|it| format!("`{}` was left out: it is {}", it.path, it.what));
                self.collected.notes.extend(notes);
                Ok(Value::from(taken.media))
            }
            (Type::Media(MediaKind::Dir), Entry::File(_)) => {
                Err(Mismatch::Type("is a file, but dir is declared".into()))
            }
            (ty, Entry::Folder(_)) => {
                Err(Mismatch::Type(format!("is a folder, but {ty} is declared; for a list use `glob:`")))
            }
            (Type::Any | Type::Media(_), Entry::File(file)) => {
                let (media, published) = media::publish(self.sources.blobs, file, name)?;
                let media = media::check(media, ty)?;
                self.collected.blobs.push(published);
                Ok(Value::from(media))
            }
            (Type::List(of), Entry::File(_)) if of.has_media() => {
                Err(Mismatch::Type(format!("is one file, but {ty} is declared; use `glob:`")))
            }
            (ty, Entry::File(file)) => content(file, ty),
        }
    }
}

/// Why a file is not a value of its type.
enum Mismatch {
    /// The text that follows the file's path.
    Type(String),
    /// A whole sentence.
    Problem(FileError),
}

impl<T: Into<FileError>> From<T> for Mismatch {
    fn from(problem: T) -> Self {
        Self::Problem(problem.into())
    }
}

/// Returns the name of the item with this number, if the items share one name: `plot-0.png`.
fn numbered(name: &str, number: usize) -> String {
    match name.rsplit_once('.') {
        Some((stem, ext)) if !stem.is_empty() => format!("{stem}-{number}.{ext}"),
        _ => format!("{name}-{number}"),
    }
}

/// Returns a file's content as a value.
fn content(file: File, ty: &Type) -> Result<Value, Mismatch> {
    let mut bytes = Vec::new();
    file.take(MAX_CONTENT + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Mismatch::Type(format!("can't be read: {error}")))?;
    if bytes.len() as u64 > MAX_CONTENT {
        let most = MAX_CONTENT >> 20;
        return Err(Mismatch::Type(format!("is longer than {most} MiB; declare it as file")));
    }
    let text = String::from_utf8(bytes)
        .map_err(|_| Mismatch::Type(format!("is not UTF-8 text, but {ty} is declared")))?;
    let word = text.trim();
    let shown = || fanlight_shared::value::cut(&super::text::line(word), 40);
    let no = |what: &str| Mismatch::Type(format!("holds `{}`, which is not a valid {what}", shown()));
    match ty {
        Type::Text => Ok(Value::Text(text)),
        Type::Choice => Ok(Value::from(word)),
        Type::Int => word.parse().map(Value::Int).map_err(|_| no("int")),
        Type::Float => word.parse().map(Value::Float).map_err(|_| no("number")),
        Type::Bool => word.parse().map(Value::Bool).map_err(|_| no("bool (`true` or `false`)")),
        ty => Value::parse_json(word)
            .map_err(|error| Mismatch::Type(format!("is not JSON: {error}")))
            .and_then(|value| value.convert(ty).map_err(Mismatch::Type))
            .map_err(|problem| match problem {
                Mismatch::Type(what) if what.starts_with("expected") => {
                    Mismatch::Type(format!("holds JSON: {what}"))
                }
                other => other,
            }),
    }
}

#[cfg(test)]
mod tests;
