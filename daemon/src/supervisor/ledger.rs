//! The ledger: a file for each started attempt, written before the process exists, so that the next supervisor knows
//! which processes may remain.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use fanlight_shared::id::AttemptId;
use fanlight_shared::time::Time;

use super::frame::{self, Malformed, Reader, Writer};

const PLANNED: u8 = 0xA0;
const MAIN: u8 = 0xA1;
const LOST: u8 = 0xA2;

/// The entry of an attempt in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) id: AttemptId,
    /// The boot in which it was started.
    pub(crate) boot: String,
    /// Its folder, where the exit record is.
    pub(crate) folder: PathBuf,
    /// Its cgroup.
    pub(crate) cgroup: Option<PathBuf>,
    pub(crate) started: Time,
    /// The id of its main process and when that started, in ticks since the boot.
    pub(crate) main: Option<(u32, u64)>,
    /// It was found to be lost already.
    pub(crate) lost: bool,
}

/// The ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    folder: PathBuf,
}

impl Ledger {
    /// Returns the ledger below the supervisor's folder.
    pub(crate) fn open(folder: &Path) -> io::Result<Self> {
        let folder = folder.join("attempts");
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(Self { folder })
    }

    fn path(&self, id: AttemptId) -> PathBuf {
        self.folder.join(id.to_string())
    }

    /// Notes an attempt that is about to start.
    pub(crate) fn plan(&self, entry: &Entry) -> io::Result<File> {
        let mut to = Writer::new(PLANNED);
        to.os(&entry.boot).os(&entry.folder).os(entry.cgroup.as_deref().unwrap_or(Path::new("")));
        to.i64(entry.started.0);
        let mut file =
            OpenOptions::new().append(true).create_new(true).mode(0o600).open(self.path(entry.id))?;
        let written = write(&mut file, to);
        if written.is_err() {
            self.forget(entry.id);
        }
        written.map(|()| file)
    }

    /// Notes its main process.
    pub(crate) fn main(file: &mut File, pid: u32, start: u64) -> io::Result<()> {
        let mut to = Writer::new(MAIN);
        to.u32(pid).u64(start);
        write(file, to)
    }

    /// Notes that nobody saw how it ended.
    pub(crate) fn lost(&self, id: AttemptId) -> io::Result<()> {
        let mut file = OpenOptions::new().append(true).open(self.path(id))?;
        write(&mut file, Writer::new(LOST))
    }

    /// Drops what is known of an attempt.
    pub(crate) fn forget(&self, id: AttemptId) {
        let _ = std::fs::remove_file(self.path(id));
    }

    /// Returns all entries. A torn one was being written when the supervisor died, so nothing was started: it is removed.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let Ok(files) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let mut entries = Vec::new();
        for file in files.flatten() {
            let id = file.file_name().to_str().and_then(|name| name.parse().ok());
            let Some(id) = id else { continue };
            match std::fs::read(file.path()).map_err(|_| Malformed).and_then(|bytes| parse(id, &bytes)) {
                Ok(entry) => entries.push(entry),
                Err(Malformed) => self.forget(id),
            }
        }
        entries
    }
}

fn write(file: &mut File, frame: Writer) -> io::Result<()> {
    file.write_all(&frame.finish().ok_or(io::ErrorKind::InvalidInput)?)
}

fn parse(id: AttemptId, mut bytes: &[u8]) -> Result<Entry, Malformed> {
    let mut entry: Option<Entry> = None;
    while let Ok(Some((body, used))) = frame::first(bytes) {
        let (kind, mut from) = Reader::new(body)?;
        match (kind, &mut entry) {
            (PLANNED, _) => {
                let (boot, folder, cgroup) = (from.text()?, from.os()?.into(), PathBuf::from(from.os()?));
                let cgroup = Some(cgroup).filter(|path| !path.as_os_str().is_empty());
                let started = Time(from.i64()?);
                entry = Some(Entry { id, boot, folder, cgroup, started, main: None, lost: false });
            }
            (MAIN, Some(entry)) => entry.main = Some((from.u32()?, from.u64()?)),
            (LOST, Some(entry)) => entry.lost = true,
            _ => return Err(Malformed),
        }
        bytes = bytes.get(used..).unwrap_or_default();
    }
    entry.ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            id: AttemptId::new(),
            boot: "boot".into(),
            folder: "/some/where".into(),
            cgroup: Some("/sys/fs/cgroup/x".into()),
            started: Time(5),
            main: None,
            lost: false,
        }
    }

    #[test]
    fn entries_are_read_back_as_far_as_they_came() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        let mut noted = entry();
        let mut file = ledger.plan(&noted).unwrap();
        assert_eq!(ledger.entries(), [noted.clone()]);
        Ledger::main(&mut file, 42, 77).unwrap();
        noted.main = Some((42, 77));
        assert_eq!(ledger.entries(), [noted.clone()]);
        ledger.lost(noted.id).unwrap();
        noted.lost = true;
        assert_eq!(ledger.entries(), [noted.clone()]);
        assert!(ledger.plan(&noted).is_err(), "an attempt is noted once");
        ledger.forget(noted.id);
        assert_eq!(ledger.entries(), []);
    }

    #[test]
    fn torn_entries_go() {
        let folder = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(folder.path()).unwrap();
        let noted = entry();
        drop(ledger.plan(&noted).unwrap());
        let bytes = std::fs::read(ledger.path(noted.id)).unwrap();
        std::fs::write(ledger.path(noted.id), &bytes[..bytes.len() - 1]).unwrap();
        assert_eq!(ledger.entries(), []);
        assert!(!ledger.path(noted.id).exists());
    }
}
