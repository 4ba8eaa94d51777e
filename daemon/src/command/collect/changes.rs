//! `collect:` of `dir`: what a command changed in its own copy or work tree.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use fanlight_shared::value::Value;
use fanlight_shared::workflow::Changes;

use super::super::changed::MAX_FILES;
use super::super::{record, separate, text};
use super::{Collector, Made, Place, Sources};
use crate::file_error::FileError;
use crate::media;
use crate::rooted::{Entry, Links, MAX_DEPTH, Refusal, WalkEntry, walk};

impl Collector<'_> {
    /// Returns what the command changed.
    pub(super) fn changes(&mut self, changes: Changes) -> Result<Made, FileError> {
        let place = self.sources.places.get(1).ok_or("the command has no folder of its own")?;
        let value = match changes {
            Changes::Patch => self.patch()?,
            Changes::Files => self.changed_files(place)?,
            Changes::Branch if !self.sources.ended_well => {
                return Err("there is no branch, because the command did not end with exit code 0".into());
            }
            Changes::Branch => {
                let Sources { attempt, folder, blobs, .. } = self.sources;
                Value::Text(separate::commit(attempt, folder, blobs)?)
            }
        };
        Ok(value.into())
    }

    fn patch(&mut self) -> Result<Value, FileError> {
        let patch = record::patch(self.sources.folder).map_err(|why| match why {
            record::NoPatch::Unrecorded(why) => format!("what the command changed can't be recorded: {why}"),
            record::NoPatch::Note(note) => note,
            record::NoPatch::Refused(Refusal::Absent) => {
                "the command ended before what it changed was recorded".to_owned()
            }
            record::NoPatch::Refused(refusal) => format!("the patch: {refusal}"),
        })?;
        if let Some(record::Nested { path, was_there }) = record::nested(self.sources.folder) {
            let remedy = match was_there {
                true => "leave it out by `exclude` of `dir`, or use `collect: files`",
                false => "remove its `.git` or use `collect: files`",
            };
            return Err(
                format!("`{path}` is a repository of its own, which a patch can't hold; {remedy}").into()
            );
        }
        let (media, published) = record::publish(patch, self.sources.secrets, self.sources.blobs)?;
        self.collected.blobs.push(published);
        Ok(Value::from(media))
    }

    /// Returns the files that are new or different, as a folder.
    fn changed_files(&mut self, place: &Place<'_>) -> Result<Value, FileError> {
        let name = Changes::Files.word();
        let (paths, gone) = list(place, &mut self.collected.notes)?;
        if gone > 0 {
            let files = if gone == 1 { "1 file".to_owned() } else { format!("{gone} files") };
            self.collected
                .notes
                .push(format!("output `{name}` does not say that the command removed {files}"));
        }
        let secrets = self.sources.secrets;
        let check = |file: &std::fs::File| secrets.check_file(file);
        let start = Path::new("");
        let (media, published) =
            media::publish_files(&place.root, start, paths, name, self.sources.blobs, &check)?;
        self.collected.blobs.extend(published);
        Ok(Value::from(media))
    }
}

/// Returns the files of a place that are new or different, and how many are gone. A link that leads where it led before is
/// left out: what it leads to is found at its own path.
fn list(place: &Place<'_>, notes: &mut Vec<String>) -> Result<(Vec<PathBuf>, usize), String> {
    let before = place.before().ok_or("its state before the start is unknown")?;
    let (mut found, mut links, mut seen) = (Found { paths: Vec::new(), notes }, Vec::new(), HashSet::new());
    walk(&place.root, Path::new(""), MAX_DEPTH, Links::Themselves, &mut |path, met| {
        seen.insert(path.to_owned());
        if path.starts_with(".git") {
            return Ok(());
        }
        match met {
            WalkEntry::File(stat) if !before.is_changed(path, stat) => Ok(()),
            WalkEntry::Link(target) => {
                links.extend(before.is_link_changed(path, target).then(|| path.to_owned()));
                Ok(())
            }
            met => found.add(path, met),
        }
    })?;
    for link in links {
        match place.root.entry(&link) {
            Ok(Entry::File(_)) => found.add_file(&link)?,
            Ok(Entry::Folder(_)) => {
                walk(&place.root, &link, MAX_DEPTH, Links::Follow, &mut |path, met| found.add(path, met))?;
            }
            Err(refusal) => return Err(format!("`{}`: {refusal}", named(&link))),
        }
    }
    found.paths.sort();
    Ok((found.paths, before.gone(&seen)))
}

/// The changed files that were found.
struct Found<'a> {
    paths: Vec<PathBuf>,
    notes: &'a mut Vec<String>,
}

impl Found<'_> {
    fn add(&mut self, path: &Path, met: WalkEntry<'_>) -> Result<(), String> {
        match met {
            WalkEntry::File(_) => return self.add_file(path),
            WalkEntry::BrokenLink(_, refusal) => return Err(format!("`{}`: {refusal}", named(path))),
            WalkEntry::Other(what) => {
                self.notes.push(format!("`{}` was left out: it is {what}", named(path)));
            }
            WalkEntry::Unreadable => return Err(format!("the folder `{}` can't be read", named(path))),
            WalkEntry::TooDeep => {
                return Err(format!("`{}` is below more than {MAX_DEPTH} folders", named(path)));
            }
            WalkEntry::Folder | WalkEntry::Link(_) | WalkEntry::Passed => {}
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path) -> Result<(), String> {
        if self.paths.len() == MAX_FILES {
            return Err(format!("the command changed more than {MAX_FILES} files"));
        }
        self.paths.push(path.to_owned());
        Ok(())
    }
}

fn named(path: &Path) -> String {
    text::line(&path.to_string_lossy())
}
