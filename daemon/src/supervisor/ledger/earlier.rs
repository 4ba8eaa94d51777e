//! What an earlier supervisor noted in the way of its time: a file for each attempt in `attempts`, and how it ended in the
//! attempt's own folder.

use std::path::Path;

use fanlight_shared::id::AttemptId;

use super::super::frame::{self, Malformed, Reader};
use super::super::record::Exit;
use super::{Entry, planned};
use crate::rooted::read_own;

const PLANNED: u8 = 0xA0;
const MAIN: u8 = 0xA1;
const LOST: u8 = 0xA2;
const EXIT: u8 = 0xE0;

/// Returns the entries of such files. A torn one was being written when its supervisor died, so nothing was started.
pub(super) fn entries(folder: &Path) -> Vec<Entry> {
    let files = std::fs::read_dir(folder.join("attempts")).into_iter().flatten().flatten();
    let entry = |file: std::fs::DirEntry| {
        let id = file.file_name().to_str()?.parse().ok()?;
        let mut entry = parse(id, &std::fs::read(file.path()).ok()?).ok()?;
        entry.exit = exit(&entry.folder, &entry.boot);
        Some(entry)
    };
    files.filter_map(entry).collect()
}

/// Removes such files.
pub(super) fn remove(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder.join("attempts"));
}

fn parse(id: AttemptId, mut bytes: &[u8]) -> Result<Entry, Malformed> {
    let mut entry: Option<Entry> = None;
    while let Ok(Some((body, used))) = frame::first(bytes) {
        let (kind, mut from) = Reader::new(body)?;
        match (kind, &mut entry) {
            (PLANNED, _) => entry = Some(planned(id, &mut from)?),
            (MAIN, Some(entry)) => entry.main = Some((from.u32()?, from.u64()?)),
            (LOST, Some(entry)) => entry.lost = true,
            _ => return Err(Malformed),
        }
        bytes = bytes.get(used..).unwrap_or_default();
    }
    entry.ok_or(Malformed)
}

fn exit(folder: &Path, boot: &str) -> Option<Exit> {
    let bytes = read_own(folder, "exit").ok()?;
    let (body, _) = frame::first(&bytes).ok()??;
    let (kind, mut from) = Reader::new(body).ok()?;
    let of = from.text().ok()?;
    let exit = Exit::decode(&mut from).ok()?;
    (kind == EXIT && of == boot).then_some(exit)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use fanlight_shared::time::Time;

    use super::super::super::frame::Writer;
    use super::super::super::record::How;
    use super::super::Ledger;
    use super::*;

    #[test]
    fn the_records_of_an_earlier_supervisor_are_taken_over_once() {
        let root = tempfile::tempdir().unwrap();
        let (notes, folder) = (root.path().join("attempts"), root.path().join("folder"));
        std::fs::create_dir(&notes).unwrap();
        std::fs::create_dir(&folder).unwrap();
        let id = AttemptId::new();
        let mut planned = Writer::new(PLANNED);
        planned.os("boot").os(&folder).os("").i64(5);
        let mut main = Writer::new(MAIN);
        main.u32(42).u64(77);
        let noted = [planned.finish().unwrap(), main.finish().unwrap()].concat();
        std::fs::write(notes.join(id.to_string()), &noted).unwrap();
        std::fs::write(notes.join(AttemptId::new().to_string()), &noted[..20]).unwrap();
        let exit = Exit {
            how: How::Signal(9),
            stopped: true,
            masked: false,
            started: Time(5),
            ended: Time(6),
            max_rss: 1,
            cpu: Duration::from_micros(2),
            log_end: 3,
        };
        let mut ended = Writer::new(EXIT);
        ended.os("boot");
        exit.encode(&mut ended);
        std::fs::write(folder.join("exit"), ended.finish().unwrap()).unwrap();
        for _ in 0..2 {
            let (_, found) = Ledger::open(root.path()).unwrap();
            let [entry] = found.as_slice() else { panic!("{found:?}") };
            assert_eq!(
                (entry.id, entry.main, entry.exit, entry.lost),
                (id, Some((42, 77)), Some(exit), false)
            );
            assert_eq!((&entry.folder, &entry.cgroup), (&folder, &None));
            assert!(!notes.exists());
        }
    }
}
