//! Finds the files that an attempt changed in a shared folder (`dir:`).
//!
//! Before the start, it takes a snapshot of the files that could become outputs; afterwards the new and changed ones
//! count. A program can't set the time of the inode's last change, so even a file that was rewritten with the same size
//! and an old modification time is noticed. The file system may have a different clock.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fanlight_shared::id::BlobHash;
use fanlight_shared::workflow::{Changes, OutputSource};
use rustix::fs::Stat;

use super::folder::{new_file, sentence};
use super::pattern::Pattern;
use crate::file_error::FileError;
use crate::rooted::{Entry, Links, MAX_DEPTH, Root, WalkEntry, inner_path, walk};

/// The resolution of the file system's clock: a second change within one tick may leave a file's times unchanged.
pub(super) const TICK: Duration = Duration::from_millis(20);
/// The most files of a folder that is an output.
pub(super) const MAX_FILES: usize = 100_000;
/// The most times that files are looked at, or copied, while they change.
pub(super) const MAX_TRIES: usize = 5;

/// The beginning of a saved line of a link.
const LINK: &str = "link ";

/// The state of a file: equal stamps mean equal bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    device: i128,
    inode: i128,
    size: i128,
    modified: i128,
    changed: i128,
}

impl Stamp {
    fn of_stat(stat: &Stat) -> Self {
        let nanoseconds = |seconds: i128, rest: i128| seconds * 1_000_000_000 + rest;
        Self {
            device: i128::from(stat.st_dev),
            inode: i128::from(stat.st_ino),
            size: i128::from(stat.st_size),
            modified: nanoseconds(i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec)),
            changed: nanoseconds(i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec)),
        }
    }
    /// Returns the state of an open file.
    pub(super) fn of_file(file: &fs::File) -> io::Result<Self> {
        let it = file.metadata()?;
        let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
        Ok(Self {
            device: i128::from(it.dev()),
            inode: i128::from(it.ino()),
            size: i128::from(it.size()),
            modified: nanoseconds(it.mtime(), it.mtime_nsec()),
            changed: nanoseconds(it.ctime(), it.ctime_nsec()),
        })
    }

    /// Returns whether the file changed within the last tick, so that another change may leave its times as they are.
    pub(super) fn is_fresh(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let now = i128::try_from(now).unwrap_or(i128::MAX);
        let tick = i128::try_from(TICK.as_nanos()).unwrap_or(0);
        (0..tick).contains(&(now - self.changed.max(self.modified)))
    }
}

/// Files by their path relative to the folder, each with its state.
pub(super) type Files = HashMap<PathBuf, Stamp>;

/// The states of the files that could become outputs, at one moment.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    files: Files,
    /// The links of a folder whose changes are collected, each with the hash of its target. Not what they lead to, which is
    /// found at its own path.
    links: HashMap<PathBuf, BlobHash>,
}

impl Snapshot {
    /// Takes a snapshot of the output files in `dir`, before the start.
    ///
    /// # Errors
    /// A folder can't be read, a pattern is bad, or there are too many files.
    pub(super) fn of(dir: &Path, sources: &[OutputSource]) -> Result<Self, String> {
        let mut snapshot = Self::now(dir, sources)?;
        for _ in 0..MAX_TRIES {
            if !snapshot.is_fresh() {
                break;
            }
            // Files are being changed right now: look again when the clock has advanced.
            std::thread::sleep(TICK);
            snapshot = Self::now(dir, sources)?;
        }
        Ok(snapshot)
    }

    /// Returns whether a file changed within the last tick, so that another change may leave its times as they are.
    fn is_fresh(&self) -> bool {
        self.files.values().any(|stamp| stamp.is_fresh())
    }

    /// Takes a snapshot of the output files in `dir`.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) fn now(dir: &Path, sources: &[OutputSource]) -> Result<Self, String> {
        let root = Root::open(dir).map_err(|error| sentence("can't read", dir, &error))?;
        Self::note(&root, sources)
    }

    /// Returns the files.
    pub(super) fn files(&self) -> &Files {
        &self.files
    }

    fn note(root: &Root, sources: &[OutputSource]) -> Result<Self, String> {
        let mut snapshot = Self::default();
        for source in sources {
            let Self { files, links } = &mut snapshot;
            match source {
                OutputSource::Json(_) | OutputSource::Event => {}
                OutputSource::Changes(Changes::Files) => note_all(root, files, links)?,
                // git knows them.
                OutputSource::Changes(Changes::Patch | Changes::Branch) => {}
                OutputSource::Path(path) => match root.entry(Path::new(path)) {
                    Ok(Entry::File(file)) => {
                        let inner = inner_path(Path::new(path), root.path());
                        if let (Ok(inner), Ok(stamp)) = (inner, Stamp::of_file(&file)) {
                            files.insert(inner, stamp);
                        }
                    }
                    Ok(Entry::Folder(_)) => {
                        let inner = inner_path(Path::new(path), root.path()).unwrap_or_default();
                        note_folder(root, &inner, files)?;
                    }
                    // Missing or unusable files are judged when the attempt has ended.
                    Err(_) => {}
                },
                OutputSource::Glob(glob) => {
                    Pattern::parse(glob)?.find(root, &mut |path, met| {
                        if let WalkEntry::File(stat) | WalkEntry::BrokenLink(stat, _) = met {
                            files.insert(path.to_owned(), Stamp::of_stat(stat));
                        }
                        Ok(())
                    })?;
                }
            }
        }
        Ok(snapshot)
    }

    /// Returns whether this open file is new or different.
    pub(super) fn is_file_changed(&self, path: &Path, file: &fs::File) -> io::Result<bool> {
        Ok(self.files.get(path) != Some(&Stamp::of_file(file)?))
    }

    /// Returns whether a file, or a dangling link, is new or different.
    pub(super) fn is_changed(&self, path: &Path, stat: &Stat) -> bool {
        self.files.get(path) != Some(&Stamp::of_stat(stat))
    }

    /// Returns whether a link is new, or leads elsewhere than before.
    pub(super) fn is_link_changed(&self, path: &Path, target: &OsStr) -> bool {
        self.links.get(path) != Some(&BlobHash::of(target.as_bytes()))
    }

    /// Returns how many files and links of a folder whose changes are collected are not among those that were `met`.
    pub(super) fn gone(&self, met: &HashSet<PathBuf>) -> usize {
        // Another output of the node may have seen the same file through a link.
        let is_own = |path: &&PathBuf| !path.ancestors().any(|it| self.links.contains_key(it));
        self.files.keys().filter(is_own).chain(self.links.keys()).filter(|it| !met.contains(*it)).count()
    }

    /// Returns whether a file below this folder is new, different or gone. `now` holds the present files.
    pub(super) fn is_folder_changed(&self, path: &Path, now: &Files) -> bool {
        let then = self.files.iter().filter(|(file, _)| file.starts_with(path));
        let mut count = 0;
        for (file, stamp) in then {
            count += 1;
            if now.get(file) != Some(stamp) {
                return true;
            }
        }
        count != now.len()
    }

    /// Saves it, for the end of the attempt and for the next daemon.
    pub(super) fn save(&self, path: &Path) -> Result<(), FileError> {
        let mut bytes = Vec::new();
        for (file, stamp) in &self.files {
            let Stamp { device, inode, size, modified, changed } = stamp;
            bytes.extend(format!("{device} {inode} {size} {modified} {changed} ").into_bytes());
            bytes.extend(file.as_os_str().as_bytes());
            bytes.push(0);
        }
        for (link, target) in &self.links {
            bytes.extend(format!("{LINK}{target} ").into_bytes());
            bytes.extend(link.as_os_str().as_bytes());
            bytes.push(0);
        }
        new_file(path)
            .and_then(|mut file| file.write_all(&bytes))
            .map_err(|error| sentence("can't write", path, &error))
    }

    /// Loads what [`Self::save`] wrote.
    pub(super) fn load(path: &Path) -> Result<Self, String> {
        let bytes = fs::read(path).map_err(|error| sentence("can't read", path, &error))?;
        let mut snapshot = Self::default();
        let known = bytes.split(|it| *it == 0).filter(|it| !it.is_empty()).try_for_each(|line| {
            match line.strip_prefix(LINK.as_bytes()) {
                Some(link) => snapshot.links.extend([parse_link(link)?]),
                None => snapshot.files.extend([parse(line)?]),
            }
            Some(())
        });
        known.map(|()| snapshot).ok_or_else(|| format!("{} is damaged", path.display()))
    }
}

/// Returns the files below a folder.
///
/// # Errors
/// A folder can't be read, or there are too many files.
pub(super) fn files_in(root: &Root, path: &Path) -> Result<Files, String> {
    let mut files = Files::new();
    note_folder(root, path, &mut files)?;
    Ok(files)
}

fn note_folder(root: &Root, path: &Path, files: &mut Files) -> Result<(), String> {
    walk(root, path, MAX_DEPTH, Links::Follow, &mut |file, met| {
        if let WalkEntry::File(stat) | WalkEntry::BrokenLink(stat, _) = met {
            files.insert(file.to_owned(), Stamp::of_stat(stat));
        }
        check_count(path, files.len())
    })
}

/// Notes the files and the links of a folder whose changes are collected.
fn note_all(root: &Root, files: &mut Files, links: &mut HashMap<PathBuf, BlobHash>) -> Result<(), String> {
    walk(root, Path::new(""), MAX_DEPTH, Links::Themselves, &mut |path, met| {
        match met {
            WalkEntry::File(stat) => {
                files.insert(path.to_owned(), Stamp::of_stat(stat));
            }
            WalkEntry::Link(target) => {
                links.insert(path.to_owned(), BlobHash::of(target.as_bytes()));
            }
            _ => {}
        }
        check_count(Path::new(""), files.len() + links.len())
    })
}

/// Checks how many files a folder holds.
fn check_count(folder: &Path, count: usize) -> Result<(), String> {
    if count <= MAX_FILES {
        return Ok(());
    }
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    Err(format!("`{}` holds more than {MAX_FILES} files", folder.display()))
}

fn parse_link(line: &[u8]) -> Option<(PathBuf, BlobHash)> {
    let mut fields = line.splitn(2, |it| *it == b' ');
    let target = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    Some((OsString::from_vec(fields.next()?.to_vec()).into(), target))
}

fn parse(line: &[u8]) -> Option<(PathBuf, Stamp)> {
    let mut fields = line.splitn(6, |it| *it == b' ');
    let mut number = || std::str::from_utf8(fields.next()?).ok()?.parse::<i128>().ok();
    let (device, inode, size) = (number()?, number()?, number()?);
    let (modified, changed) = (number()?, number()?);
    let path = OsString::from_vec(fields.next()?.to_vec());
    Some((path.into(), Stamp { device, inode, size, modified, changed }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &Snapshot, dir: &Path, path: &str) -> bool {
        before.is_file_changed(Path::new(path), &fs::File::open(dir.join(path)).unwrap()).unwrap()
    }

    #[test]
    fn a_rewritten_file_has_changed() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        for name in ["old.txt", "again.txt", "touched.txt"] {
            fs::write(dir.join(name), "same").unwrap();
        }
        let sources = [OutputSource::Path("./old.txt".into()), OutputSource::Glob("*.txt".into())];
        let before = Snapshot::of(dir, &sources).unwrap();
        let file = temp.path().join("before");
        before.save(&file).unwrap();
        assert_eq!(Snapshot::load(&file).unwrap(), before);

        let then = fs::metadata(dir.join("again.txt")).unwrap().modified().unwrap();
        let again = fs::File::options().write(true).open(dir.join("again.txt")).unwrap();
        io::Write::write_all(&mut &again, b"SAME").unwrap();
        again.set_modified(then).unwrap();
        fs::write(dir.join("new.txt"), "same").unwrap();
        let found = ["old.txt", "again.txt", "touched.txt", "new.txt"].map(|it| changed(&before, dir, it));
        assert_eq!(found, [false, true, false, true]);
    }

    #[test]
    fn a_link_changes_when_it_leads_elsewhere() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path().join("dir");
        fs::create_dir_all(dir.join("sub")).unwrap();
        fs::write(dir.join("sub/a"), "a").unwrap();
        for (to, link) in [("sub/a", "l"), ("sub", "ls"), ("nowhere", "odd name")] {
            std::os::unix::fs::symlink(to, dir.join(link)).unwrap();
        }
        let sources = [OutputSource::Changes(Changes::Files), OutputSource::Path("ls/".into())];
        let before = Snapshot::of(&dir, &sources).unwrap();
        let file = temp.path().join("before");
        before.save(&file).unwrap();
        let before = Snapshot::load(&file).unwrap();
        fs::remove_file(dir.join("sub/a")).unwrap();
        let changed = |link: &str, to: &str| before.is_link_changed(Path::new(link), OsStr::new(to));
        assert!(!changed("l", "sub/a") && !changed("odd name", "nowhere"));
        assert!(changed("l", "sub/b") && changed("new", "sub/a"));
        // What another output saw through a link is not gone twice.
        let met = ["l", "ls", "odd name"].map(PathBuf::from);
        assert_eq!(before.gone(&HashSet::from(met)), 1);
    }

    #[test]
    fn a_folder_changes_with_its_contents() {
        let temp = tempfile::tempdir().unwrap();
        let dir = temp.path();
        fs::create_dir_all(dir.join("build/deep")).unwrap();
        fs::write(dir.join("build/deep/a"), "a").unwrap();
        let before = Snapshot::of(dir, &[OutputSource::Path("build/".into())]).unwrap();
        let root = Root::open(dir).unwrap();
        let changed = || {
            let build = Path::new("build");
            before.is_folder_changed(build, &files_in(&root, build).unwrap())
        };
        assert!(!changed());
        fs::remove_file(dir.join("build/deep/a")).unwrap();
        assert!(changed());
    }
}
