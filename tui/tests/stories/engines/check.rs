//! `fanlight engine`: the steps of an engine, and what is said of those that fail.

use std::fs;

use super::Cluster;
use crate::support::wait_for;

impl Cluster {
    /// Checks the engine and returns the result of each step, and all that was said.
    fn check(&self, arguments: &[&str]) -> (Vec<(String, String)>, Vec<serde_json::Value>) {
        let said = self.fanlight.say(&[&["engine", "check", "cluster", "--json"], arguments].concat());
        let steps = said.json();
        let word = |step: &serde_json::Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
        (steps.iter().map(|step| (word(step, "step"), word(step, "result"))).collect(), steps)
    }

    /// Asserts that nothing of a check is left, here, on the cluster and in its queue.
    fn has_nothing_left(&self) {
        let entries = |name: &str| fs::read_dir(self.fanlight.path(name)).into_iter().flatten().count();
        assert_eq!((entries("../cluster"), entries("../h/state/attempts")), (0, 0));
        let jobs = std::process::Command::new(self.file("squeue")).output().unwrap().stdout;
        let jobs = String::from_utf8(jobs).unwrap();
        assert!(!jobs.contains("RUNNING") && !jobs.contains("PENDING"), "{jobs}");
    }
}

/// Returns the results of the steps from the first on; the others were skipped.
fn steps(results: &[&str]) -> Vec<(String, String)> {
    let names = [
        "login",
        "programs",
        "controller",
        "workdir",
        "options",
        "submit",
        "start",
        "output",
        "cancel",
        "gpu",
    ];
    let results = results.iter().copied().chain(std::iter::repeat("skipped"));
    names.iter().zip(results).map(|(name, result)| ((*name).to_owned(), result.to_owned())).collect()
}

#[test]
fn a_check_tries_every_step_and_leaves_nothing_behind() {
    let cluster = Cluster::new();
    let listed = cluster.fanlight.say(&["engine", "list"]).exits(0).out;
    assert!(listed.contains("cluster") && listed.contains("0 of 100"), "{listed}");
    let said = cluster.fanlight.say(&["engine", "check", "cluster", "--gpu"]).exits(0).out;
    for text in ["✓ programs", "ran on n1", "✓ output", "was ended while it ran", "was given the GPU 0"] {
        assert!(said.contains(text), "`{text}` in {said}");
    }
    cluster.has_nothing_left();
    assert_eq!(cluster.check(&[]).0, steps(&["ok"; 9]));
    cluster.has_nothing_left();
    let unknown = cluster.fanlight.say(&["engine", "check", "clutser"]).exits(1);
    let unknown = unknown.complains("did you mean `cluster`?");
    assert!(!unknown.err.contains("may take"), "{}", unknown.err);
    cluster.fanlight.say(&["engine", "check", "local"]).exits(1).complains("is the machine of the daemon");
}

#[test]
fn a_check_says_what_is_missing_and_what_to_do() {
    let cluster = Cluster::new();
    let config = fs::read_to_string(cluster.fanlight.path("../h/config/config.toml")).unwrap();
    let with = |line: &str| {
        cluster.fanlight.config(&format!("{config}{line}\n"));
        cluster.fanlight.say(&["daemon", "stop"]).exits(0);
    };
    let failed = |(results, said): (Vec<_>, Vec<serde_json::Value>), works: usize, text: &str, hint: &str| {
        assert_eq!(
            results[..=works],
            steps(&[vec!["ok"; works], vec!["failed"]].concat())[..=works],
            "{said:?}"
        );
        let word = |key: &str| said[works][key].as_str().unwrap_or_default().to_owned();
        assert!(word("message").contains(text) && word("hint").contains(hint), "{said:?}");
        cluster.has_nothing_left();
    };
    cluster.turns("down", "");
    let down = cluster.check(&[]);
    cluster.recovers("down");
    failed(down, 2, "Unable to contact slurm controller", "scontrol ping");
    with("partition = \"nowhere\"");
    failed(cluster.check(&[]), 4, "invalid partition specified: nowhere", "`sinfo -o %P` lists");
    with("prelude = \"false\"");
    failed(cluster.check(&[]), 7, "prelude failed", "correct `prelude`");
    with("prelude = \"exit 0\"");
    failed(cluster.check(&[]), 7, "ended the shell", "correct `prelude`");
    with("");
    cluster.turns("busy", "");
    failed(cluster.check(&["--timeout", "20s"]), 5, "waits until `cluster` takes more jobs", "");
    cluster.recovers("busy");
    cluster.turns("hold", "Priority");
    failed(cluster.check(&["--timeout", "20s"]), 6, "waits (Priority)", "longer `--timeout`");
    fs::remove_dir_all(cluster.fanlight.path("../cluster")).unwrap();
    fs::write(cluster.fanlight.path("../cluster"), "a file").unwrap();
    let (results, said) = cluster.check(&[]);
    assert_eq!(results[3].1, "failed", "{said:?}");
    assert!(said[3]["message"].as_str().unwrap().contains("cluster"), "{said:?}");
}

#[test]
fn a_check_that_its_daemon_did_not_survive_is_tidied_up_by_the_next_one() {
    let cluster = Cluster::new();
    cluster.turns("hold", "Resources");
    let check = cluster.fanlight.start(&["engine", "check", "cluster"]);
    wait_for("two jobs", || cluster.file("jobs/2/comment").exists());
    cluster.fanlight.kill_daemon();
    check.ends();
    cluster.fanlight.say(&["ps"]).exits(0);
    let left = || fs::read_dir(cluster.fanlight.path("../h/state/attempts")).unwrap().count();
    wait_for("its files to be removed", || left() == 0);
    cluster.has_nothing_left();
}
