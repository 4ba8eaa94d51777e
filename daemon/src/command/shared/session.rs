//! One attempt in a shared folder: what it collects, the state of that at its start, and what changed meanwhile.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanlight_shared::workflow::OutputSource;
use serde::{Deserialize, Serialize};

use crate::command::changed::{Files, Snapshot};
use crate::command::folder::{new_file, sentence};
use crate::command::pattern::Pattern;
use crate::file_error::FileError;
use crate::supervisor::record;

/// One attempt in a shared folder.
#[derive(Debug)]
pub(super) struct Session {
    who: String,
    /// Canonical.
    dir: PathBuf,
    sources: Vec<OutputSource>,
    patterns: Vec<Pattern>,
    /// Its number among all starts.
    order: u64,
    stage: Stage,
    /// Absolute paths of files that changed while another attempt that collects them was running, with that attempt's
    /// name.
    conflicts: HashMap<PathBuf, String>,
}

/// The stage of an attempt.
#[derive(Debug)]
enum Stage {
    /// Its snapshot is being taken. `disturbed`: another attempt ended meanwhile.
    Starting { disturbed: bool },
    /// It runs.
    Running(Arc<Snapshot>),
    /// Its processes are gone; its outputs are being collected.
    Ended(Arc<Snapshot>),
}

/// A session as it is saved for the next daemon. Paths are bytes, since they need not be UTF-8.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// The boot that it belongs to.
    boot: Option<String>,
    who: String,
    dir: Vec<u8>,
    paths: Vec<String>,
    globs: Vec<String>,
    order: u64,
    conflicts: Vec<(Vec<u8>, String)>,
}

impl Session {
    pub(super) fn new(
        who: String,
        dir: PathBuf,
        sources: Vec<OutputSource>,
        order: u64,
    ) -> Result<Self, String> {
        let globs = sources.iter().filter_map(|source| match source {
            OutputSource::Glob(glob) => Some(Pattern::parse(glob)),
            _ => None,
        });
        let patterns = globs.collect::<Result<Vec<_>, _>>()?;
        let stage = Stage::Starting { disturbed: false };
        Ok(Self { who, dir, sources, patterns, order, stage, conflicts: HashMap::new() })
    }

    pub(super) fn order(&self) -> u64 {
        self.order
    }
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }
    pub(super) fn sources_mut(&mut self) -> &mut Vec<OutputSource> {
        &mut self.sources
    }
    pub(super) fn sources(&self) -> &[OutputSource] {
        &self.sources
    }

    /// Returns whether its processes may be alive, now or soon.
    pub(super) fn runs(&self) -> bool {
        !matches!(self.stage, Stage::Ended(_))
    }

    /// Takes the snapshot, unless another attempt ended meanwhile; then it must be taken again.
    pub(super) fn noted(&mut self, before: &Arc<Snapshot>) -> bool {
        if let Stage::Starting { disturbed: disturbed @ true } = &mut self.stage {
            *disturbed = false;
            return false;
        }
        self.stage = Stage::Running(before.clone());
        true
    }

    pub(super) fn end(&mut self) {
        self.stage = match std::mem::replace(&mut self.stage, Stage::Starting { disturbed: false }) {
            Stage::Running(before) | Stage::Ended(before) => Stage::Ended(before),
            Stage::Starting { .. } => Stage::Ended(Arc::default()),
        };
    }

    fn before(&self) -> Option<&Snapshot> {
        match &self.stage {
            Stage::Starting { .. } => None,
            Stage::Running(before) | Stage::Ended(before) => Some(before),
        }
    }

    /// Adds paths that it also collects, relative to its folder.
    pub(super) fn also_collects(&mut self, paths: &[PathBuf]) {
        let paths = paths.iter().filter_map(|path| path.to_str());
        self.sources.extend(paths.map(|path| OutputSource::Path(path.to_owned())));
    }

    /// Returns whether one of the two folders contains the other.
    pub(super) fn shares_with(&self, other: &Self) -> bool {
        self.dir.starts_with(&other.dir) || other.dir.starts_with(&self.dir)
    }

    /// Returns whether it collects this file, an absolute path.
    fn collects(&self, file: &Path) -> bool {
        let Ok(inner) = file.strip_prefix(&self.dir) else { return false };
        let by_path = self.sources.iter().any(|source| match source {
            OutputSource::Path(path) => {
                let path: PathBuf = Path::new(path).components().collect();
                inner.starts_with(path.strip_prefix(".").unwrap_or(&path))
            }
            _ => false,
        });
        by_path || self.patterns.iter().any(|pattern| pattern.matches(inner))
    }

    /// Compares with `ended`, which has ended and left its files as in `after`: finds what changed since the later of
    /// the two started. Returns whether this session must be saved again.
    pub(super) fn compare(&mut self, ended: &mut Self, after: &Snapshot) -> bool {
        if !self.shares_with(ended) {
            return false;
        }
        if let Stage::Starting { disturbed } = &mut self.stage {
            *disturbed = true;
            return false;
        }
        let mut changed: Vec<PathBuf> = Vec::new();
        {
            let later = if self.order > ended.order { &*self } else { &*ended };
            let Some(start) = later.before() else { return false };
            let absolute = start.files().keys().map(|path| later.dir.join(path));
            let absolute = absolute.chain(after.files().keys().map(|path| ended.dir.join(path)));
            // This one may still report an undeclared file, so every file of its folder counts.
            for file in absolute.filter(|file| ended.collects(file) && file.starts_with(&self.dir)) {
                let then = file.strip_prefix(&later.dir).ok().and_then(|path| start.files().get(path));
                let now = file.strip_prefix(&ended.dir).ok().and_then(|path| after.files().get(path));
                if then != now {
                    changed.push(file);
                }
            }
        }
        for file in &changed {
            self.conflicts.entry(file.clone()).or_insert_with(|| ended.who.clone());
            if self.collects(file) {
                ended.conflicts.entry(file.clone()).or_insert_with(|| self.who.clone());
            }
        }
        !changed.is_empty()
    }

    /// Returns a file of `target` that changed while another attempt was running, and that attempt's name.
    pub(super) fn conflict<'a>(
        &'a self,
        target: &Path,
        now: &Files,
        others: impl Iterator<Item = &'a Self>,
    ) -> Option<(PathBuf, &'a str)> {
        let whole = self.dir.join(target);
        // A glob checks thousands of files one by one: search only for folders and missing files.
        let one = now.contains_key(target);
        let shown = |file: &Path| file.strip_prefix(&self.dir).unwrap_or(file).to_owned();
        let recorded = if one {
            self.conflicts.get_key_value(&whole)
        } else {
            self.conflicts.iter().find(|(file, _)| file.starts_with(&whole))
        };
        if let Some((file, who)) = recorded {
            return Some((shown(file), who));
        }
        for other in others.filter(|other| other.shares_with(self)) {
            let Some(running) = other.before() else { continue };
            let (later, start) =
                if other.order > self.order { (other, running) } else { (self, self.before()?) };
            let searched = (!one).then(|| start.files().keys()).into_iter().flatten();
            let gone = searched.map(|path| later.dir.join(path)).filter(|file| file.starts_with(&whole));
            let files = gone.chain(now.keys().map(|path| self.dir.join(path)));
            for file in files.filter(|file| other.collects(file)) {
                let then = file.strip_prefix(&later.dir).ok().and_then(|path| start.files().get(path));
                let is = file.strip_prefix(&self.dir).ok().and_then(|path| now.get(path));
                if then != is {
                    return Some((shown(&file), &other.who));
                }
            }
        }
        None
    }

    /// Saves it for the next daemon.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn save(&self, folder: &Path, file: &Path) -> Result<(), FileError> {
        let text = |wanted: fn(&OutputSource) -> Option<&String>| {
            self.sources.iter().filter_map(wanted).cloned().collect::<Vec<String>>()
        };
        let conflicts = self.conflicts.iter();
        let stored = Stored {
            boot: record::boot_id(),
            who: self.who.clone(),
            dir: self.dir.as_os_str().as_bytes().to_owned(),
            paths: text(|source| match source {
                OutputSource::Path(path) => Some(path),
                _ => None,
            }),
            globs: text(|source| match source {
                OutputSource::Glob(glob) => Some(glob),
                _ => None,
            }),
            order: self.order,
            conflicts: conflicts
                .map(|(file, who)| (file.as_os_str().as_bytes().to_owned(), who.clone()))
                .collect(),
        };
        let json = serde_json::to_vec(&stored).map_err(|error| error.to_string())?;
        let beside = file.with_extension("new");
        let write = || {
            use std::os::unix::fs::DirBuilderExt as _;
            fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            match fs::remove_file(&beside) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            new_file(&beside)?.write_all(&json)?;
            fs::rename(&beside, file)
        };
        write().map_err(|error| sentence("can't write", file, &error))
    }

    /// Loads the session of an earlier daemon; returns `None` if it can't be read, or if the machine has rebooted
    /// since.
    pub(super) fn load(file: &Path, before: Snapshot) -> Option<Self> {
        let stored: Stored = serde_json::from_slice(&fs::read(file).ok()?).ok()?;
        if stored.boot != record::boot_id() {
            return None;
        }
        let path = |bytes: Vec<u8>| PathBuf::from(OsString::from_vec(bytes));
        let sources = stored.paths.into_iter().map(OutputSource::Path);
        let sources = sources.chain(stored.globs.into_iter().map(OutputSource::Glob)).collect();
        let mut session = Self::new(stored.who, path(stored.dir), sources, stored.order).ok()?;
        session.stage = Stage::Running(Arc::new(before));
        session.conflicts = stored.conflicts.into_iter().map(|(file, who)| (path(file), who)).collect();
        Some(session)
    }
}
