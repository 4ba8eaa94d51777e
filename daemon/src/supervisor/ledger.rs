//! The ledger: one file that records each attempt before its process exists, and its end. From it, the next supervisor knows
//! which processes may remain and how the others ended.
//!
//! Records are only appended, each with one write, and no file is created or removed for an attempt: on some file systems
//! each new file costs a search through the recently removed ones. When most records are about forgotten attempts, the file
//! is rewritten with the others.

mod earlier;

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use fanlight_shared::id::AttemptId;
use fanlight_shared::time::Time;

use super::frame::{self, Malformed, Reader, Writer};
use super::record::Exit;

const PLANNED: u8 = 0xA3;
const MAIN: u8 = 0xA4;
const ENDED: u8 = 0xA5;
const LOST: u8 = 0xA6;
const FORGOTTEN: u8 = 0xA7;

/// The length in bytes below which the file is not rewritten.
const MIN_LENGTH: u64 = 64 << 10;

/// The entry of an attempt in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: AttemptId,
    /// The boot in which it was started.
    pub(crate) boot: String,
    /// Its folder, where its log is.
    pub(crate) folder: PathBuf,
    /// Its cgroup.
    pub(crate) cgroup: Option<PathBuf>,
    pub(crate) started: Time,
    /// The id of its main process and when that started, in ticks since the boot.
    pub(crate) main: Option<(u32, u64)>,
    /// How it ended. It is not synced, so it holds for this boot only: after a power cut it is not certain that what the
    /// attempt wrote before has reached the disk.
    pub(crate) exit: Option<Exit>,
    /// It was found to be lost already.
    pub(crate) lost: bool,
}

impl Entry {
    fn encode(&self) -> Option<Vec<u8>> {
        let mut to = record(PLANNED, self.id);
        to.os(&self.boot).os(&self.folder).os(self.cgroup.as_deref().unwrap_or(Path::new("")));
        to.i64(self.started.0);
        let mut bytes = to.finish()?;
        if let Some((pid, start)) = self.main {
            bytes.extend(main(self.id, pid, start).finish()?);
        }
        if let Some(exit) = &self.exit {
            bytes.extend(ended(self.id, exit).finish()?);
        }
        if self.lost {
            bytes.extend(record(LOST, self.id).finish()?);
        }
        Some(bytes)
    }
}

fn record(kind: u8, id: AttemptId) -> Writer {
    let mut to = Writer::new(kind);
    to.id(id.as_bytes());
    to
}

fn main(id: AttemptId, pid: u32, start: u64) -> Writer {
    let mut to = record(MAIN, id);
    to.u32(pid).u64(start);
    to
}

fn ended(id: AttemptId, exit: &Exit) -> Writer {
    let mut to = record(ENDED, id);
    exit.encode(&mut to);
    to
}

/// The ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    file: File,
    length: u64,
    /// The length at which it is rewritten.
    longest: u64,
    /// Ends that could not be written, because the disk is full. Until they are, they are lost with this process, and the
    /// next supervisor finds attempts whose end nobody saw.
    unwritten: BTreeMap<AttemptId, Vec<u8>>,
}

impl Ledger {
    /// Opens the ledger in the supervisor's folder, and returns its entries. The last record may be torn: it was being written
    /// when the supervisor died, so nothing came of it. Works on a full disk too, where attempts may wait to be adopted.
    pub(crate) fn open(folder: &Path) -> io::Result<(Self, Vec<Entry>)> {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let path = folder.join("ledger");
        let (mut entries, length) = read(&path)?;
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(&path)?;
        file.set_len(length)?;
        let mut ledger = Self { path, file, length, longest: MIN_LENGTH, unwritten: BTreeMap::new() };
        let earlier = earlier::entries(folder);
        if earlier.iter().all(|entry| ledger.plan(entry).is_ok()) {
            earlier::remove(folder);
        }
        entries.extend(earlier.into_iter().map(|entry| (entry.id, entry)));
        Ok((ledger, entries.into_values().collect()))
    }

    /// Records an attempt that is about to start.
    pub(crate) fn plan(&mut self, entry: &Entry) -> io::Result<()> {
        if self.length > self.longest {
            // Where that fails, the file only stays as long as it is.
            let _ = self.tidy();
        }
        self.append(&entry.encode().ok_or(io::ErrorKind::InvalidInput)?)
    }

    /// Records the main process of an attempt.
    pub(crate) fn main(&mut self, id: AttemptId, pid: u32, start: u64) -> io::Result<()> {
        self.append(&main(id, pid, start).finish().ok_or(io::ErrorKind::InvalidInput)?)
    }

    /// Records how an attempt ended: now, or when there is space.
    pub(crate) fn ended(&mut self, id: AttemptId, exit: &Exit) {
        self.end(id, ended(id, exit));
    }

    /// Records that nobody saw how an attempt ended: now, or when there is space.
    pub(crate) fn lost(&mut self, id: AttemptId) {
        self.end(id, record(LOST, id));
    }

    fn end(&mut self, id: AttemptId, record: Writer) {
        // These records are short enough to be encoded.
        let Some(bytes) = record.finish() else { return };
        self.unwritten.insert(id, bytes);
        self.write_ends();
    }

    /// Writes the ends that could not be written before, as far as there is space. Returns whether all are written.
    pub(crate) fn write_ends(&mut self) -> bool {
        while let Some((id, bytes)) = self.unwritten.pop_first() {
            if self.append(&bytes).is_err() {
                self.unwritten.insert(id, bytes);
                return false;
            }
        }
        true
    }

    /// Returns whether an end waits for space.
    pub(crate) fn has_unwritten(&self) -> bool {
        !self.unwritten.is_empty()
    }

    /// Removes the entry of an attempt. If that can't be recorded, the next supervisor knows it still, which harms
    /// nobody.
    pub(crate) fn forget(&mut self, id: AttemptId) {
        self.unwritten.remove(&id);
        if let Some(bytes) = record(FORGOTTEN, id).finish() {
            let _ = self.append(&bytes);
        }
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if let Err(error) = self.file.write_all(bytes) {
            // A part of a record would hide all that follow.
            let _ = self.file.set_len(self.length);
            return Err(error);
        }
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// Rewrites the file without forgotten attempts.
    fn tidy(&mut self) -> io::Result<()> {
        self.longest = self.length * 2;
        let (entries, _) = read(&self.path)?;
        let mut bytes = Vec::new();
        for entry in entries.values() {
            bytes.extend(entry.encode().ok_or(io::ErrorKind::InvalidInput)?);
        }
        let new = self.path.with_extension("new");
        ignore_absent(std::fs::remove_file(&new))?;
        let mut file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(&bytes)?;
        std::fs::rename(new, &self.path)?;
        (self.file, self.length) = (file, bytes.len() as u64);
        self.longest = MIN_LENGTH.max(self.length * 2);
        Ok(())
    }
}

fn ignore_absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

type Entries = BTreeMap<AttemptId, Entry>;

fn read(path: &Path) -> io::Result<(Entries, u64)> {
    match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok((Entries::new(), 0)),
        bytes => Ok(parse(&bytes?)),
    }
}

/// Returns the entries that are not forgotten, and how many bytes the whole records take.
fn parse(bytes: &[u8]) -> (Entries, u64) {
    let mut entries = Entries::new();
    let mut rest = bytes;
    while let Ok(Some((body, used))) = frame::first(rest) {
        // One that can't be read is a later program's.
        let _ = apply(&mut entries, body);
        rest = rest.get(used..).unwrap_or_default();
    }
    (entries, (bytes.len() - rest.len()) as u64)
}

fn apply(entries: &mut Entries, body: &[u8]) -> Result<(), Malformed> {
    let (kind, mut from) = Reader::new(body)?;
    let id = AttemptId::from_bytes(from.id()?);
    match (kind, entries.get_mut(&id)) {
        (PLANNED, _) => {
            entries.insert(id, planned(id, &mut from)?);
        }
        (MAIN, Some(entry)) => entry.main = Some((from.u32()?, from.u64()?)),
        (ENDED, Some(entry)) => entry.exit = Some(Exit::decode(&mut from)?),
        (LOST, Some(entry)) => entry.lost = true,
        (FORGOTTEN, _) => {
            entries.remove(&id);
        }
        _ => {}
    }
    Ok(())
}

fn planned(id: AttemptId, from: &mut Reader<'_>) -> Result<Entry, Malformed> {
    let (boot, folder, cgroup) = (from.text()?, from.os()?.into(), PathBuf::from(from.os()?));
    let cgroup = Some(cgroup).filter(|path| !path.as_os_str().is_empty());
    Ok(Entry { id, boot, folder, cgroup, started: Time(from.i64()?), main: None, exit: None, lost: false })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::record::How;
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: AttemptId::new(),
            boot: "boot".into(),
            folder: "/some/where".into(),
            cgroup: Some("/sys/fs/cgroup/x".into()),
            started: Time(5),
            main: None,
            exit: None,
            lost: false,
        }
    }

    const EXIT: Exit = Exit {
        how: How::Code(3),
        stopped: false,
        masked: false,
        started: Time(1),
        ended: Time(2),
        max_rss: 3,
        cpu: Duration::from_micros(4),
        log_end: 5,
    };

    fn entries(folder: &Path) -> Vec<Entry> {
        read(&folder.join("ledger")).unwrap().0.into_values().collect()
    }

    #[test]
    fn entries_are_read_back_up_to_an_incomplete_one() {
        let folder = tempfile::tempdir().unwrap();
        let (mut ledger, none) = Ledger::open(folder.path()).unwrap();
        assert_eq!(none, []);
        let (mut first, mut second) = (entry(), Entry { cgroup: None, ..entry() });
        ledger.plan(&first).unwrap();
        ledger.plan(&second).unwrap();
        assert_eq!(entries(folder.path()), [first.clone(), second.clone()]);
        ledger.main(first.id, 42, 77).unwrap();
        ledger.ended(first.id, &EXIT);
        ledger.lost(second.id);
        (first.main, first.exit, second.lost) = (Some((42, 77)), Some(EXIT), true);
        assert_eq!(entries(folder.path()), [first.clone(), second.clone()]);
        let (mut ledger, found) = Ledger::open(folder.path()).unwrap();
        assert_eq!(found, [first.clone(), second], "the next supervisor finds the same");
        ledger.forget(first.id);
        assert_eq!(entries(folder.path()).len(), 1);
    }

    #[test]
    fn an_end_that_finds_no_space_is_unknown_to_the_next_supervisor_until_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let (mut ledger, _) = Ledger::open(folder.path()).unwrap();
        let planned = [entry(), entry(), entry()];
        planned.iter().for_each(|entry| ledger.plan(entry).unwrap());
        let full = OpenOptions::new().append(true).open("/dev/full").unwrap();
        let file = std::mem::replace(&mut ledger.file, full);
        ledger.ended(planned[0].id, &EXIT);
        ledger.lost(planned[1].id);
        ledger.ended(planned[2].id, &EXIT);
        ledger.forget(planned[2].id);
        assert!(!ledger.write_ends() && ledger.has_unwritten());
        let found = entries(folder.path());
        assert_eq!(found, planned, "a supervisor that starts now knows of no end");
        ledger.file = file;
        assert!(ledger.write_ends() && !ledger.has_unwritten());
        let ends: Vec<_> = entries(folder.path()).iter().map(|it| (it.exit, it.lost)).collect();
        assert_eq!(ends, [(Some(EXIT), false), (None, true), (None, false)]);
    }

    #[test]
    fn records_around_a_torn_one_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let (mut ledger, _) = Ledger::open(folder.path()).unwrap();
        let (kept, torn) = (entry(), entry());
        ledger.plan(&kept).unwrap();
        let before = ledger.length as usize;
        ledger.plan(&torn).unwrap();
        let bytes = std::fs::read(&ledger.path).unwrap();
        for length in before..bytes.len() {
            std::fs::write(&ledger.path, &bytes[..length]).unwrap();
            let (mut next, found) = Ledger::open(folder.path()).unwrap();
            assert_eq!(found, std::slice::from_ref(&kept), "{length} bytes");
            let more = entry();
            next.plan(&more).unwrap();
            assert_eq!(entries(folder.path()), [kept.clone(), more]);
        }
    }

    #[test]
    fn the_space_of_forgotten_attempts_is_reclaimed() {
        let folder = tempfile::tempdir().unwrap();
        let (mut ledger, _) = Ledger::open(folder.path()).unwrap();
        let kept = entry();
        ledger.plan(&kept).unwrap();
        let mut most = 0;
        for _ in 0..5_000 {
            let passing = entry();
            ledger.plan(&passing).unwrap();
            ledger.forget(passing.id);
            most = most.max(std::fs::metadata(&ledger.path).unwrap().len());
        }
        assert!(most < MIN_LENGTH + 1024, "{most}");
        assert_eq!(entries(folder.path()), [kept]);
    }

    #[test]
    fn the_ledger_is_not_rewritten_for_every_attempt_that_it_keeps() {
        let folder = tempfile::tempdir().unwrap();
        let (mut ledger, _) = Ledger::open(folder.path()).unwrap();
        for _ in 0..2_000 {
            ledger.plan(&entry()).unwrap();
        }
        assert!(ledger.longest > ledger.length && ledger.length > MIN_LENGTH);
        assert_eq!(entries(folder.path()).len(), 2_000);
    }
}
