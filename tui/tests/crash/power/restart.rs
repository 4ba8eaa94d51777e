//! The next daemon after a power loss.

use std::path::Path;

use fanlight_shared::id::RunId;
use fanlight_shared::rng::Rng;

use super::loss::{self, Survives};
use super::recorded::{Recorded, awake};
use super::said::Fact;
use super::strace;
use crate::check::Ledger;
use crate::process::{Kill, kill};
use crate::support::wait_for;

impl Recorded {
    /// Lets the power fail before a line of the recording, starts a daemon, waits until it has continued, and checks it.
    pub(super) fn restart(&mut self, line: usize, survives: Survives, rng: &mut Rng) {
        self.cut(line, survives, rng);
        let fanlight = &self.fanlight;
        let running = strace::after_a_reboot(fanlight);
        awake(fanlight);
        wait_for("all runs to end", || fanlight.runs().iter().all(|run| !run["ended_at"].is_null()));
        // An import may have given it another number.
        if let Some(run) = fanlight.runs().iter().find(|run| run["workflow"] == "gone") {
            let name = format!("gone#{}", run["number"]);
            fanlight.say(&["delete", &name, "--assets", "--yes"]).exits(0);
        }
        let mut ledger = Ledger::default();
        let known = self.known(line).filter(|it| it.run() != self.gone.run);
        let rows = known.filter_map(|it| match it {
            Fact::Row { name, ended, .. } => Some((name, ended)),
            Fact::Event { .. } => None,
        });
        let (names, ended): (Vec<_>, Vec<_>) = rows.map(|(name, ended)| (name.clone(), ended)).unzip();
        ledger.acknowledged(names.clone(), true);
        ledger.may_leave_files();
        ledger.check(fanlight, &self.load);
        let runs = fanlight.runs();
        for (name, state) in names.iter().zip(ended) {
            let run = runs.iter().find(|run| format!("crash#{}", run["number"]) == *name).unwrap();
            assert!(state.as_ref().is_none_or(|state| run["state"] == **state), "it was {state:?}: {run}");
        }
        ledger.examine(fanlight, &["doctor", "--deep"]);
        fanlight.say(&["daemon", "stop"]).exits(0);
        kill(fanlight, Kill::Supervisor);
        running.ends();
    }

    /// Makes the home what a power loss leaves, and the effects of commands what they are by then.
    fn cut(&self, line: usize, survives: Survives, rng: &mut Rng) {
        let disk = loss::at(&self.history, line, survives, rng);
        std::fs::remove_dir_all(&disk.root).unwrap();
        disk.write(&disk.root, &disk.root);
        let _ = std::fs::remove_file(disk.root.join("data/fanlight.db-shm"));
        let working = disk.root.join("state/working");
        if working.exists() {
            self.work_on_any_run(&working, rng);
        }
        let effects = self.said.effects.iter().filter(|(at, _)| *at < line);
        let effects: String = effects.map(|(_, key)| format!("{key}\n")).collect();
        std::fs::write(self.load.effects_file(), effects).unwrap();
    }

    /// The engine notes in memory which run it works on; any of them, or none, or half of one may be on the disk.
    fn work_on_any_run(&self, working: &Path, rng: &mut Rng) {
        let (_, fact) = &self.said.facts[rng.below(self.said.facts.len())];
        let mut id = *fact.run().parse::<RunId>().unwrap().as_bytes();
        match rng.below(3) {
            0 => id.fill(0),
            1 => id[8..].fill(0),
            _ => {}
        }
        std::fs::write(working, id).unwrap();
    }
}
