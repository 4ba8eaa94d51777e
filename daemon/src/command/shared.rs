//! Tracks attempts that work in shared folders (`dir:`), and files that changed while two attempts that collect them
//! were running.
//!
//! Two attempts overlap from the start of the later one, which takes a snapshot of what it collects, to the end of the
//! first one. If a file that both collect differs between these moments, it is unknown whose bytes it has, so both fail
//! if they collect it. Each attempt is recorded in a file, so that the next daemon knows the attempts that it adopts,
//! and what changed before.

mod session;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use fanlight_shared::id::AttemptId;
use fanlight_shared::workflow::{CommandOutput, OutputSource};
use indexmap::IndexMap;

use super::changed::{Files, Snapshot};
use super::folder::{Folder, sentence};
use super::pattern::Pattern;
use crate::attempt::Attempt;
use crate::file_error::FileError;
use crate::rooted::{Root, WalkEntry};
use session::Session;

/// The remedies for a conflict, for messages.
const REMEDIES: &str = "keep such attempts apart by `lock: NAME` on the node or `concurrency: 1` on the workflow, or \
                        write it in the private folder, without `dir:`";

/// The attempts that work in shared folders.
#[derive(Debug)]
pub(super) struct SharedFolders {
    /// The folder with a file for each attempt.
    folder: PathBuf,
    /// The attempts that an earlier daemon started.
    found: Vec<AttemptId>,
    sessions: Mutex<HashMap<AttemptId, Session>>,
}

impl SharedFolders {
    /// Loads the sessions of an earlier daemon. `attempts` is the folder of all attempts. Blocks.
    pub(super) fn load(attempts: &Path) -> Self {
        let folder = attempts.with_file_name("shared");
        let mut sessions = HashMap::new();
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let id = entry.file_name().to_str().and_then(|name| name.parse::<AttemptId>().ok());
            let before = |id| Snapshot::load(&Folder::of(attempts, id).before()).ok();
            let read = id.and_then(|id| Some((id, Session::load(&entry.path(), before(id)?)?)));
            match read {
                Some((id, session)) => drop(sessions.insert(id, session)),
                // It is incomplete, or from an earlier boot: none of its processes can be alive.
                None => drop(fs::remove_file(entry.path())),
            }
        }
        Self { folder, found: sessions.keys().copied().collect(), sessions: Mutex::new(sessions) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<AttemptId, Session>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn file(&self, id: AttemptId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Records an attempt that is about to start in `dir`, with a snapshot of what it collects there. Blocks.
    ///
    /// # Errors
    /// A sentence: a folder can't be read, a pattern is bad, there are too many files, or the disk is full.
    pub(super) fn begin(
        &self,
        attempt: &Attempt,
        dir: &Path,
        outputs: &IndexMap<String, CommandOutput>,
    ) -> Result<Arc<Snapshot>, FileError> {
        let dir = dir.canonicalize().map_err(|error| sentence("can't enter", dir, &error))?;
        let mut sources: Vec<OutputSource> = outputs.values().map(|output| output.source.clone()).collect();
        sources.extend(linked_sources(&dir, &sources));
        let order = {
            let mut sessions = self.lock();
            let session = Session::new(who(attempt), dir.clone(), sources.clone(), next(&sessions))?;
            let order = session.order();
            sessions.insert(attempt.id, session);
            order
        };
        let noted = self.note(attempt.id, &dir, &sources, order);
        if noted.is_err() {
            self.lock().remove(&attempt.id);
        }
        noted
    }

    /// Takes snapshots until no other attempt ends meanwhile: its last changes might be in the snapshot only in part.
    fn note(
        &self,
        id: AttemptId,
        dir: &Path,
        sources: &[OutputSource],
        order: u64,
    ) -> Result<Arc<Snapshot>, FileError> {
        loop {
            let before = Arc::new(Snapshot::of(dir, sources)?);
            let mut sessions = self.lock();
            let Some(session) = sessions.get_mut(&id).filter(|session| session.order() == order) else {
                return Err("the attempt was ended while it started".into());
            };
            if session.noted(&before) {
                session.save(&self.folder, &self.file(id))?;
                return Ok(before);
            }
        }
    }

    /// Records an attempt of an earlier daemon, of an older version, that isn't known here. Blocks.
    pub(super) fn adopt(
        &self,
        attempt: &Attempt,
        dir: &Path,
        outputs: &IndexMap<String, CommandOutput>,
        folder: &Folder,
    ) {
        if self.lock().contains_key(&attempt.id) {
            return;
        }
        let sources = outputs.values().map(|output| output.source.clone()).collect();
        let (Ok(dir), Ok(before)) = (dir.canonicalize(), Snapshot::load(&folder.before())) else { return };
        let mut sessions = self.lock();
        let order = next(&sessions);
        if let Ok(mut session) = Session::new(who(attempt), dir, sources, order) {
            session.noted(&Arc::new(before));
            sessions.insert(attempt.id, session);
        }
    }

    /// Compares the files of an attempt whose processes are gone with those of running attempts. `reported` holds paths
    /// that it collects besides the declared ones. Blocks.
    pub(super) fn ended(&self, id: AttemptId, reported: &[PathBuf]) {
        let (dir, all) = {
            let mut sessions = self.lock();
            let Some(session) = sessions.get_mut(&id).filter(|session| session.runs()) else { return };
            session.also_collects(reported);
            let session = &sessions[&id];
            let dir = session.dir().to_owned();
            let all = sessions.iter().filter(|(_, it)| it.runs() && it.shares_with(session));
            let all: Vec<_> =
                all.map(|(other, it)| (*other, it.dir().to_owned(), it.sources().to_vec())).collect();
            if all.len() == 1 {
                if let Some(session) = sessions.get_mut(&id) {
                    session.end();
                }
                return;
            }
            (dir, all)
        };
        // Links may have been made since the others started.
        let linked: Vec<_> =
            all.iter().map(|(other, dir, sources)| (*other, linked_sources(dir, sources))).collect();
        let sources = {
            let mut sessions = self.lock();
            for (other, linked) in linked {
                if let Some(session) = sessions.get_mut(&other) {
                    session.sources_mut().extend(linked);
                }
            }
            let Some(session) = sessions.get(&id) else { return };
            session.sources().to_vec()
        };
        // An unreadable folder counts as removed, so its files count as changed.
        let after = Snapshot::now(&dir, &sources).unwrap_or_default();
        let mut sessions = self.lock();
        let Some(mut this) = sessions.remove(&id) else { return };
        for (other, session) in sessions.iter_mut().filter(|(_, it)| it.runs()) {
            if session.compare(&mut this, &after)
                && let Err(error) = session.save(&self.folder, &self.file(*other))
            {
                // Only the next daemon would miss this; this one knows.
                tracing::warn!("{error}");
            }
        }
        this.end();
        if let Err(error) = this.save(&self.folder, &self.file(id)) {
            tracing::warn!("{error}");
        }
        sessions.insert(id, this);
    }

    /// Checks that what an ended attempt is about to collect is its own. `target` is a file or folder relative to its
    /// `dir:`, `now` holds the collected files with their current stamps.
    ///
    /// # Errors
    /// A sentence that names the other attempt and what to do.
    pub(super) fn check(&self, id: AttemptId, target: &Path, now: &Files) -> Result<(), String> {
        self.check_path(id, target, now)?;
        let dir = self.lock().get(&id).map(|session| session.dir().to_owned());
        // Other attempts may know the same file by the target of a link.
        let Some(linked) = dir.and_then(|dir| linked(&dir, target)) else { return Ok(()) };
        let renamed =
            |path: &Path| path.strip_prefix(target).map_or_else(|_| path.to_owned(), |it| linked.join(it));
        let now = now.iter().map(|(path, stamp)| (renamed(path), *stamp)).collect();
        self.check_path(id, &linked, &now)
    }

    fn check_path(&self, id: AttemptId, target: &Path, now: &Files) -> Result<(), String> {
        let sessions = self.lock();
        let Some(this) = sessions.get(&id) else { return Ok(()) };
        let others = sessions.iter().filter(|(other, it)| **other != id && it.runs()).map(|(_, it)| it);
        match this.conflict(target, now, others) {
            None => Ok(()),
            Some((file, other)) => Err(format!(
                "`{}` changed while {other} was running, which also collects it, so it is unknown whose bytes it has; {REMEDIES}",
                super::text::line(&file.to_string_lossy())
            )),
        }
    }

    /// Removes an attempt that is finished, collected or not. Blocks.
    pub(super) fn leave(&self, id: AttemptId) {
        self.ended(id, &[]);
        if self.lock().remove(&id).is_some()
            && let Err(error) = fs::remove_file(self.file(id))
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "the record of an attempt in a shared folder could not be removed");
        }
    }

    /// Removes the attempts of an earlier daemon that don't continue. Blocks.
    pub(super) fn leave_all_except(&self, goes_on: impl Fn(AttemptId) -> bool) {
        self.found.iter().filter(|id| !goes_on(**id)).for_each(|id| self.leave(*id));
    }

    /// Returns whether one of these attempts works in a shared folder.
    pub(super) fn knows_any(&self, attempts: &[AttemptId]) -> bool {
        let sessions = self.lock();
        attempts.iter().any(|id| sessions.contains_key(id))
    }
}

/// Resolves the links in a path within `dir`; returns the result if it is another path within `dir`.
fn linked(dir: &Path, path: &Path) -> Option<PathBuf> {
    let plain: PathBuf = dir.join(path).components().collect();
    let real = plain.canonicalize().ok().filter(|real| *real != plain)?;
    real.strip_prefix(dir).map(Path::to_owned).ok()
}

/// Resolves the links in the paths of these sources and in what their globs match now. Returns the paths that are not among
/// them yet. Blocks.
fn linked_sources(dir: &Path, sources: &[OutputSource]) -> Vec<OutputSource> {
    let mut found = BTreeSet::new();
    for source in sources {
        match source {
            OutputSource::Path(path) => found.extend(linked(dir, Path::new(path))),
            OutputSource::Glob(glob) => linked_matches(dir, glob, &mut found),
            _ => {}
        }
    }
    let found = found.into_iter().filter_map(|path| Some(OutputSource::Path(path.to_str()?.to_owned())));
    found.filter(|path| !sources.contains(path)).collect()
}

/// Adds the paths within `dir` that the matches of a glob lead to through links.
fn linked_matches(dir: &Path, glob: &str, found: &mut BTreeSet<PathBuf>) {
    // A bad pattern and an unreadable folder are reported where the files are noted.
    let (Ok(pattern), Ok(root)) = (Pattern::parse(glob), Root::open(dir)) else { return };
    // Most matches are in the same few folders, and are no links.
    let mut folders: HashMap<PathBuf, Option<PathBuf>> = HashMap::new();
    let searched = pattern.find(&root, &mut |path, met| {
        if let WalkEntry::File(_) = met {
            let parent = path.parent().unwrap_or(Path::new(""));
            let folder = folders.entry(parent.to_owned()).or_insert_with(|| linked(dir, parent));
            let is_link = fs::symlink_metadata(dir.join(path)).is_ok_and(|meta| meta.is_symlink());
            match (is_link, folder) {
                (true, _) => found.extend(linked(dir, path)),
                (false, Some(folder)) => found.extend(path.file_name().map(|name| folder.join(name))),
                (false, None) => {}
            }
        }
        Ok(())
    });
    if let Err(error) = searched {
        tracing::debug!(%error, "the links that a glob matches are not all known");
    }
}

/// Returns the number of the next start among all, across restarts.
fn next(sessions: &HashMap<AttemptId, Session>) -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let last = sessions.values().map(Session::order).max().unwrap_or_default();
    u64::try_from(now).unwrap_or_default().max(last + 1)
}

/// Returns the name of an attempt for messages.
fn who(attempt: &Attempt) -> String {
    format!("`{}{}` of {}#{}", attempt.node, attempt.item, attempt.run.workflow, attempt.run.number)
}

#[cfg(test)]
mod tests;
