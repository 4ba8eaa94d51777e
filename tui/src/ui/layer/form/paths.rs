//! Path completion of a field: the folders that were read, and the matching names.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::ui::effect::Effect;
use crate::ui::message::Entry;

/// Folders that were read, and the candidate that was put into the field last.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Paths {
    read: HashMap<PathBuf, Vec<Entry>>,
    asked: HashSet<PathBuf>,
    /// The text before the first candidate was inserted, and the index of the last candidate.
    chosen: Option<(String, usize)>,
}

/// Splits off the part of a text that is completed, after the last comma of a list, and splits it into a folder and the
/// beginning of a name.
fn split(text: &str, list: bool) -> (&str, &str, &str) {
    let at = if list { text.rfind(',').map_or(0, |at| at + 1) } else { 0 };
    let at = at + text[at..].len() - text[at..].trim_start().len();
    let (head, path) = text.split_at(at);
    let at = path.rfind('/').map_or(0, |at| at + 1);
    let (folder, name) = path.split_at(at);
    (head, folder, name)
}

impl Paths {
    /// Requests the folder of the typed path, once.
    pub(super) fn want(&mut self, base: &Path, text: &str, list: bool) -> Option<Effect> {
        let folder = base.join(split(text, list).1);
        self.asked.insert(folder.clone()).then_some(Effect::ListFolder(folder))
    }

    /// Adds a folder.
    pub(super) fn response(&mut self, folder: &Path, entries: &[Entry]) {
        self.read.insert(folder.to_owned(), entries.to_vec());
    }

    /// Resets the candidates after a change of the text.
    pub(super) fn typed(&mut self) {
        self.chosen = None;
    }

    /// Returns the matching names, folders with a trailing `/`, and the index of the one in the field.
    pub(super) fn candidates(&self, base: &Path, text: &str, of: Of) -> (Vec<&Entry>, Option<usize>) {
        let (typed, at) = match &self.chosen {
            Some((typed, at)) => (typed.as_str(), Some(*at)),
            None => (text, None),
        };
        let (_, folder, name) = split(typed, of.list);
        let lower = name.to_lowercase();
        let fits = |entry: &&Entry| {
            (entry.folder || !of.folders)
                && (name.starts_with('.') || !entry.name.starts_with('.'))
                && entry.name.to_lowercase().starts_with(&lower)
        };
        let entries = self.read.get(&base.join(folder)).map(Vec::as_slice).unwrap_or_default();
        (entries.iter().filter(fits).collect(), at)
    }

    /// Returns the text after another tab: first the common prefix of all candidates, then one candidate after the
    /// other. `None` if there is nothing to complete.
    pub(super) fn complete(&mut self, base: &Path, text: &str, of: Of) -> Option<String> {
        let (candidates, at) = self.candidates(base, text, of);
        let typed = self.chosen.as_ref().map_or(text, |(typed, _)| typed).to_owned();
        let (head, folder, name) = split(&typed, of.list);
        let whole = |name: &str| format!("{head}{folder}{name}");
        let written = |entry: &Entry| {
            whole(&if entry.folder { format!("{}/", entry.name) } else { entry.name.clone() })
        };
        match (&candidates[..], at) {
            ([], _) => None,
            ([one], _) => {
                let text = written(one);
                self.chosen = None;
                (text != typed).then_some(text)
            }
            (several, None) => {
                let common = common(several);
                if common.chars().count() > name.chars().count() {
                    return Some(whole(&common));
                }
                // A complete file name is accepted, even if other names begin with it.
                if several.iter().any(|entry| !entry.folder && entry.name == name) {
                    return None;
                }
                let text = written(several[0]);
                self.chosen = Some((typed, 0));
                Some(text)
            }
            (several, Some(at)) => {
                let next = (at + 1) % several.len();
                let text = written(several[next]);
                self.chosen = Some((typed, next));
                Some(text)
            }
        }
    }

    /// Returns what is wrong with a path, if its folder was read.
    pub(super) fn error(&self, base: &Path, path: &str, folders: bool) -> Option<String> {
        let trimmed = path.trim().trim_end_matches('/');
        let (_, folder, name) = split(trimmed, false);
        if name.is_empty() || name == "." || name == ".." {
            return None;
        }
        let entries = self.read.get(&base.join(folder))?;
        match entries.iter().find(|entry| entry.name == name) {
            None => Some(format!("there is no `{}`", fanlight_shared::sanitise::line(trimmed))),
            Some(entry) if entry.folder && !folders => {
                Some(format!("`{name}` is a folder: choose a file in it"))
            }
            Some(entry) if !entry.folder && folders => Some(format!("`{name}` is a file, not a folder")),
            Some(_) => None,
        }
    }
}

/// The kind of paths that a field takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Of {
    /// Folders, not files.
    pub(super) folders: bool,
    /// Several, with commas between them.
    pub(super) list: bool,
}

/// Returns the common prefix of all names.
fn common(entries: &[&Entry]) -> String {
    let mut common: Vec<char> = entries.first().map(|it| it.name.chars().collect()).unwrap_or_default();
    for entry in entries {
        let same = common.iter().zip(entry.name.chars()).take_while(|(a, b)| *a == b).count();
        common.truncate(same);
    }
    common.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: Of = Of { folders: false, list: false };

    fn paths() -> (Paths, PathBuf) {
        let base = PathBuf::from("/home/ada");
        let mut paths = Paths::default();
        let entry = |name: &str, folder| Entry { name: name.to_owned(), folder };
        let names = [("photos", true), ("sea.png", false), ("sea.txt", false), (".hidden", false)];
        paths.response(&base, &names.map(|(name, folder)| entry(name, folder)));
        paths.response(&base.join("photos/"), &[entry("日本.jpg", false)]);
        (paths, base)
    }

    #[test]
    fn tab_completes_as_far_as_names_agree_and_then_goes_through_them() {
        let (mut paths, base) = paths();
        assert_eq!(paths.complete(&base, "s", FILE).as_deref(), Some("sea."));
        assert_eq!(paths.complete(&base, "sea.", FILE).as_deref(), Some("sea.png"));
        assert_eq!(paths.complete(&base, "sea.png", FILE).as_deref(), Some("sea.txt"));
        assert_eq!(paths.complete(&base, "sea.txt", FILE).as_deref(), Some("sea.png"));
        paths.typed();
        assert_eq!(paths.complete(&base, "sea.png", FILE), None);
    }

    #[test]
    fn a_folder_can_be_entered() {
        let (mut paths, base) = paths();
        assert_eq!(paths.complete(&base, "ph", FILE).as_deref(), Some("photos/"));
        assert_eq!(paths.complete(&base, "photos/", FILE).as_deref(), Some("photos/日本.jpg"));
        let folders = Of { folders: true, list: false };
        assert_eq!(paths.candidates(&base, "", folders).0.len(), 1);
    }

    #[test]
    fn lists_are_completed_after_the_last_comma() {
        let (mut paths, base) = paths();
        let list = Of { folders: false, list: true };
        assert_eq!(paths.complete(&base, "sea.png, ph", list).as_deref(), Some("sea.png, photos/"));
    }

    #[test]
    fn hidden_files_are_offered_after_a_dot() {
        let (paths, base) = paths();
        assert_eq!(paths.candidates(&base, "", FILE).0.len(), 3);
        assert_eq!(paths.candidates(&base, ".", FILE).0.len(), 1);
    }

    #[test]
    fn a_missing_file_is_reported_once_the_folder_is_known() {
        let (paths, base) = paths();
        assert_eq!(paths.error(&base, "sea.png", false), None);
        assert!(paths.error(&base, "se", false).is_some_and(|it| it.contains("there is no `se`")));
        assert!(paths.error(&base, "photos", false).is_some());
        assert_eq!(paths.error(&base, "photos/", true), None);
        assert_eq!(paths.error(&base, "elsewhere/x.png", false), None);
    }
}
