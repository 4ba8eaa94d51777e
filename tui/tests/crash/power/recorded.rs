//! A recorded home, and the homes that power losses make of it.

use std::collections::HashSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use fanlight_shared::id::BlobHash;
use fanlight_shared::rng::Rng;

use super::disk::Disk;
use super::history::{Change, History, is_mapped};
use super::loss::{self, Survives};
use super::said::{Fact, Said};
use super::{stored, strace};
use crate::load::Load;
use crate::process::{Kill, kill};
use crate::support::{Fanlight, wait_for};

/// A run that is deleted, and later imported again, with a product that no other has.
const GONE: &str = "nodes:
  made: { run: \"seq 30000 > made.txt\", outputs: { made: { path: made.txt, type: file } } }
outputs: { made: \"${{ made.made }}\" }
";

/// How many runs the log of SQLite takes before an idle writer moves it into the database.
const MANY: usize = 30;

/// The run that is deleted and imported again.
pub(super) struct Gone {
    pub(super) run: String,
    hash: BlobHash,
    /// The lines between which it was certainly deleted: a client was told, and the import had not begun.
    apart: Range<usize>,
    /// The line from which on it was there again.
    back: usize,
}

impl Gone {
    fn of(run: &str, history: &History, said: &Said) -> Self {
        let product: String = (1..=30000).map(|it| format!("{it}\n")).collect();
        let hash = BlobHash::of(product.as_bytes());
        let name = hash.to_string()[2..].to_owned();
        let renamed: Vec<&Change> = history.changes.iter().filter(|it| it.what.names(&name)).collect();
        let [_, deleted, again] = renamed[..] else { panic!("{} changes of its name", renamed.len()) };
        let told = |from: usize, by: &dyn Fn(&str) -> bool| {
            let mut facts = said.facts.iter();
            facts.find(|(at, fact)| *at > from && by(fact.run())).expect("a client was told").0
        };
        let apart = told(deleted.end, &|_| true) + 1..again.start;
        Self { run: run.to_owned(), hash, apart, back: told(again.end, &|it| it == run) }
    }

    /// Returns whether it must be there before a line, if a client has heard of it.
    pub(super) fn counts(&self, line: usize) -> bool {
        line > self.back
    }

    /// Returns what is there of it before a line where it must not be.
    fn leftover(&self, line: usize, data: &Path) -> Option<String> {
        let name = self.hash.to_string();
        let product = data.join("blobs").join(&name[..2]).join(&name[2..]);
        (self.apart.contains(&line) && product.exists()).then(|| "what was deleted is there again".to_owned())
    }
}

/// A recorded home.
pub(super) struct Recorded {
    pub(super) fanlight: Fanlight,
    pub(super) load: Load,
    pub(super) history: History,
    pub(super) said: Said,
    pub(super) gone: Gone,
}

impl Recorded {
    /// Records two daemons, one after the other, each with at least this many runs.
    pub(super) fn new(runs: usize) -> Self {
        let fanlight = Fanlight::new();
        let root = fanlight.path("../h").canonicalize().unwrap();
        let load = Load::new(&fanlight);
        fanlight.file("gone.yaml", GONE);
        let before = Disk::read(&root);
        let trace = fanlight.path("../trace");
        let running = strace::record(&fanlight, &trace);
        let run = |words: &[&str]| drop(fanlight.say(words).exits(0));
        awake(&fanlight);
        run(&["run", "crash.yaml", "--sweep", &format!("seed=1..{runs}")]);
        if runs > MANY {
            let written = || std::fs::metadata(root.join("data/fanlight.db")).unwrap().modified().unwrap();
            let before = written();
            wait_for("the idle writer to move its log into the database", || written() > before);
        }
        run(&["run", "gone.yaml"]);
        let gone = fanlight.runs()[0]["id"].as_str().unwrap().to_owned();
        run(&["export", "gone#1", "gone.tar.zst"]);
        run(&["delete", "gone#1", "--assets", "--yes"]);
        run(&["daemon", "stop"]);
        awake(&fanlight);
        run(&["run", "crash.yaml", "--sweep", &format!("seed=3..{}", runs + 2), "--detach"]);
        run(&["run", "crash.yaml"]);
        wait_for("all runs to end", || fanlight.runs().iter().all(|run| !run["ended_at"].is_null()));
        run(&["import", "gone.tar.zst"]);
        assert_eq!(fanlight.runs().iter().filter(|run| run["id"] == *gone).count(), 1);
        run(&["daemon", "stop"]);
        kill(&fanlight, Kill::Supervisor);
        running.ends();
        let history = History::of(before, &std::fs::read_to_string(&trace).unwrap());
        same(&history.after, &Disk::read(&root));
        let said = Said::of(&history, &load.effects_file());
        assert!(!said.facts.is_empty() && !said.effects.is_empty(), "nothing was recorded");
        let gone = Gone::of(&gone, &history, &said);
        Self { fanlight, load, history, said, gone }
    }

    /// Returns what a power loss before a line of the recording destroys, if anything.
    pub(super) fn lost(&self, line: usize, survives: Survives, rng: &mut Rng) -> Result<(), String> {
        let disk = loss::at(&self.history, line, survives, rng);
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        disk.write(&disk.root.join("data"), &data);
        self.gone.leftover(line, &data).map_or(Ok(()), Err)?;
        stored::missing(&data, self.known(line))
    }

    /// Returns what must be stored before a line.
    pub(super) fn known(&self, line: usize) -> impl Iterator<Item = &Fact> {
        self.said.before(line).filter(move |it| it.run() != self.gone.run || self.gone.counts(line))
    }

    /// Checks that a power loss before a line of the recording destroys nothing.
    pub(super) fn check(&self, line: usize, survives: Survives, rng: &mut Rng) {
        if let Err(why) = self.lost(line, survives, rng) {
            panic!("the power fails before line {line}, {survives:?} survives: {why}");
        }
    }

    /// Checks that a missing sync would be noticed, each kind for itself.
    pub(super) fn notices_missing_syncs(&mut self) {
        let blobs = self.history.after.root.join("data/blobs");
        let moments = self.said.moments();
        let mut loses = |works: &dyn Fn(&Path) -> bool| {
            self.history.settle(works);
            // A later moment needs more.
            moments.iter().rev().any(|line| self.lost(*line, Survives::Nothing, &mut Rng::new(1)).is_err())
        };
        assert!(loses(&|path| !path.ends_with("data/fanlight.db-wal")), "the log of SQLite");
        assert!(loses(&|path| !path.ends_with("h")), "the name of the folder of data");
        assert!(loses(&|path| !path.ends_with("data")), "the name of the database");
        assert!(loses(&|path| path.parent() != Some(&blobs.join("tmp"))), "the bytes of blobs");
        assert!(loses(&|path| path.parent() != Some(&blobs)), "the names of blobs, new and deleted");
        assert!(loses(&|path| path != blobs), "the names of the folders of blobs");
    }

    pub(super) fn summary(&self) -> String {
        let History { changes, syncs, lines, .. } = &self.history;
        let (changes, syncs, facts) = (changes.len(), syncs.len(), self.said.facts.len());
        format!("{changes} changes, {syncs} syncs and {facts} facts in {lines} calls")
    }
}

/// Waits for the daemon, which a tracer starts.
pub(super) fn awake(fanlight: &Fanlight) {
    wait_for("a daemon", || fanlight.say(&["daemon", "status"]).code == 0);
}

/// Checks that a recording explains what is on the disk. What ended attempts left is being removed until the daemon is
/// killed, and nothing depends on it.
fn same(replayed: &Disk, real: &Disk) {
    let (replayed, real) = (replayed.listed(), real.listed());
    let counts = |path: &&PathBuf| !is_mapped(path) && !path.starts_with("state/attempts");
    let paths: HashSet<&PathBuf> = replayed.keys().chain(real.keys()).filter(counts).collect();
    for path in paths {
        assert!(replayed.get(path) == real.get(path), "the recording does not explain {}", path.display());
    }
}
