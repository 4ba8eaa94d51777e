//! Logs of imported attempts: kept apart until their runs are committed.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use fanlight_shared::id::AttemptId;

use super::super::logs::MAX_BYTES;
use super::super::manifest::Amount;
use super::super::scratch::{create, failed, make_folder};
use super::Refused;
use crate::rooted::remove_tree;
use crate::store::{Store, StoreError};

/// The logs of an archive.
pub(super) struct NewLogs {
    folder: PathBuf,
    attempts: PathBuf,
    announced: Amount,
    amount: Amount,
    /// The attempts of the runs of the archive, and whether their logs are taken.
    known: HashMap<AttemptId, bool>,
    taken: HashSet<AttemptId>,
}

impl NewLogs {
    pub(super) fn new(folder: PathBuf, attempts: PathBuf, announced: Amount) -> Self {
        let amount = Amount::default();
        Self { folder, attempts, announced, amount, known: HashMap::new(), taken: HashSet::new() }
    }

    /// Takes the logs of these attempts, which follow.
    pub(super) fn take(&mut self, attempts: &HashSet<AttemptId>) {
        self.known.extend(attempts.iter().map(|it| (*it, true)));
    }

    /// Skips the logs of these attempts, which are here already.
    pub(super) fn skip(&mut self, attempts: &HashSet<AttemptId>) {
        self.known.extend(attempts.iter().map(|it| (*it, false)));
    }

    pub(super) fn add(
        &mut self,
        attempt: AttemptId,
        name: &str,
        bytes: u64,
        from: &mut dyn Read,
    ) -> Result<(), Refused> {
        self.amount.add(bytes);
        if self.amount.exceeds(&self.announced) || bytes > MAX_BYTES {
            return Err(Refused::Archive(
                "is damaged: it holds longer logs than the manifest announces".into(),
            ));
        }
        let Some(is_taken) = self.known.get(&attempt) else {
            return Err(Refused::Archive(format!("holds the log of {attempt}, which none of its runs has")));
        };
        let mut to: Box<dyn Write> = Box::new(io::sink());
        let path = self.folder.join(attempt.to_string()).join(name);
        if *is_taken {
            if let Some(folder) = path.parent() {
                make_folder(folder).map_err(|error| failed(folder, &error))?;
            }
            if path.exists() {
                return Err(Refused::Archive(format!("holds a log of {attempt} twice")));
            }
            to = Box::new(create(&path)?);
            self.taken.insert(attempt);
        }
        let mut part = vec![0; 64 << 10];
        loop {
            let read = from.read(&mut part).map_err(Refused::read)?;
            if read == 0 {
                return Ok(());
            }
            to.write_all(&part[..read]).map_err(|error| failed(&path, &error))?;
        }
    }

    /// Returns whether all that the manifest announces are there.
    pub(super) fn are_whole(&self) -> bool {
        self.amount == self.announced
    }

    /// Moves the logs to their places. They are removed again unless they are kept.
    pub(super) fn settle(&self, store: &Store) -> Result<Settled, StoreError> {
        let mut settled = Settled(Vec::new());
        if self.taken.is_empty() {
            return Ok(settled);
        }
        let says = |error: &io::Error| failed(&self.attempts, error);
        make_folder(&self.attempts).map_err(|error| says(&error))?;
        let all: Vec<AttemptId> = self.taken.iter().copied().collect();
        if let Some(known) = store.known_attempts(&all)?.first() {
            let why = format!("the archive has the attempt {known} of a run that is here");
            return Err(StoreError::BadParam(why));
        }
        for attempt in &all {
            let (from, to) = (self.folder.join(attempt.to_string()), self.attempts.join(attempt.to_string()));
            // An import that was interrupted may have left it; no run has it.
            if fs::symlink_metadata(&to).is_ok() {
                remove_tree(&to).map_err(|error| says(&error))?;
            }
            fs::rename(from, &to).map_err(|error| says(&error))?;
            settled.0.push(to);
        }
        sync(&self.attempts).map_err(|error| says(&error))?;
        Ok(settled)
    }
}

/// Writes all files of the disk with a folder.
fn sync(folder: &Path) -> io::Result<()> {
    Ok(rustix::fs::syncfs(File::open(folder)?)?)
}

/// Logs in their places, whose runs are not committed yet.
pub(super) struct Settled(Vec<PathBuf>);

impl Settled {
    /// Keeps them: their runs are committed.
    pub(super) fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Settled {
    fn drop(&mut self) {
        for path in &self.0 {
            if let Err(error) = remove_tree(path) {
                tracing::warn!("the log {} of a run that was not imported stays: {error}", path.display());
            }
        }
    }
}
