//! Where outputs lie: the private work folder, and the folder of `dir:` as far as the attempt changed it.

use std::path::Path;

use rustix::fs::Stat;

use super::super::changed::Before;
use super::super::folder::{Folder, sentence};
use crate::rooted::{Entry, Refusal, Root, inner_path};

/// A folder that outputs may lie in.
#[derive(Debug)]
pub(in super::super) struct Place {
    pub(super) root: Root,
    /// Of a folder that is not the attempt's own: what lay in it before.
    before: Option<Before>,
    /// What people call it.
    word: &'static str,
}

/// The places of an attempt: its work folder, then `dir`.
///
/// # Errors
/// One of them is gone.
pub(in super::super) fn places(folder: &Folder, dir: Option<&Path>) -> Result<Vec<Place>, String> {
    let mut places = previewed(folder, dir)?;
    if let Some(place) = places.get_mut(1) {
        place.before = Some(Before::load(&folder.before())?);
    }
    Ok(places)
}

/// The places where a preview may lie: there it doesn't matter whose the file is.
///
/// # Errors
/// One of them is gone.
pub(in super::super) fn previewed(folder: &Folder, dir: Option<&Path>) -> Result<Vec<Place>, String> {
    let work = folder.open_work().map_err(|error| sentence("can't read", &folder.work(), &error))?;
    let mut places = vec![Place { root: work, before: None, word: "the work folder" }];
    if let Some(dir) = dir {
        let root = Root::open(dir).map_err(|error| sentence("can't read", dir, &error))?;
        places.push(Place { root, before: None, word: "the folder of `dir:`" });
    }
    Ok(places)
}

impl Place {
    /// What lies there, if it is the attempt's.
    pub(super) fn changed_entry(&self, path: &Path) -> Result<Option<Entry>, String> {
        let refused = |refusal: Refusal| format!("`{}`: {refusal}", shown(path));
        let entry = match self.root.entry(path) {
            Err(Refusal::Absent) => return Ok(None),
            other => other.map_err(refused)?,
        };
        let Some(before) = &self.before else { return Ok(Some(entry)) };
        let inner = inner_path(path, self.root.path()).map_err(refused)?;
        let changed = match &entry {
            Entry::File(file) => before.is_file_changed(&inner, file).map_err(|it| refused(it.into()))?,
            Entry::Folder(_) => before.is_folder_changed(&inner, &self.root)?,
        };
        Ok(changed.then_some(entry))
    }

    /// Whether a link that can't be followed is the attempt's.
    pub(super) fn is_link_changed(&self, path: &Path, link: &Stat) -> bool {
        self.before.as_ref().is_none_or(|before| before.is_link_changed(path, link))
    }
}

/// What a path leads to.
pub(in super::super) struct FoundEntry<'a> {
    pub(in super::super) entry: Entry,
    /// Its own name.
    pub(in super::super) name: String,
    /// The place that has it.
    pub(super) place: &'a Place,
}

/// What a path leads to in the first place that has it.
///
/// # Errors
/// A sentence that names the path and what is there instead.
pub(in super::super) fn find<'a>(places: &'a [Place], path: &Path) -> Result<FoundEntry<'a>, String> {
    let mut refusal = None;
    for place in places {
        match place.changed_entry(path) {
            Ok(Some(entry)) => {
                let name = path.file_name().map_or_else(|| name_of(place.root.path()), |_| name_of(path));
                return Ok(FoundEntry { entry, name, place });
            }
            Ok(None) => {}
            Err(sentence) => refusal = Some(sentence),
        }
    }
    Err(refusal.unwrap_or_else(|| missing(places, path)))
}

fn missing(places: &[Place], path: &Path) -> String {
    let unchanged = places.iter().find(|it| it.before.is_some() && it.root.entry(path).is_ok());
    if let Some(place) = unchanged {
        return format!("`{}` lies in {}, but this attempt did not change it", shown(path), place.word);
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
        (None, None) => format!("{missing}; nothing lies there"),
        (None, Some(_)) => {
            let some: Vec<String> =
                names.iter().take(5).map(|it| format!("`{}`", shown(Path::new(it)))).collect();
            let more = if names.len() > 5 { " and more" } else { "" };
            format!("{missing}; there is {}{more}", some.join(", "))
        }
    }
}

/// The last part of a path.
pub(super) fn name_of(path: &Path) -> String {
    path.file_name().map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}

fn shown(path: &Path) -> String {
    super::super::text::line(&path.to_string_lossy())
}
