//! The event files of TensorBoard in a folder: their scalars, read as the files grow.
//!
//! - `records`: the frames of a file, with their checksums; `scalars`: the scalars in one of them

mod records;
mod scalars;

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use fanlight_shared::metric::MAX_STEP;
use fanlight_shared::workflow::Metrics;

use super::super::event::CommandEvent;
use super::super::folder::Folder;
use super::super::text;
use super::{MAX_FILE_BYTES, Notes, is_earlier};
use crate::rooted::{Entry, Links, Root, WalkEntry, walk};
use records::{Record, Records};

/// The part of a name that makes a file an event file.
const MARK: &str = ".tfevents.";
/// The most event files that are read.
const MAX_FILES: usize = 64;
/// How deep they may be below the folder.
const MAX_DEPTH: usize = 4;
/// The most files and folders that are looked at.
const MAX_ENTRIES: usize = 10_000;
/// The largest time of a metric, in seconds since 1970.
const MAX_TIME: f64 = 1e11;

/// The event files in a folder, and how far they were read.
#[derive(Default)]
pub(super) struct EventFiles {
    files: BTreeMap<PathBuf, Records>,
    read: u64,
    has_too_many: bool,
    found: bool,
    /// The wanted tags that were found.
    tags: Vec<String>,
}

impl EventFiles {
    /// Reads what is new below the folder `path`.
    pub(super) fn read(
        &mut self,
        folder: &Folder,
        dir: Option<&PathBuf>,
        path: &Path,
        of: &Metrics,
        notes: &mut Notes,
        visit: &mut dyn FnMut(CommandEvent),
    ) {
        let roots = [folder.open_work().ok(), dir.and_then(|dir| Root::open(dir).ok())];
        for root in roots.into_iter().flatten() {
            for place in self.places(&root, path, notes) {
                if let Ok(Entry::File(file)) = root.entry(&place)
                    && !is_earlier(folder, &file)
                {
                    self.read_file(&place, path, file, of, notes, visit);
                }
            }
        }
    }

    /// Returns the paths of the event files, in the order of their names, which begin with the time of their creation.
    fn places(&mut self, root: &Root, path: &Path, notes: &mut Notes) -> Vec<PathBuf> {
        let (mut places, mut entries) = (Vec::new(), 0);
        let mut look = |place: &Path, entry: WalkEntry<'_>| {
            entries += 1;
            let name = place.file_name().unwrap_or_default().to_string_lossy();
            if matches!(entry, WalkEntry::File(_)) && name.contains(MARK) {
                places.push(place.to_owned());
            }
            if entries < MAX_ENTRIES { Ok(()) } else { Err(String::new()) }
        };
        // A folder that isn't there yet, or of which a part can't be read.
        let _ = walk(root, path, MAX_DEPTH, Links::Ignore, &mut look);
        if places.len() > MAX_FILES {
            places.truncate(MAX_FILES);
            if !std::mem::replace(&mut self.has_too_many, true) {
                notes.add(format!("metrics: only the first {MAX_FILES} event files are read"));
            }
        }
        places
    }

    fn read_file(
        &mut self,
        place: &Path,
        below: &Path,
        file: File,
        of: &Metrics,
        notes: &mut Notes,
        visit: &mut dyn FnMut(CommandEvent),
    ) {
        if self.read >= MAX_FILE_BYTES {
            return;
        }
        let prefix = prefix(place.strip_prefix(below).unwrap_or(place));
        let records = self.files.entry(place.to_owned()).or_default();
        let shown = text::line(&place.to_string_lossy());
        let (found, tags) = (&mut self.found, &mut self.tags);
        let mut take = |record: Record<'_>| match record {
            Record::Data(data) => {
                let event = match scalars::event(data) {
                    Ok(event) => event,
                    Err(why) => return notes.add(format!("metrics: `{shown}` has an event that {why}")),
                };
                for (tag, value) in event.scalars {
                    let name = format!("{prefix}{tag}");
                    if !of.columns.is_empty() && !of.columns.contains(&name) {
                        continue;
                    }
                    *found = true;
                    if !of.columns.is_empty() && !tags.contains(&name) {
                        tags.push(name.clone());
                    }
                    let step = u64::try_from(event.step).ok().filter(|step| *step <= MAX_STEP);
                    let time = event.time.filter(|time| (0.0..=MAX_TIME).contains(time));
                    let goal = of.goals.get(&name).copied();
                    visit(CommandEvent::Metric { name, value, unit: None, step, time, goal });
                }
            }
            Record::Damaged(at) => {
                notes
                    .add(format!("metrics: the record at byte {at} of `{shown}` is damaged and is left out"));
            }
            Record::Lost(at) => notes.add(format!(
                "metrics: `{shown}` is damaged at byte {at}, or is not an event file; its rest is not read"
            )),
            Record::TooLarge(bytes) => {
                notes.add(format!("metrics: a record of {} MiB of `{shown}` is left out", bytes >> 20));
            }
        };
        match records.read(file, MAX_FILE_BYTES - self.read, &mut take) {
            Ok(bytes) => self.read += bytes,
            Err(error) => notes.add(format!("metrics: `{shown}` can't be read: {error}")),
        }
        if self.read >= MAX_FILE_BYTES {
            notes.add(format!("metrics: only the first {} MiB are read", MAX_FILE_BYTES >> 20));
        }
    }

    /// Says which files end within a record, when nothing more comes.
    pub(super) fn finish(&self, notes: &mut Notes) {
        for (place, _) in self.files.iter().filter(|(_, records)| records.is_cut()) {
            let place = text::line(&place.to_string_lossy());
            notes.add(format!("metrics: `{place}` ends within a record"));
        }
    }

    /// Returns why it has no metrics, or lacks some.
    pub(super) fn nothing(&self, of: &Metrics) -> Option<String> {
        if self.files.is_empty() {
            return Some("has no event files that this attempt wrote".to_owned());
        }
        let missing = of.columns.iter().filter(|name| !self.tags.contains(name));
        let missing: Vec<String> = missing.map(|name| format!("`{}`", text::line(name))).collect();
        if !missing.is_empty() {
            return Some(format!("has no scalar {}", missing.join(", ")));
        }
        (!self.found).then(|| "has no scalars".to_owned())
    }
}

/// Returns `train/` for a file in the folder `train`. Folders that are named by their date, as PyTorch does, are left out:
/// the metrics of two runs would have different names.
fn prefix(place: &Path) -> String {
    let folders = place.parent().into_iter().flat_map(Path::components);
    let names = folders.map(|folder| folder.as_os_str().to_string_lossy().into_owned());
    names.filter(|name| name != "." && !is_dated(name)).map(|name| format!("{name}/")).collect()
}

/// Returns whether a name begins with a date such as `Nov28_21-05-09_`.
fn is_dated(name: &str) -> bool {
    let form = b"Aaa00_00-00-00_";
    let fits = |(byte, form): (u8, &u8)| match form {
        b'A' => byte.is_ascii_uppercase(),
        b'a' => byte.is_ascii_lowercase(),
        b'0' => byte.is_ascii_digit(),
        form => byte == *form,
    };
    name.len() >= form.len() && name.bytes().zip(form).all(fits)
}

#[cfg(test)]
mod tests;
