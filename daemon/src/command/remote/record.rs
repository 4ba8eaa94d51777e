//! What is known of an attempt on an engine, in its folder in the home: durable before anything is submitted, so that the next
//! daemon finds the job, or knows that there may be one.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use fanlight_shared::id::{AttemptId, BlobHash};
use fanlight_shared::time::Time;
use serde::{Deserialize, Serialize};

use super::array::Element;
use crate::command::folder::Folder;
use crate::rooted::{create_own, read_own};
use crate::secret::Secrets;

/// The name of the file.
const NAME: &str = "job";

/// The record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// The engine that it was submitted to.
    pub(super) engine: String,
    /// The folder of the attempt that the cluster sees, or a copy of it.
    pub(super) files: PathBuf,
    /// The folder on the cluster, if `files` is a copy of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) there: Option<PathBuf>,
    /// Where the commands of the engine were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) via: Option<String>,
    /// When it was about to be submitted last; without it, it has files there and no job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) intended: Option<Time>,
    /// The id of its job, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) job: Option<String>,
    /// The element of an array that it was submitted as, if it was not submitted alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) element: Option<Element>,
    /// When it was seen to run first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) running_since: Option<Time>,
    /// Whether it was seen to end.
    #[serde(default)]
    pub(super) ended: bool,
    /// Whether it is of a check of the engine, and of no run.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(super) is_check: bool,
    /// How much of its standard output is kept.
    pub(super) stdout_limit: u64,
    /// The names of the secrets that it uses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) secrets: Vec<String>,
    /// The hash of their values, which tells a later daemon whether they are still the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) secrets_hash: Option<BlobHash>,
}

impl Record {
    /// Returns the record of an attempt that was not submitted.
    pub(super) fn new(
        engine: &str,
        attempt: AttemptId,
        folder: &Folder,
        stdout_limit: u64,
        secrets: &Secrets,
    ) -> Self {
        Self {
            engine: engine.to_owned(),
            files: folder.files().to_owned(),
            there: folder.original().map(Path::to_owned),
            via: None,
            ended: false,
            is_check: false,
            intended: None,
            job: None,
            element: None,
            running_since: None,
            stdout_limit,
            secrets: secrets.iter().map(|(name, _)| name.to_owned()).collect(),
            secrets_hash: (!secrets.is_empty()).then(|| hash(attempt, secrets)),
        }
    }

    /// Returns the folder of the attempt whose own files are in this one.
    pub(super) fn folder(&self, path: &Path) -> Folder {
        Folder::with_files(path, &self.files, self.there.as_deref())
    }

    /// Returns whether these are the secrets that it was started with.
    pub(super) fn has(&self, attempt: AttemptId, secrets: &Secrets) -> bool {
        self.secrets_hash == (!secrets.is_empty()).then(|| hash(attempt, secrets))
    }

    /// Returns the comment by which the jobs of an attempt are found.
    pub(super) fn key(attempt: AttemptId) -> String {
        format!("fanlight:{attempt}")
    }

    /// Reads the record of the attempt with this folder; `None` if it has nothing there. Blocks.
    ///
    /// # Errors
    /// It can't be read, so there may be a job.
    pub(super) fn read(folder: &Path) -> io::Result<Option<Self>> {
        match read_own(folder, NAME) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            bytes => Ok(Some(serde_json::from_slice(&bytes?)?)),
        }
    }

    /// Writes it, durably. Blocks.
    ///
    /// # Errors
    /// The disk is full.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let new = format!("{NAME}.new");
        let mut file = create_own(folder, &new)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        std::fs::rename(folder.join(&new), folder.join(NAME))?;
        File::open(folder)?.sync_all()
    }

    /// Removes the record in this folder: nothing of the job is left. Blocks.
    pub(super) fn remove(folder: &Path) -> io::Result<()> {
        match std::fs::remove_file(folder.join(NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(flag: &bool) -> bool {
    !*flag
}

fn hash(attempt: AttemptId, secrets: &Secrets) -> BlobHash {
    let mut bytes = attempt.as_bytes().to_vec();
    for (name, value) in secrets.iter() {
        for text in [name, value] {
            bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
    }
    BlobHash::of(&bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_outlives_the_daemon_and_knows_secrets_without_their_values() {
        let folder = tempfile::tempdir().unwrap();
        let attempt = AttemptId::new();
        assert_eq!(Record::read(folder.path()).unwrap(), None);
        let secrets: Secrets = [("token".to_owned(), "hunter2hunter2".to_owned())].into_iter().collect();
        let own = Folder::with_files(folder.path(), Path::new("/mirror/a"), Some(Path::new("/w/a")));
        let record = Record { job: Some("7".into()), ..Record::new("cluster", attempt, &own, 10, &secrets) };
        record.write(folder.path()).unwrap();
        assert!(!std::fs::read_to_string(folder.path().join(NAME)).unwrap().contains("hunter2"));
        let read = Record::read(folder.path()).unwrap().unwrap();
        assert_eq!(read, record);
        assert!(read.has(attempt, &secrets) && !read.has(attempt, &Secrets::default()));
        let script = read.folder(folder.path()).seen(Path::new("/mirror/a/script"));
        assert_eq!(script, Path::new("/w/a/script"));
        Record::remove(folder.path()).unwrap();
        assert_eq!(Record::read(folder.path()).unwrap(), None);
    }
}
