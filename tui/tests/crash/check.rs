//! The invariants after every kill.

use std::collections::{HashMap, HashSet};

use fanlight_shared::event::{Numbered, StateEvent};
use fanlight_shared::run_state::RunState;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value as Json;

use crate::load::{ASSETS, Load, NODES, VALUES};
use crate::process::of_attempts;
use crate::support::{Fanlight, wait_for};

/// The results of earlier rounds.
#[derive(Default)]
pub(crate) struct Ledger {
    acknowledged: Vec<String>,
    /// Ended runs as first seen, by name.
    ended: HashMap<String, Json>,
    /// The supervisor was killed in the last round, so its commands may be lost.
    may_lose: bool,
    /// The power failed, so that a product of an unfinished node may be there that the database does not know.
    may_leave: bool,
    failed: usize,
}

fn name(run: &Json) -> String {
    format!("{}#{}", run["workflow"].as_str().unwrap(), run["number"])
}

impl Ledger {
    pub(crate) fn acknowledged(&mut self, runs: Vec<String>, may_lose: bool) {
        self.acknowledged.extend(runs);
        self.may_lose = may_lose;
    }

    /// Allows files that the database does not know, as after a power loss.
    pub(crate) fn may_leave_files(&mut self) {
        self.may_leave = true;
    }

    pub(crate) fn summary(&self) -> String {
        format!(
            "{} runs acknowledged, {} ended ({} of them failed with their supervisor)",
            self.acknowledged.len(),
            self.ended.len(),
            self.failed
        )
    }

    /// Waits until everything has drained, and checks it.
    pub(crate) fn check(&mut self, fanlight: &Fanlight, load: &Load) {
        let mut runs = Vec::new();
        wait_for("all runs to end", || {
            runs = fanlight.runs();
            runs.iter().all(|run| !run["ended_at"].is_null())
        });
        let names: HashSet<String> = runs.iter().map(name).collect();
        assert_eq!(names.len(), runs.len(), "a number was given twice");
        for run in &self.acknowledged {
            assert!(names.contains(run), "{run} was acknowledged and is gone");
        }
        assert_eq!(of_attempts(fanlight), Vec::<String>::new(), "processes outlive their attempts");
        let effects = load.effects();
        let assets = assets(fanlight);
        self.examine(fanlight, &["doctor"]);
        let rows = Rows::open(fanlight);
        for run in &runs {
            let name = name(run);
            if let Some(before) = self.ended.get(&name) {
                assert_eq!(before, run, "an ended run changed");
                continue;
            }
            let completed = run["state"] == "completed";
            assert!(completed || self.may_lose, "only a killed supervisor loses a command: {run}");
            self.failed += usize::from(!completed);
            let made = assets.get(&name).map_or(0, Vec::len);
            assert!(made == ASSETS || !completed && made < ASSETS, "{name} has {made} assets");
            rows.check(run);
            self.ended.insert(name, run.clone());
        }
        assert!(effects.values().all(|times| *times == 1), "an effect happened twice: {effects:?}");
        let completed = runs.iter().filter(|run| run["state"] == "completed").count();
        assert!(effects.len() >= completed && effects.len() <= runs.len(), "{} effects", effects.len());
    }

    /// Runs `doctor`, which must find nothing wrong.
    pub(crate) fn examine(&self, fanlight: &Fanlight, arguments: &[&str]) {
        let said = fanlight.say(arguments);
        let mut problems = said.out.lines().filter(|line| line.starts_with('✗'));
        if !self.may_leave || !problems.all(|line| line.contains("not known to the database")) {
            said.exits(0);
        }
    }

    /// Reads every stored byte, and looks for garbage.
    pub(crate) fn check_deep(&self, fanlight: &Fanlight) {
        self.examine(fanlight, &["doctor", "--deep"]);
        fanlight.say(&["daemon", "stop"]).exits(0);
        let home = fanlight.path("../h");
        assert!(!home.join("data/fanlight.db-wal").exists(), "an orderly end leaves one file");
        fanlight.say(&["daemon", "start"]).exits(0);
        wait_for("what ended attempts left to go", || {
            let attempts = std::fs::read_dir(home.join("state/attempts")).unwrap().flatten();
            attempts.filter(|it| it.path().join("work").exists()).count() == 0
        });
        let ledger = std::fs::metadata(home.join("state/supervisor/ledger")).unwrap().len();
        assert!(ledger < 1 << 20, "the ledger keeps what is forgotten: {ledger} bytes");
    }
}

/// Returns the assets by run; none exists twice, and each has its recorded size.
fn assets(fanlight: &Fanlight) -> HashMap<String, Vec<Json>> {
    let mut by_run: HashMap<String, Vec<Json>> = HashMap::new();
    let mut seen = HashSet::new();
    for asset in fanlight.say(&["assets", "list", "--json"]).exits(0).json() {
        let place = format!("{} {} {} {}", asset["run"], asset["node"], asset["item"], asset["port"]);
        assert!(seen.insert(place), "an asset is there twice: {asset}");
        by_run.entry(asset["run"].as_str().unwrap().to_owned()).or_default().push(asset);
    }
    by_run
}

/// The rows of the database, read beside the daemon.
struct Rows(Connection);

impl Rows {
    fn open(fanlight: &Fanlight) -> Self {
        let files = walk(&fanlight.path("../h"));
        let database =
            files.iter().find(|it| it.extension().is_some_and(|it| it == "db")).expect("a database");
        Self(Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap())
    }

    /// Checks that a run's events have no gaps, and fold to the state of its row.
    fn check(&self, run: &Json) {
        let (key, done): (i64, u32) = self
            .0
            .query_row("SELECT key, nodes_done FROM run WHERE number = ?1", [run["number"].as_i64()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .unwrap();
        let mut statement =
            self.0.prepare("SELECT seq, body FROM event WHERE run = ?1 ORDER BY seq").unwrap();
        let events = statement.query_map([key], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let events: Vec<(u64, String)> = events.map(Result::unwrap).collect();
        let mut state = RunState::new(NODES);
        for (seq, body) in events {
            assert_eq!(seq, state.seq + 1, "a gap in the events of {run}");
            let list = if body.starts_with('[') { body } else { format!("[{body}]") };
            for event in serde_json::from_str::<Vec<StateEvent>>(&list).unwrap() {
                state.fold(&Numbered { seq: state.seq + 1, event });
            }
        }
        let at = |name: &str| serde_json::from_value::<Option<_>>(run[name].clone()).unwrap();
        assert_eq!(state.status.word(), run["state"], "{run}");
        assert_eq!((state.started_at, state.ended_at), (at("started_at"), at("ended_at")), "{run}");
        assert_eq!(state.nodes_done(), done as usize, "{run}");
        let values: u32 =
            self.0.query_row("SELECT count(*) FROM value WHERE run = ?1", [key], |row| row.get(0)).unwrap();
        let completed = run["state"] == "completed";
        assert!(values == VALUES || values < VALUES && !completed, "{values} values of {run}");
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|it| it.is_dir()) {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}
