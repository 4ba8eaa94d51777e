//! The places of outputs: the private work folder, and the folder of `dir:` as far as the attempt changed it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use fanlight_shared::id::AttemptId;
use rustix::fs::Stat;

use super::super::changed::{Files, Snapshot, Stamp, files_in};
use super::super::folder::{Folder, sentence};
use super::super::shared::SharedFolders;
use crate::rooted::{Entry, Refusal, Root, inner_path};

/// A folder that may contain outputs.
#[derive(Debug)]
pub(in super::super) struct Place<'a> {
    pub(super) root: Root,
    /// Set if the folder is not the attempt's own.
    shared: Option<Shared<'a>>,
    /// Its name for people.
    word: &'static str,
}

/// A folder that other attempts may change too.
#[derive(Debug)]
struct Shared<'a> {
    /// Its state before the start.
    before: Snapshot,
    claim: Claim<'a>,
}

/// The attempt whose outputs are collected.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Claim<'a> {
    /// The attempts that work in shared folders.
    pub(in super::super) folders: &'a SharedFolders,
    /// The attempt.
    pub(in super::super) attempt: AttemptId,
    /// Whether its command exited with 0: unchanged files then count as its own too.
    pub(in super::super) ended_well: bool,
}

/// Returns the places of an attempt: its work folder, then `dir`.
///
/// # Errors
/// One of them is gone.
pub(in super::super) fn places<'a>(
    folder: &Folder,
    dir: Option<&Path>,
    claim: Claim<'a>,
) -> Result<Vec<Place<'a>>, String> {
    let mut places = previewed(folder, dir)?;
    if let Some(place) = places.get_mut(1) {
        place.shared = Some(Shared { before: Snapshot::load(&folder.before())?, claim });
    }
    Ok(places)
}

/// Returns the places of previews, for which it doesn't matter whose the file is.
///
/// # Errors
/// One of them is gone.
pub(in super::super) fn previewed<'a>(folder: &Folder, dir: Option<&Path>) -> Result<Vec<Place<'a>>, String> {
    let work = folder.open_work().map_err(|error| sentence("can't read", &folder.work(), &error))?;
    let mut places = vec![Place { root: work, shared: None, word: "the work folder" }];
    if let Some(dir) = dir {
        let root = Root::open(dir).map_err(|error| sentence("can't read", dir, &error))?;
        places.push(Place { root, shared: None, word: "the folder of `dir:`" });
    }
    Ok(places)
}

/// Something in a place.
pub(super) struct Own {
    pub(super) entry: Entry,
    /// Whether the attempt left it unchanged.
    pub(super) unchanged: bool,
}

/// A file or folder of a shared folder while it is read.
#[derive(Default)]
pub(super) struct Held {
    path: PathBuf,
    /// The open file, if it is a file.
    file: Option<File>,
    files: Files,
}

impl Place<'_> {
    /// Returns the entry if it is the attempt's: the attempt changed it, or may take unchanged files.
    pub(super) fn own_entry(&self, path: &Path, take_unchanged: bool) -> Result<Option<Own>, String> {
        let entry = match self.root.entry(path) {
            Err(Refusal::Absent) => return Ok(None),
            other => other.map_err(|refusal| refused(path, &refusal))?,
        };
        let Some(shared) = &self.shared else { return Ok(Some(Own { entry, unchanged: false })) };
        let inner = self.inner(path)?;
        let changed = match &entry {
            Entry::File(file) => {
                let changed = shared.before.is_file_changed(&inner, file);
                changed.map_err(|error| refused(path, &error.into()))?
            }
            Entry::Folder(_) => shared.before.is_folder_changed(&inner, &files_in(&self.root, &inner)?),
        };
        let takes = changed || take_unchanged && shared.claim.ended_well;
        Ok(takes.then_some(Own { entry, unchanged: !changed }))
    }

    /// Returns its state before the start, unless it is private.
    pub(super) fn before(&self) -> Option<&Snapshot> {
        self.shared.as_ref().map(|shared| &shared.before)
    }

    /// Returns whether a link that can't be followed is the attempt's.
    pub(super) fn is_link_changed(&self, path: &Path, link: &Stat) -> bool {
        self.shared.as_ref().is_none_or(|shared| shared.before.is_changed(path, link))
    }

    /// Records the state of what is about to be read, and checks that no other attempt changed it.
    ///
    /// # Errors
    /// A sentence that names the other attempt.
    pub(super) fn hold(&self, path: &Path, entry: &Entry) -> Result<Held, String> {
        let Some(shared) = &self.shared else { return Ok(Held::default()) };
        let path = self.inner(path)?;
        let unreadable = |error: io::Error| refused(&path, &error.into());
        let (file, files) = match entry {
            Entry::File(file) => {
                let stamp = Stamp::of_file(file).map_err(unreadable)?;
                (Some(file.try_clone().map_err(unreadable)?), Files::from([(path.clone(), stamp)]))
            }
            Entry::Folder(_) => (None, files_in(&self.root, &path)?),
        };
        shared.claim.folders.check(shared.claim.attempt, &path, &files)?;
        Ok(Held { path, file, files })
    }

    /// Checks that what has been read did not change meanwhile.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn release(&self, held: &Held) -> Result<(), String> {
        let same = match (&self.shared, &held.file) {
            (None, _) => true,
            (Some(_), Some(file)) => {
                Stamp::of_file(file).is_ok_and(|now| held.files.get(&held.path) == Some(&now))
            }
            (Some(_), None) => files_in(&self.root, &held.path)? == held.files,
        };
        if same {
            return Ok(());
        }
        Err(format!(
            "`{}` changed while it was collected, so its content may be a mixture; nothing else may write it at that time",
            shown(&held.path)
        ))
    }

    /// Explains why nothing is at a path, if another attempt may be the reason.
    fn check_missing(&self, path: &Path) -> Result<(), String> {
        let Some(shared) = &self.shared else { return Ok(()) };
        shared.claim.folders.check(shared.claim.attempt, &self.inner(path)?, &Files::new())
    }

    fn inner(&self, path: &Path) -> Result<PathBuf, String> {
        inner_path(path, self.root.path()).map_err(|refusal| refused(path, &refusal))
    }
}

fn refused(path: &Path, refusal: &Refusal) -> String {
    format!("`{}`: {refusal}", shown(path))
}

/// The entry at a path.
pub(in super::super) struct FoundEntry<'a> {
    pub(in super::super) entry: Entry,
    /// Whether the attempt left it unchanged.
    pub(super) unchanged: bool,
    /// Its own name.
    pub(in super::super) name: String,
    /// The place that has it.
    pub(super) place: &'a Place<'a>,
}

/// Returns the entry at a path in the first place that has it.
///
/// # Errors
/// A sentence that names the path and the existing files.
pub(in super::super) fn find<'a>(places: &'a [Place<'a>], path: &Path) -> Result<FoundEntry<'a>, String> {
    let mut refusal = None;
    for place in places {
        match place.own_entry(path, true) {
            Ok(Some(Own { entry, unchanged })) => {
                let name = path.file_name().map_or_else(|| name_of(place.root.path()), |_| name_of(path));
                return Ok(FoundEntry { entry, unchanged, name, place });
            }
            Ok(None) => {}
            Err(sentence) => refusal = Some(sentence),
        }
    }
    if let Some(sentence) = refusal {
        return Err(sentence);
    }
    places.iter().try_for_each(|place| place.check_missing(path))?;
    Err(missing(places, path))
}

fn missing(places: &[Place<'_>], path: &Path) -> String {
    let unchanged = places.iter().find(|it| it.shared.is_some() && it.root.entry(path).is_ok());
    if let Some(place) = unchanged {
        return format!(
            "`{}` is in {}, but this attempt did not change it and did not exit with 0",
            shown(path),
            place.word
        );
    }
    let words: Vec<&str> = places.iter().map(|it| it.word).collect();
    let missing = format!("there is no `{}` in {}", shown(path), words.join(" or "));
    let names: Vec<String> = places.iter().flat_map(|it| it.root.neighbours(path)).collect();
    let wanted = name_of(path);
    let near = names
        .iter()
        .map(|name| (strsim::jaro_winkler(&wanted, name), name))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match (near, names.first()) {
        (Some((_, name)), _) => format!("{missing}; did you mean `{}`?", shown(Path::new(name))),
        (None, None) => format!("{missing}; nothing is there"),
        (None, Some(_)) => {
            let some: Vec<String> =
                names.iter().take(5).map(|it| format!("`{}`", shown(Path::new(it)))).collect();
            let more = if names.len() > 5 { " and more" } else { "" };
            format!("{missing}; there is {}{more}", some.join(", "))
        }
    }
}

/// Returns the last part of a path.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

fn shown(path: &Path) -> String {
    super::super::text::line(&path.to_string_lossy())
}
