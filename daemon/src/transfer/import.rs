//! Reads runs from an archive.

mod cancel;
mod disk;
mod known;
mod logs;
mod whole;

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

use fanlight_shared::home::Home;
use fanlight_shared::id::{AssetId, AttemptId, BlobHash, RunId};
use fanlight_shared::sanitise;
use rustix::fs::{Mode, OFlags};
use tokio_util::sync::CancellationToken;

use self::cancel::Cancellable;
use self::known::Found;
use self::logs::NewLogs;
use super::check::{Known, RunCheck};
use super::limit::{MAX_WHOLE_BYTES, check_announced, check_parts};
use super::lines;
use super::manifest::{self, Amount, Manifest};
use super::place::Place;
use super::refused::Refused;
use super::scratch::{Scratch, failed};
use crate::store::blob::Published;
use crate::store::record::SharedRecord;
use crate::store::{self, Op, StagedRun, Store, StoreError};

/// How much memory an archive may ask for, as a power of two.
const MAX_WINDOW: u32 = 27;
/// How much is copied at a time.
const PART: usize = 256 << 10;
/// How many blobs are stored at once.
const BLOBS_AT_ONCE: usize = 64;

/// What was imported.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) imported: store::Imported,
    /// How many assets the imported runs have.
    pub(crate) assets: u64,
    /// The runs that were there already, by their names here.
    pub(crate) known: Vec<String>,
    /// The runs that were left out, by their names in the archive: they were deleted here while their assets stayed, or
    /// such a run started them.
    pub(crate) left_out: Vec<String>,
}

/// Imports the runs of an archive that are not there yet, all of them or none. Blocks.
///
/// # Errors
/// A sentence that names the archive: it can't be read, is damaged, cut off, newer or not ours; or the disk is full.
pub(crate) fn import(
    store: &Store,
    home: &Home,
    path: &Path,
    cancel: &CancellationToken,
) -> Result<Outcome, StoreError> {
    let shown = sanitise::line(&path.to_string_lossy());
    let outcome = read(store, home, path, cancel).and_then(|reading| reading.finish(cancel));
    outcome.map_err(|refused| match refused {
        // Whatever failed then, failed because of it.
        _ if cancel.is_cancelled() => cancel::cancelled(),
        Refused::Archive(why) => StoreError::BadParam(format!("`{shown}` {why}")),
        Refused::Store(error) => error,
    })
}

/// Reads an archive, of which nothing is added yet.
pub(super) fn read<'a>(
    store: &'a Store,
    home: &'a Home,
    path: &Path,
    cancel: &CancellationToken,
) -> Result<Reading<'a>, Refused> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| match errno {
        rustix::io::Errno::NOENT => Refused::Archive("does not exist".into()),
        errno => Refused::read(errno.into()),
    })?);
    if !file.metadata().map_err(Refused::read)?.is_file() {
        return Err(Refused::Archive("is not a file".into()));
    }
    let mut decoder = zstd::stream::read::Decoder::with_buffer(BufReader::with_capacity(PART, file))
        .map_err(Refused::read)?;
    decoder.window_log_max(MAX_WINDOW).map_err(Refused::read)?;
    let mut archive = tar::Archive::new(Cancellable { from: decoder, cancel: cancel.clone() });
    let mut reading: Option<Reading<'_>> = None;
    // Raw: the names of entries are in their own headers, so that none takes memory for a long one.
    for entry in archive.entries().map_err(Refused::read)?.raw(true) {
        let mut entry = entry.map_err(|error| match (&reading, error.kind()) {
            (None, kind) if kind != io::ErrorKind::UnexpectedEof => {
                Refused::Archive("is not an archive of runs".into())
            }
            _ => Refused::read(error),
        })?;
        let name = entry.path_bytes().into_owned();
        let shown = sanitise::line(&String::from_utf8_lossy(&name));
        let what = match entry.header().entry_type() {
            tar::EntryType::Regular => None,
            tar::EntryType::Symlink | tar::EntryType::Link => Some("is a link"),
            tar::EntryType::Directory => Some("is a folder"),
            tar::EntryType::Char | tar::EntryType::Block => Some("is a device"),
            _ => Some("is not a regular file"),
        };
        if let Some(what) = what {
            return Err(Refused::Archive(format!("holds `{shown}`, which {what}; no export writes that")));
        }
        let place = std::str::from_utf8(&name).ok().and_then(Place::of);
        let bytes = entry.header().entry_size().map_err(Refused::read)?;
        match (place, &mut reading) {
            (Some(Place::Manifest), none @ None) => {
                *none = Some(Reading::begin(store, home, &mut entry, bytes)?);
            }
            (_, None) => return Err(Refused::Archive("is not an archive of runs".into())),
            (Some(place), Some(reading)) => reading.file(place, bytes, &mut entry)?,
            (None, _) => {
                return Err(Refused::Archive(format!("holds `{shown}`, which no export writes")));
            }
        }
    }
    let reading = reading.ok_or_else(|| Refused::Archive("is not an archive of runs".into()))?;
    drain(archive.into_inner()).map(|()| reading)
}

/// Reads what follows the archive, which is empty, so that its checksum is compared.
fn drain(mut rest: impl Read) -> Result<(), Refused> {
    let mut part = vec![0; PART];
    let mut left = 1 << 20;
    loop {
        let read = rest.read(&mut part).map_err(Refused::read)?;
        if read == 0 {
            return Ok(());
        }
        left -= i64::try_from(read).unwrap_or(i64::MAX);
        if left < 0 || part[..read].iter().any(|byte| *byte != 0) {
            return Err(Refused::Archive("has something after its end".into()));
        }
    }
}

/// An archive that is being read.
pub(super) struct Reading<'a> {
    store: &'a Store,
    home: &'a Home,
    manifest: Manifest,
    scratch: Scratch,
    lines: File,
    offset: u64,
    shared: Option<Vec<SharedRecord>>,
    known: Known,
    runs: HashMap<RunId, Run>,
    blobs: HashMap<BlobHash, Published>,
    /// Those that were published and have no row yet.
    waiting: Vec<Op>,
    blob_amount: Amount,
    /// How many parts its runs have.
    parts: u64,
    logs: NewLogs,
    /// The runs that are here already, by their sweeps in the archive.
    swept: Vec<(String, RunId)>,
    /// What the new runs refer to.
    wanted: HashMap<BlobHash, bool>,
    long: HashSet<BlobHash>,
    attempts: HashSet<AttemptId>,
    assets: HashSet<AssetId>,
}

/// A run that was read.
enum Run {
    /// It is here already, with this name.
    Known(String),
    /// It was deleted here while its assets stayed, or such a run started it.
    LeftOut,
    New(StagedRun),
}

impl<'a> Reading<'a> {
    fn begin(store: &'a Store, home: &'a Home, from: &mut dyn Read, bytes: u64) -> Result<Self, Refused> {
        if bytes > manifest::MAX_BYTES {
            return Err(Refused::Archive("has a manifest that is too long".into()));
        }
        let mut json = Vec::new();
        from.read_to_end(&mut json).map_err(Refused::read)?;
        let manifest = Manifest::read(&json).map_err(Refused::Archive)?;
        let mut ids = HashSet::new();
        if !manifest.runs.iter().all(|run| ids.insert(run.id)) {
            return Err(Refused::Archive("has a manifest that names a run twice".into()));
        }
        check_announced(&manifest.runs).map_err(Refused::Archive)?;
        disk::check(home, manifest.bytes())?;
        let scratch = Scratch::new(home)?;
        let lines = scratch.file("lines")?;
        let logs = NewLogs::new(scratch.path().join("logs"), home.attempts(), manifest.logs);
        Ok(Self {
            store,
            home,
            manifest,
            scratch,
            lines,
            offset: 0,
            shared: None,
            known: Known::default(),
            runs: HashMap::new(),
            blobs: HashMap::new(),
            waiting: Vec::new(),
            blob_amount: Amount::default(),
            parts: 0,
            logs,
            swept: Vec::new(),
            wanted: HashMap::new(),
            long: HashSet::new(),
            attempts: HashSet::new(),
            assets: HashSet::new(),
        })
    }

    fn file(&mut self, place: Place, bytes: u64, from: &mut dyn Read) -> Result<(), Refused> {
        match place {
            Place::Manifest => Err(Refused::Archive("has two manifests".into())),
            Place::Shared => self.shared(bytes, from),
            Place::Run(id) => self.run(id, bytes, from),
            Place::Blob(hash) => self.blob(hash, bytes, from),
            Place::Log(attempt, name) => self.logs.add(attempt, &name, bytes, from),
        }
    }

    fn shared(&mut self, bytes: u64, from: &mut dyn Read) -> Result<(), Refused> {
        if self.shared.is_some() || bytes != self.manifest.shared_bytes || bytes > MAX_WHOLE_BYTES {
            return Err(Refused::Archive("is damaged: `shared.ndjson` is not what the manifest says".into()));
        }
        let mut records = Vec::new();
        lines::each("shared.ndjson", from, |_, record: SharedRecord| {
            self.known
                .add(&record)
                .map_err(|why| Refused::Archive(format!("is damaged: `shared.ndjson` {why}")))?;
            records.push(record);
            Ok(())
        })?;
        self.shared = Some(records);
        Ok(())
    }

    fn run(&mut self, id: RunId, bytes: u64, from: &mut dyn Read) -> Result<(), Refused> {
        let expected = self.manifest.runs.iter().find(|run| run.id == id);
        let expected = expected.filter(|run| run.bytes == bytes && !self.runs.contains_key(&id));
        let Some(expected) = expected.filter(|_| self.shared.is_some()) else {
            let place = Place::Run(id);
            return Err(Refused::Archive(format!("is damaged: `{place}` is not what the manifest says")));
        };
        let shown = sanitise::line(&expected.name);
        let damaged = |why: String| Refused::Archive(format!("is damaged: {shown} {why}"));
        let mut found = known::find(self.store, id)?;
        let mut check = RunCheck::new(&self.known, expected);
        let offset = self.offset;
        let mut to = io::BufWriter::new(&self.lines);
        lines::each(&Place::Run(id).to_string(), from, |line, part| {
            check.part(&part).map_err(damaged)?;
            self.parts += 1;
            check_parts(self.parts).map_err(Refused::Archive)?;
            match &mut found {
                Found::Run(here) => here.compare(&part),
                Found::Assets => {}
                Found::Nothing => {
                    to.write_all(line).map_err(|error| failed(self.scratch.path(), &error))?;
                    self.offset += line.len() as u64;
                }
            }
            Ok(())
        })?;
        to.flush().map_err(|error| failed(self.scratch.path(), &error))?;
        drop(to);
        let run = check.finish().map_err(damaged)?;
        if let Found::Run(here) = found {
            let name = here.finish().map_err(|why| Refused::Archive(format!("holds {shown}, {why}")))?;
            self.logs.skip(&check.attempts);
            self.swept.extend(run.sweep.map(|sweep| (sweep, id)));
            self.runs.insert(id, Run::Known(name));
            return Ok(());
        }
        let parent = match &run.parent {
            None => None,
            Some(parent) => match self.runs.get(&parent.run) {
                None => return Err(damaged("lacks the run that started it".into())),
                parent => parent,
            },
        };
        if matches!(found, Found::Assets) || matches!(parent, Some(Run::LeftOut)) {
            self.logs.skip(&check.attempts);
            self.runs.insert(id, Run::LeftOut);
            return Ok(());
        }
        for attempt in &check.attempts {
            if !self.attempts.insert(*attempt) {
                return Err(damaged(format!("has the attempt {attempt} of another run")));
            }
        }
        for asset in &check.assets {
            if !self.assets.insert(*asset) || self.store.has_asset(*asset)? {
                return Err(Refused::Archive(format!(
                    "holds {shown} with the asset {asset}, which is here already and belongs to another run"
                )));
            }
        }
        let (blobs, long) = (std::mem::take(&mut check.blobs), std::mem::take(&mut check.long));
        for (hash, folder) in blobs {
            *self.wanted.entry(hash).or_default() |= folder;
        }
        self.long.extend(long);
        self.logs.take(&check.attempts);
        self.runs.insert(id, Run::New(StagedRun { offset, bytes: self.offset - offset }));
        Ok(())
    }

    fn blob(&mut self, hash: BlobHash, bytes: u64, from: &mut dyn Read) -> Result<(), Refused> {
        self.blob_amount.add(bytes);
        if self.blob_amount.exceeds(&self.manifest.blobs) || self.blobs.contains_key(&hash) {
            let why = "is damaged: it holds other bytes than the manifest announces, or some twice";
            return Err(Refused::Archive(why.into()));
        }
        let mut sink = self.store.blobs().sink();
        let mut part = vec![0; PART];
        loop {
            let read = from.read(&mut part).map_err(Refused::read)?;
            if read == 0 {
                break;
            }
            sink.write_all(&part[..read]).map_err(|error| failed(&self.home.blobs(), &error))?;
        }
        let published = sink.finish()?;
        if published.hash != hash || published.bytes != bytes {
            return Err(Refused::Archive(format!(
                "is damaged: the bytes of `{}` are others",
                Place::Blob(hash)
            )));
        }
        // Its row has the bytes; this only keeps them from being removed.
        let mut kept = published.clone();
        kept.inline = None;
        self.blobs.insert(hash, kept);
        self.waiting.push(Op::Blob(published));
        if self.waiting.len() >= BLOBS_AT_ONCE {
            self.store.commit_blocking(std::mem::take(&mut self.waiting))?;
        }
        Ok(())
    }

    /// Checks that everything is there, and commits it.
    pub(super) fn finish(mut self, cancel: &CancellationToken) -> Result<Outcome, Refused> {
        if let Some(run) = self.manifest.runs.iter().find(|run| !self.runs.contains_key(&run.id)) {
            return Err(Refused::Archive(format!("is cut off: it lacks {}", sanitise::line(&run.name))));
        }
        if self.blob_amount != self.manifest.blobs || !self.logs.are_whole() {
            return Err(Refused::Archive("is cut off: it lacks files that the manifest announces".into()));
        }
        self.store.commit_blocking(std::mem::take(&mut self.waiting))?;
        self.check_blobs()?;
        // From here on no other import adds runs.
        let store = self.store;
        let _importing = store.importing();
        let (mut known, mut left_out, mut runs) = (Vec::new(), Vec::new(), Vec::new());
        for run in &self.manifest.runs {
            match self.runs.remove(&run.id) {
                Some(Run::Known(name)) => known.push(name),
                Some(Run::LeftOut) => left_out.push(run.name.clone()),
                Some(Run::New(staged)) if matches!(known::find(store, run.id)?, Found::Nothing) => {
                    runs.push(staged);
                }
                Some(Run::New(_)) => {
                    return Err(Refused::Archive(format!(
                        "holds {}, which was added here while the archive was read; import it again",
                        sanitise::line(&run.name)
                    )));
                }
                None => {}
            }
        }
        let assets = self.assets.len() as u64;
        if runs.is_empty() {
            return Ok(Outcome { known, left_out, ..Outcome::default() });
        }
        cancel::check(cancel)?;
        let attempts = self.logs.settle(store)?;
        let shared = self.shared.take().unwrap_or_default();
        let import = store::Import { shared, runs, lines: self.lines, known: self.swept };
        let committed = store.commit_blocking(vec![Op::Import(import.into())])?;
        attempts.keep();
        let imported = committed.imported.unwrap_or_default();
        Ok(Outcome { imported, assets, known, left_out })
    }
}
