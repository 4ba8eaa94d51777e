//! Makes an archive of runs.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};

use fanlight_shared::event::StateEvent;
use fanlight_shared::home::Home;
use fanlight_shared::id::{AttemptId, BlobHash, RunId};
use fanlight_shared::media::DirManifest;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::Summary;
use fanlight_shared::value::Value;
use serde::Serialize;

use super::limit::{MAX_WHOLE_BYTES, check_announced};
use super::logs;
use super::manifest::{Amount, Manifest, ManifestRun};
use super::place::Place;
use super::scratch::{Scratch, failed};
use super::stream::{Archive, Entry, From};
use crate::store::record::RunPart;
use crate::store::{Store, StoreError};

/// The most runs that a sentence names.
const MAX_NAMED: usize = 5;

/// What an archive has.
pub(crate) struct Exported {
    pub(crate) archive: Archive,
    pub(crate) runs: u64,
    pub(crate) assets: u64,
    pub(crate) left_out: u64,
}

/// Makes an archive of ended runs, with those that they started. Blocks.
///
/// # Errors
/// A run is gone, has not ended unless only `ended` ones are wanted, was started by a run that is not among them, or can't be
/// read; the disk is full.
pub(crate) fn export(
    store: &Store,
    home: &Home,
    runs: &[RunId],
    ended: bool,
) -> Result<Exported, StoreError> {
    let (runs, left_out) = chosen(store, runs, ended)?;
    let scratch = Scratch::new(home)?;
    let file = scratch.file("lines")?;
    let mut gathered = Gathered::new(BufWriter::new(file));
    // Both callbacks write to it.
    let cell = std::cell::RefCell::new(&mut gathered);
    store.records(
        &runs,
        |part| cell.borrow_mut().part(&part),
        |record| cell.borrow_mut().line(&record).map(drop),
    )?;
    gathered.check()?;
    gathered.files(store)?;
    check_announced(&gathered.runs).map_err(|why| StoreError::BadParam(format!("the archive {why}")))?;
    let Gathered { runs, offset: end, lines, sizes, attempts, .. } = gathered;
    let lines = lines.into_inner().map_err(|error| failed(scratch.path(), error.error()))?;
    // What runs share follows the last of them.
    let shared_from: u64 = runs.iter().map(|run| run.bytes).sum();
    let attempts = attempts.into_iter().flat_map(|attempt| logs::of(&home.attempts(), attempt));
    let logs: Vec<_> = attempts.collect();
    let (mut blob_amount, mut log_amount) = (Amount::default(), Amount::default());
    sizes.values().for_each(|bytes| blob_amount.add(*bytes));
    logs.iter().for_each(|log| log_amount.add(log.bytes));
    let assets = runs.iter().map(|run| run.assets).sum();
    let count = runs.len() as u64;
    let mut offset = 0;
    let mut entries = Vec::with_capacity(2 + runs.len() + sizes.len() + logs.len());
    entries.push(Entry { place: Place::Shared, bytes: end - shared_from, from: From::Lines(shared_from) });
    for run in &runs {
        entries.push(Entry { place: Place::Run(run.id), bytes: run.bytes, from: From::Lines(offset) });
        offset += run.bytes;
    }
    for (hash, bytes) in sizes {
        entries.push(Entry { place: Place::Blob(hash), bytes, from: From::Blob(hash) });
    }
    for log in logs {
        let place = Place::Log(log.attempt, log.name.clone());
        entries.push(Entry { place, bytes: log.bytes, from: From::Log(log) });
    }
    let manifest = Manifest::new(runs, end - shared_from, blob_amount, log_amount);
    let manifest = serde_json::to_vec_pretty(&manifest)?;
    let bytes = manifest.len() as u64;
    entries.insert(0, Entry { place: Place::Manifest, bytes, from: From::Memory(manifest) });
    let archive = Archive::new(store.clone(), home.attempts(), (scratch, lines), entries);
    Ok(Exported { archive, runs: count, assets, left_out })
}

/// Returns these runs and those that they started, a parent before its children, oldest first; and how many were left out
/// because they have not ended.
fn chosen(store: &Store, runs: &[RunId], ended: bool) -> Result<(Vec<RunId>, u64), StoreError> {
    let mut roots = runs.to_vec();
    roots.sort();
    let (mut all, mut seen) = (Vec::new(), HashSet::new());
    let mut open: Vec<Run> = Vec::new();
    let mut children: Vec<Run> = Vec::new();
    for root in roots {
        let mut next = vec![root];
        while let Some(id) = next.pop() {
            if !seen.insert(id) {
                continue;
            }
            let run = store.listed(id)?;
            if !run.state.is_ended() {
                open.push(run);
                continue;
            }
            all.push(id);
            next.extend(store.children(id)?.into_iter().rev());
            children.extend(run.parent.is_some().then_some(run));
        }
    }
    if !open.is_empty() && !ended {
        let names: Vec<String> = open
            .iter()
            .take(MAX_NAMED)
            .map(|run| format!("{} is {}", run.name(), run.state.word()))
            .collect();
        let more = open.len().saturating_sub(MAX_NAMED);
        let more = if more > 0 { format!(" and {more} more have not ended") } else { String::new() };
        return Err(StoreError::BadParam(format!(
            "{}{more}; wait for their end, or export only the runs that have ended (`--ended`)",
            names.join(", ")
        )));
    }
    let known: HashSet<RunId> = all.iter().copied().collect();
    for run in &children {
        if let Some(parent) = run.parent.as_ref().filter(|parent| !known.contains(&parent.run)) {
            let (name, parent) = (run.name(), &parent.name);
            return Err(StoreError::BadParam(format!("{name} was started by {parent}; export that run")));
        }
    }
    if all.is_empty() {
        return Err(StoreError::BadParam("there are no ended runs to export".into()));
    }
    // A child may have been named before its parent.
    let order = parents_first(&all, &children);
    Ok((order, open.len() as u64))
}

/// Orders runs so that each comes after the run that started it.
fn parents_first(all: &[RunId], children: &[Run]) -> Vec<RunId> {
    let parents: BTreeMap<RunId, RunId> =
        children.iter().filter_map(|run| Some((run.id, run.parent.as_ref()?.run))).collect();
    let depth = |id: &RunId| {
        let (mut depth, mut at) = (0_u32, *id);
        while let Some(parent) = parents.get(&at).filter(|_| depth < 1000) {
            (depth, at) = (depth + 1, *parent);
        }
        depth
    };
    let mut order = all.to_vec();
    order.sort_by_key(|id| (depth(id), *id));
    order
}

/// What was gathered while records were written.
struct Gathered {
    lines: BufWriter<File>,
    offset: u64,
    runs: Vec<ManifestRun>,
    /// The run of the parts that come, by its name, and where its events lead.
    row: Option<(String, Summary)>,
    folded: Summary,
    /// The blobs that values name, and whether one is a folder.
    blobs: BTreeMap<BlobHash, bool>,
    /// Those with the JSON of a long value.
    long: BTreeSet<BlobHash>,
    sizes: BTreeMap<BlobHash, u64>,
    attempts: BTreeSet<AttemptId>,
}

impl Gathered {
    fn new(lines: BufWriter<File>) -> Self {
        Self {
            lines,
            offset: 0,
            runs: Vec::new(),
            row: None,
            folded: Summary::default(),
            blobs: BTreeMap::new(),
            long: BTreeSet::new(),
            sizes: BTreeMap::new(),
            attempts: BTreeSet::new(),
        }
    }

    /// Writes a line. Returns its length.
    fn line(&mut self, record: &impl Serialize) -> Result<u64, StoreError> {
        let mut line = serde_json::to_vec(record)?;
        line.push(b'\n');
        self.lines.write_all(&line).map_err(|error| failed("the lines of an export".as_ref(), &error))?;
        self.offset += line.len() as u64;
        Ok(line.len() as u64)
    }

    /// Checks that the events of the last run lead to its row: no home would take the run otherwise.
    fn check(&mut self) -> Result<(), StoreError> {
        let folded = std::mem::take(&mut self.folded);
        match self.row.take() {
            Some((name, row)) if row != folded => {
                Err(StoreError::Other(format!("{name} is damaged: its events lead to another state")))
            }
            _ => Ok(()),
        }
    }

    fn part(&mut self, part: &RunPart) -> Result<(), StoreError> {
        if let RunPart::Run(record) = part {
            self.check()?;
            self.row = Some((record.run.name(), record.run.summary()));
            let (id, name, state) = (record.run.id, record.run.name(), record.run.state);
            let (events, values, assets, series, bytes) = (0, 0, 0, 0, 0);
            self.runs.push(ManifestRun { id, name, state, events, values, assets, series, bytes });
        }
        let bytes = self.line(part)?;
        let Some(run) = self.runs.last_mut() else { return Ok(()) };
        run.bytes += bytes;
        match part {
            RunPart::Run(record) => record.run.params.values().for_each(|value| self.name(value)),
            RunPart::Event(event) => {
                run.events += 1;
                self.folded.fold(&event.event);
                if let StateEvent::NodeUpdate(update) = &event.event {
                    self.attempts.extend(update.attempt_id);
                }
            }
            RunPart::Value(record) => {
                run.values += 1;
                self.long.extend(record.large);
                record.value.iter().for_each(|value| self.name(value));
            }
            RunPart::Asset(new) => {
                run.assets += 1;
                self.name(&new.asset.value);
            }
            RunPart::Series(_) => run.series += 1,
            RunPart::File(_) | RunPart::Points(_) => {}
        }
        Ok(())
    }

    fn name(&mut self, value: &Value) {
        for (hash, folder) in value.blobs() {
            *self.blobs.entry(hash).or_default() |= folder;
        }
    }

    /// Finds the sizes of the blobs, and the files in folders.
    fn files(&mut self, store: &Store) -> Result<(), StoreError> {
        for hash in std::mem::take(&mut self.long) {
            self.blobs.entry(hash).or_default();
            let blobs = &mut self.blobs;
            let take = |hash, folder| *blobs.entry(hash).or_default() |= folder;
            Value::each_blob(&whole(store, hash)?, take)?;
        }
        let mut next: Vec<(BlobHash, bool)> =
            self.blobs.iter().map(|(hash, folder)| (*hash, *folder)).collect();
        while let Some((hash, folder)) = next.pop() {
            let Some(bytes) = store.blob_size(hash)? else {
                let why = format!("the bytes {hash} are missing; `fanlight doctor` says more");
                return Err(StoreError::Other(why));
            };
            self.sizes.insert(hash, bytes);
            if folder {
                let manifest: DirManifest = serde_json::from_slice(&whole(store, hash)?)?;
                let files = manifest.files.iter().map(|entry| (entry.hash, false));
                next.extend(files.filter(|(hash, _)| !self.sizes.contains_key(hash)));
            }
        }
        Ok(())
    }
}

/// Returns the bytes of a long value, or of the list of the files of a folder.
fn whole(store: &Store, hash: BlobHash) -> Result<Vec<u8>, StoreError> {
    let bytes = store.blobs().len(hash)?;
    if bytes <= MAX_WHOLE_BYTES {
        return store.blobs().read(hash);
    }
    Err(StoreError::BadParam(format!(
        "a value of these runs has {} MB, and an archive holds values of at most {} MB",
        bytes / 1_000_000,
        MAX_WHOLE_BYTES / 1_000_000
    )))
}
