//! Inputs on a cluster that shares no folder with this machine. Each is sent once, to a folder there in which its name is its
//! hash; an attempt gets copies of its own, which its command may change or remove without harm to others.

use std::collections::{BTreeMap, HashSet};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fanlight_shared::id::AttemptId;
use fanlight_shared::media::{DirManifest, Media, MediaKind};
use tokio::sync::Notify;

use super::call::Line;
use super::files;
use super::mirror::{COPY_TIMEOUT, CopyError, with_slash};
use super::request::CALL_TIMEOUT;
use super::tools::Tools;
use crate::command::folder::{new_file, sentence};
use crate::command::placing::{self, Later};
use crate::file_error::FileError;
use crate::store::blob::Blobs;

/// The script that places them, beside the other files of an attempt.
const SCRIPT: &str = include_str!("place.sh");
/// The folder in `workdir`.
const FOLDER: &str = "inputs";
/// How often inputs that vanish there are sent again.
const MAX_TRIES: usize = 3;
/// The interval between two removals of those that nobody used for long.
const CLEAN_INTERVAL: Duration = Duration::from_secs(60 * 60);
/// The most names in one call.
const MAX_NAMED: usize = 500;

/// The inputs of an attempt that are placed there, by their names.
pub(super) type ByName = BTreeMap<String, Media>;

/// The inputs of one cluster.
pub(super) struct Inputs {
    tools: Tools,
    /// Their folder there.
    store: PathBuf,
    /// The folder there in which they arrive: each daemon has its own, because what an earlier one called may still write.
    arriving: PathBuf,
    /// The folder here with those that are being sent.
    outgoing: PathBuf,
    keep: Duration,
    sending: Claims,
    cleaned: Mutex<Option<Instant>>,
}

/// Writes the list of the inputs that are to be placed in a folder, and the script that does it. Blocks.
///
/// # Errors
/// The disk is full, or the list of files of a folder is gone.
pub(super) fn lay_out(later: Vec<Later>, folder: &Path, blobs: &Blobs) -> Result<ByName, FileError> {
    let mut inputs = ByName::new();
    let mut lines = String::new();
    for Later { media, path, executable } in later {
        let Some(place) = path.strip_prefix(folder).ok().and_then(Path::to_str).filter(|it| is_line(it))
        else {
            placing::place(blobs, &media, &path, executable)?;
            continue;
        };
        let (name, count, mode) = if media.kind == MediaKind::Dir {
            let manifest: DirManifest = serde_json::from_slice(&blobs.read(media.hash)?)
                .map_err(|error| format!("the list of files of `{}` is damaged: {error}", media.name))?;
            (format!("{}.d", media.hash), manifest.files.len(), "-")
        } else {
            (media.hash.to_string(), 1, if executable || media.executable { "500" } else { "400" })
        };
        lines.push_str(&format!("{name} {count} {} {mode} {place}/.\n", media.bytes));
        inputs.insert(name, media);
    }
    if inputs.is_empty() {
        return Ok(inputs);
    }
    let [script, list, _] = files::PLACING;
    for (name, text) in [(script, SCRIPT), (list, &lines)] {
        let path = folder.join(name);
        let written = new_file(&path).and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| sentence("can't write", &path, &error))?;
    }
    Ok(inputs)
}

fn is_line(text: &str) -> bool {
    !text.contains(char::is_control)
}

impl Inputs {
    /// Creates it. `copies` is the folder of this daemon for what it copies.
    pub(super) fn new(tools: Tools, workdir: &Path, keep: Duration, copies: &Path) -> Self {
        let store = workdir.join(FOLDER);
        Self {
            tools,
            arriving: store.join(format!("new.{}", AttemptId::new())),
            store,
            outgoing: copies.join("outgoing"),
            keep,
            sending: Claims::default(),
            cleaned: Mutex::default(),
        }
    }

    /// Places the inputs of an attempt whose folder is there. Those that are missing are sent, each by one attempt for all that
    /// need it.
    ///
    /// # Errors
    /// Some are not there.
    pub(super) async fn place(&self, blobs: &Blobs, there: &Path, inputs: &ByName) -> Result<(), CopyError> {
        if inputs.is_empty() {
            return Ok(());
        }
        for _ in 0..MAX_TRIES {
            let mut missing = self.try_to_place(there, inputs).await?;
            if missing.is_empty() {
                self.clean();
                return Ok(());
            }
            let claim = self.sending.claim(&missing).await;
            if claim.waited {
                // Somebody else sent some of them.
                let now = self.try_to_place(there, inputs).await?;
                missing.retain(|name| now.contains(name));
            }
            self.send(blobs, there, inputs, &missing).await?;
        }
        Err(CopyError::Failed(format!("something removes or changes the inputs in {}", self.store.display())))
    }

    /// Asks for those that are missing; without any, all are placed.
    async fn try_to_place(&self, there: &Path, inputs: &ByName) -> Result<Vec<String>, CopyError> {
        let _lane = self.tools.lanes.there.acquire().await;
        let mut line = Line::new("sh");
        let [script, ..] = files::PLACING;
        line.args([&there.join(script), there, &self.store]);
        let printed = self.tools.caller.call(line, COPY_TIMEOUT).await?;
        let mut missing: Vec<String> = printed.lines().map(str::to_owned).collect();
        missing.retain(|name| inputs.contains_key(name));
        missing.sort_unstable();
        missing.dedup();
        Ok(missing)
    }

    /// Sends those with these names.
    async fn send(
        &self,
        blobs: &Blobs,
        there: &Path,
        inputs: &ByName,
        names: &[String],
    ) -> Result<(), CopyError> {
        if names.is_empty() {
            return Ok(());
        }
        let _lane = self.tools.lanes.there.acquire().await;
        let folder = self.gather(blobs, inputs, names).await?;
        let mut make = Line::new("mkdir");
        make.args(["-p", "-m", "700", "--"]).args([&self.store]);
        self.tools.caller.call(make, CALL_TIMEOUT).await?;
        let from = with_slash(folder.path());
        // What has arrived of a file is used when it is sent again; rsync compares the whole of it.
        self.tools.copy(&["-rpt", "--partial"], COPY_TIMEOUT, |of| vec![from, of(&self.arriving)]).await?;
        for some in names.chunks(MAX_NAMED) {
            let mut settle = Line::new("sh");
            let [script, ..] = files::PLACING;
            settle.args([there.join(script)]).args(["settle"]).args([&self.arriving, &self.store]).args(some);
            self.tools.caller.call(settle, COPY_TIMEOUT).await?;
        }
        Ok(())
    }

    /// Copies those with these names to a folder here.
    async fn gather(
        &self,
        blobs: &Blobs,
        inputs: &ByName,
        names: &[String],
    ) -> Result<Arc<tempfile::TempDir>, CopyError> {
        let (outgoing, blobs) = (self.outgoing.clone(), blobs.clone());
        let chosen: Vec<(String, Media)> = inputs
            .iter()
            .filter(|(name, _)| names.contains(name))
            .map(|(name, media)| (name.clone(), media.clone()))
            .collect();
        let gathered = tokio::task::spawn_blocking(move || {
            let unmade = |error: &std::io::Error| sentence("can't make", &outgoing, error);
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&outgoing);
            made.map_err(|error| unmade(&error))?;
            let folder = tempfile::tempdir_in(&outgoing).map_err(|error| unmade(&error))?;
            for (name, media) in chosen {
                placing::place(&blobs, &media, &folder.path().join(name), false)?;
            }
            Ok(Arc::new(folder))
        });
        let gathered = gathered.await.map_err(|_| "copying inputs failed; see the daemon's log".into());
        gathered.and_then(|folder| folder).map_err(|error| match error {
            // Nothing is lost by that, and it is tried again.
            FileError::Full(why) => CopyError::Away(why),
            FileError::Other(why) => CopyError::Failed(why),
        })
    }

    /// Removes what nobody has used for long, from time to time. Attempts have copies of their own.
    fn clean(&self) {
        {
            let mut cleaned = lock(&self.cleaned);
            if cleaned.is_some_and(|at| at.elapsed() < CLEAN_INTERVAL) {
                return;
            }
            *cleaned = Some(Instant::now());
        }
        let mut line = Line::new("sh");
        line.args(["-c", CLEAN, "sh"]).args([&self.store]).arg((self.keep.as_secs() / 60).to_string());
        let tools = self.tools.clone();
        tokio::spawn(async move {
            if let Err(failure) = tools.caller.call(line, COPY_TIMEOUT).await {
                tracing::warn!(why = failure.sentence(), "old inputs could not be removed from a cluster");
            }
        });
    }
}

/// Removes inputs that nobody has used for a number of minutes, with their seals.
const CLEAN: &str = "cd -- \"$1\" || exit 1; find . -mindepth 1 -maxdepth 1 -mmin \"+$2\" | while IFS= read -r path; do \
                     case $path in *.seal) rm -f -- \"$path\"; path=${path%.seal};; *) [ ! -e \"$path.seal\" ] || \
                     continue;; esac; [ -e \"$path\" ] || continue; chmod -R u+w -- \"$path\"; rm -rf -- \"$path\"; done";

/// The names of what is being sent.
#[derive(Default)]
struct Claims {
    names: Mutex<HashSet<String>>,
    freed: Notify,
}

/// The right to send what has these names, until it is dropped.
struct Claim<'a> {
    claims: &'a Claims,
    names: Vec<String>,
    /// Whether others were sending some of it before.
    waited: bool,
}

impl Claims {
    /// Waits until nobody else sends any of these.
    async fn claim(&self, names: &[String]) -> Claim<'_> {
        let mut waited = false;
        loop {
            let freed = self.freed.notified();
            tokio::pin!(freed);
            freed.as_mut().enable();
            {
                let mut sent = lock(&self.names);
                if names.iter().all(|name| !sent.contains(name)) {
                    sent.extend(names.iter().cloned());
                    return Claim { claims: self, names: names.to_vec(), waited };
                }
            }
            waited = true;
            freed.await;
        }
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut sent = lock(&self.claims.names);
        self.names.iter().for_each(|name| {
            sent.remove(name);
        });
        drop(sent);
        self.claims.freed.notify_waiters();
    }
}

/// Locks what is whole after every change, so that a poisoned lock is harmless.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
