//! What is done when a run or a sweep has ended.

use std::collections::HashSet;
use std::fs;

use crate::support::{Fanlight, wait_for};

const QUICK: &str = "params: { seed: { type: int, default: 1 } }
nodes:
  only: { uses: text.template, with: { template: 'seed {{ seed }}', seed: '${{ params.seed }}' } }
";

/// Writes what it is about to a file, and fails until there is a file `ready`.
const TELL: &str = "cd \"$(dirname \"$0\")\" || exit 2
echo \"$FANLIGHT_END_OF $FANLIGHT_NAME $FANLIGHT_STATE $FANLIGHT_END_KEY\" >> told
[ -e ready ]
";

fn configure(fanlight: &Fanlight) {
    fanlight.file("tell.sh", TELL).file("quick.yaml", QUICK);
    let script = fanlight.path("tell.sh");
    fanlight.config(&format!("[[on_end]]\ncommand = [\"sh\", \"{}\"]\n", script.display()));
}

fn told(fanlight: &Fanlight) -> Vec<String> {
    let text = fs::read_to_string(fanlight.path("told")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn an_end_is_told_at_least_once_with_one_key_also_if_the_daemon_is_killed() {
    let fanlight = Fanlight::new();
    configure(&fanlight);
    fanlight.say(&["run", "quick.yaml"]).exits(0);
    wait_for("the first try", || !told(&fanlight).is_empty());
    wait_for("the failure in doctor", || {
        fanlight.say(&["doctor"]).out.contains("the command sh at the end of quick#1 failed")
    });
    fanlight.kill_daemon();
    fanlight.file("ready", "");
    let before = told(&fanlight).len();
    fanlight.say(&["daemon", "start"]).exits(0);
    wait_for("another try", || told(&fanlight).len() > before);
    wait_for("nothing left to do", || fanlight.say(&["doctor"]).code == 0);
    let told = told(&fanlight);
    assert!(told[0].starts_with("run quick#1 completed "), "{told:?}");
    assert_eq!(told.iter().collect::<HashSet<_>>().len(), 1, "one key: {told:?}");
}

#[test]
fn the_end_of_a_sweep_is_told_once_and_those_of_its_runs_are_not() {
    let fanlight = Fanlight::new();
    configure(&fanlight);
    fanlight.file("ready", "");
    fanlight.say(&["run", "quick.yaml", "--sweep", "seed=1..3", "--name", "scan"]).exits(0);
    wait_for("the end of the sweep", || !told(&fanlight).is_empty());
    fanlight.say(&["run", "quick.yaml"]).exits(0);
    wait_for("the end of a single run", || told(&fanlight).len() > 1);
    let told = told(&fanlight);
    assert!(
        told[0].starts_with("sweep scan completed ") && told[1].starts_with("run quick#4 completed "),
        "{told:?}"
    );
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn a_workflow_file_says_what_is_done_at_its_ends() {
    let fanlight = Fanlight::new();
    fs::create_dir(fanlight.path("project")).unwrap();
    let script =
        "#!/bin/sh\necho \"$FANLIGHT_NAME $FANLIGHT_STATE ${PWD##*/} $FANLIGHT_PROJECT $SURPRISE\" >> told\n";
    fanlight
        .file("project/tell.sh", script)
        .file("project/quick.yaml", &format!("on_end: {{ command: [sh, ./tell.sh] }}\n{QUICK}"));
    fanlight.file(
        "project/parent.yaml",
        "nodes: { child: { uses: workflow.run, with: { workflow: quick.yaml } } }\n",
    );
    let told = || {
        let text = fs::read_to_string(fanlight.path("project/told")).unwrap_or_default();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let project = fs::canonicalize(fanlight.path("project")).unwrap().display().to_string();
    // The daemon's other variables are not passed on.
    let mut run = fanlight.command(&["run", "project/quick.yaml", "--sweep", "seed=1..2"]);
    assert!(run.env("SURPRISE", "no").output().unwrap().status.success());
    wait_for("the end of the sweep", || told().len() == 1);
    // A run that a node started does not count.
    fanlight.say(&["run", "project/parent.yaml"]).exits(0);
    fanlight.kill_daemon();
    fanlight.say(&["run", "project/quick.yaml"]).exits(0);
    wait_for("the end of a run", || told().len() == 2);
    assert_eq!(
        told(),
        [format!("quick/1 completed project {project} "), format!("quick#4 completed project {project} "),]
    );
    // Without a program it fails, is tried again, and doctor says so; the run has completed all the same.
    let missing = format!(
        "on_end: [{{ command: [./none], states: completed }}, {{ notify: true, of: sweep }}]\n{QUICK}"
    );
    fanlight.file("project/missing.yaml", &missing);
    fanlight.say(&["run", "project/missing.yaml"]).exits(0);
    wait_for("the failure in doctor", || {
        fanlight.say(&["doctor"]).out.contains("the command ./none at the end of missing#1 failed")
    });
}
