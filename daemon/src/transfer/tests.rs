//! Runs that move between homes, and archives that are refused. The builders are here.

mod hostile;
mod limits;
mod round_trip;
mod together;
mod workflows;

use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use fanlight_shared::event::{NodeUpdate, Numbered, RunUpdate, StateEvent};
use fanlight_shared::id::{AttemptId, RunId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::{NewPoints, Point};
use fanlight_shared::run::{AttemptEnd, NodeStatus, Run, RunStatus};
use fanlight_shared::sweep::Limits;
use fanlight_shared::time::Time;
use fanlight_shared::value::Value;
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;

use super::{Outcome, export, import};
use crate::store::tests::{Fixture, large, submission, values};
use crate::store::{NewSweep, Op, StoreError, Submit, SweepOf};

/// A file of an archive, as it is or with another type.
#[derive(Clone, PartialEq, Debug)]
struct File {
    name: String,
    bytes: Vec<u8>,
    kind: tar::EntryType,
}

impl File {
    fn new(name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        Self { name: name.to_owned(), bytes: bytes.into(), kind: tar::EntryType::Regular }
    }
}

impl Fixture {
    /// Submits a sweep of runs.
    fn sweep(&self, runs: usize) -> Vec<Run> {
        let new =
            NewSweep { name: None, swept: vec!["seed".into()], limits: Limits::default(), search: None };
        self.submit_with(Submit { sweep: Some(SweepOf::New(new)), ..submission(runs) }).runs
    }

    /// Adds the events of a run that completes, with an attempt that has a log, points and a product.
    fn completes(&self, run: &Run, picture: &[u8]) -> AttemptId {
        let attempt = AttemptId::new();
        let update = |status, at| StateEvent::RunUpdate(RunUpdate::new(status, Time(at)));
        let node = NodeUpdate::new("sky", ItemPath::WHOLE, NodeStatus::Running, Time(2));
        let running = NodeUpdate { attempt: Some(1), attempt_id: Some(attempt), ..node.clone() };
        let (ended, cost_usd) = (Some(AttemptEnd::Completed), Some(0.1));
        let done = NodeUpdate { status: NodeStatus::Completed, attempt: Some(1), ended, cost_usd, ..node };
        let mut start = RunUpdate::new(RunStatus::Running, Time(1));
        start.start_order = Some(7);
        self.events(run, [StateEvent::RunUpdate(start), StateEvent::NodeUpdate(running)], 1);
        self.product(run, "sky", picture);
        let points =
            (0..20).map(|step| Point { step, at: Time(9), value: if step == 3 { f64::NAN } else { 0.1 } });
        let points = NewPoints {
            name: "loss".into(),
            unit: None,
            goal: None,
            before: 0,
            after: 20,
            points: points.collect(),
        };
        let (node, item) = ("sky".to_owned(), ItemPath::WHOLE);
        self.commit(vec![
            values(run.id, "sky", "text", Value::from("x".repeat(picture.len()))),
            Op::Points { run: run.id, node, item, attempt: 1, series: vec![points] },
        ]);
        let folder = self.home.attempts().join(attempt.to_string());
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("log"), format!("the log of {}", run.id)).unwrap();
        fs::write(folder.join("record"), "not a log").unwrap();
        self.events(run, [StateEvent::NodeUpdate(done), update(RunStatus::Completed, 5)], 3);
        attempt
    }

    fn events<const N: usize>(&self, run: &Run, events: [StateEvent; N], first: u64) {
        let op = |(event, seq)| Op::Event { run: run.id, event: Numbered { seq, event }.into() };
        self.commit(events.into_iter().zip(first..).map(op).collect());
    }

    fn exported(&self, runs: &[RunId]) -> Vec<File> {
        let mut archive = export(&self.store, &self.home, runs, false).unwrap().archive;
        let mut bytes = Vec::new();
        loop {
            let part = archive.next(1000).unwrap();
            if part.is_empty() {
                break;
            }
            bytes.extend(part);
        }
        assert_eq!(bytes.len() as u64, archive.bytes());
        unpacked(&bytes)
    }

    fn imports(&self, files: &[File]) -> Result<Outcome, StoreError> {
        self.imports_bytes(&packed(files))
    }

    fn imports_bytes(&self, bytes: &[u8]) -> Result<Outcome, StoreError> {
        let path = self.archive();
        fs::write(&path, bytes).unwrap();
        import(&self.store, &self.home, &path, &CancellationToken::new())
    }

    fn archive(&self) -> PathBuf {
        self.home.data.join("in.tar.zst")
    }

    /// Asserts that nothing of an archive is here, neither rows nor files.
    #[track_caller]
    fn has_nothing(&self) {
        let logs = fs::read_dir(self.home.attempts()).map_or(0, Iterator::count);
        let scratch = fs::read_dir(self.home.scratch()).map_or(0, Iterator::count);
        assert_eq!((logs, scratch), (0, 0), "logs and temporary files");
        let count = |table: &str| {
            self.store
                .read(|db| {
                    Ok(db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
                        row.get::<_, i64>(0)
                    })?)
                })
                .unwrap()
        };
        for table in
            ["run", "event", "value", "asset", "workflow", "version", "sweep", "series", "series_chunk"]
        {
            assert_eq!(count(table), 0, "{table}");
        }
        crate::store::tests::wait_for("the blobs are removed", || count("blob") == 0);
    }
}

fn unpacked(bytes: &[u8]) -> Vec<File> {
    let mut archive = tar::Archive::new(bytes);
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        File::new(&name, bytes)
    });
    entries.collect()
}

fn packed(files: &[File]) -> Vec<u8> {
    let mut tar = Vec::new();
    for File { name, bytes, kind } in files {
        let mut header = tar::Header::new_gnu();
        // Names that no library would write.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        tar.extend_from_slice(header.as_bytes());
        tar.extend_from_slice(bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    compressed(&tar)
}

fn compressed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Returns what is wrong with an archive, without its name.
#[track_caller]
fn refusal(at: &Fixture, outcome: Result<Outcome, StoreError>) -> String {
    let path = at.archive().display().to_string();
    outcome.unwrap_err().to_string().replace(&path, "it")
}

/// Returns the ids of runs.
fn ids(runs: &[Run]) -> Vec<RunId> {
    runs.iter().map(|run| run.id).collect()
}

/// Returns the archive of a run with a product and a log, and the name of that run's file.
fn archive() -> (Vec<File>, String) {
    let at = Fixture::new();
    let run = at.sweep(1).remove(0);
    at.completes(&run, &large(1));
    (at.exported(&[run.id]), format!("runs/{}.ndjson", run.id))
}

/// Changes the JSON of a line of a file, and the number of bytes that the manifest announces.
fn change(files: &mut [File], name: &str, line: usize, change: impl FnOnce(&mut Json)) {
    let file = files.iter_mut().find(|file| file.name == name).unwrap();
    let text = String::from_utf8(file.bytes.clone()).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let mut json: Json = serde_json::from_str(&lines[line]).unwrap();
    change(&mut json);
    lines[line] = json.to_string();
    file.bytes = (lines.join("\n") + "\n").into_bytes();
    let bytes = file.bytes.len();
    let run = name.starts_with("runs/");
    manifest(files, |manifest| match run {
        true => manifest["runs"][0]["bytes"] = json!(bytes),
        false => manifest["shared_bytes"] = json!(bytes),
    });
}

fn manifest(files: &mut [File], change: impl FnOnce(&mut Json)) {
    let mut manifest: Json = serde_json::from_slice(&files[0].bytes).unwrap();
    change(&mut manifest);
    files[0].bytes = manifest.to_string().into_bytes();
}
