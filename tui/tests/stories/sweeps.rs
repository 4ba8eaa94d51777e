//! Sweeps as objects.

use crate::support::{Fanlight, wait_for};

/// The loss is the least at 3; the run with 5 fails.
const TRAIN: &str = "params: { rate: { type: int, default: 1 } }
nodes:
  train:
    with: { rate: \"${{ params.rate }}\" }
    run: '[ $rate != 5 ] || exit 1; echo \"{\\\"loss\\\": $(( (rate - 3) * (rate - 3) ))}\"'
    outputs: { loss: { json: loss, type: float } }
outputs: { loss: \"${{ train.loss }}\" }
";

#[test]
fn a_sweep_has_a_name_and_shows_its_best_run() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", TRAIN);
    fanlight.say(&["sweep"]).exits(0).complains("no sweeps yet");
    fanlight.say(&["run", "train.yaml"]).exits(0);
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=1..5"]).exits(1);
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=2,4", "--name", "lr-scan"]).exits(0);
    let listed = fanlight.say(&["sweep"]).exits(0).out;
    let lines: Vec<&str> = listed.lines().collect();
    assert!(lines[1].starts_with("lr-scan") && lines[2].starts_with("train/1"), "{listed}");
    assert!(lines[2].contains("ended") && lines[2].contains("4 completed, 1 failed"), "{listed}");
    let shown = fanlight.say(&["sweep", "show", "train/1"]).exits(0).out;
    for part in ["5 runs: 4 completed, 1 failed", "-p rate", "5 values: 1, 2, 3, 4, 5"] {
        assert!(shown.contains(part), "no `{part}` in:\n{shown}");
    }
    assert!(shown.contains("lowest 0 (train#4), highest 4 (train#2)"), "{shown}");
    let json = fanlight.say(&["sweep", "show", "lr-scan", "--json"]).exits(0).json().remove(0);
    assert_eq!((&json["name"], &json["runs"]["completed"]), (&"lr-scan".into(), &2.into()));
    assert_eq!(json["best"]["loss"]["lowest"]["value"], 1.0);
    let ps = fanlight.say(&["ps", "--all", "--sweep", "train/1", "--json"]).exits(0).json();
    assert_eq!(ps.len(), 5);
    assert!(ps.iter().all(|run| run["sweep"] == "train/1"));
}

#[test]
fn a_bad_or_taken_name_is_refused_before_anything_runs() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", TRAIN);
    fanlight.say(&["run", "train.yaml", "--name", "a/b"]).exits(2).complains("can't be the name of a sweep");
    fanlight.say(&["run", "train.yaml", "--name", "one"]).exits(0);
    fanlight
        .say(&["run", "train.yaml", "--name", "one"])
        .exits(2)
        .complains("there is already a sweep `one`");
    fanlight.say(&["sweep", "show", "two"]).exits(1).complains("there is no sweep `two`");
    fanlight.say(&["ps", "--sweep", "two"]).exits(1);
    assert_eq!(fanlight.runs().len(), 1);
}

/// Fails at rates over 2.
const FAILING: &str = "params: { rate: { type: int, default: 1 } }
nodes:
  train: { with: { rate: \"${{ params.rate }}\" }, run: 'test $rate -le 2' }
";

#[test]
fn a_failure_pauses_the_sweep_and_says_how_to_continue() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", FAILING);
    fanlight.say(&["queue", "--max", "1"]).exits(0);
    let said = fanlight.say(&["run", "train.yaml", "--sweep", "rate=1..6", "--fail-fast"]).exits(1);
    let said = said.complains("the sweep `train/1` is paused: 1 run failed");
    said.complains("`fanlight sweep continue 'train/1'`");
    let counts = |json: &serde_json::Value| (json["runs"]["failed"].clone(), json["runs"]["queued"].clone());
    let show = || fanlight.say(&["sweep", "show", "train/1", "--json"]).exits(0).json().remove(0);
    assert_eq!(counts(&show()), (1.into(), 3.into()));
    assert!(fanlight.say(&["sweep"]).exits(0).out.contains("paused"));
    fanlight.kill_daemon();
    fanlight.say(&["run", "train.yaml"]).exits(0);
    assert_eq!(show()["state"], "paused", "it survives the daemon");
    fanlight.say(&["sweep", "continue", "train/1"]).exits(0);
    wait_for("the next failure", || show()["state"] == "paused" && counts(&show()).0 == 2);
    fanlight.say(&["cancel", "--sweep", "train/1"]).exits(0);
    assert_eq!(show()["state"], "ended");
    fanlight.say(&["sweep", "continue", "train/1"]).exits(1).complains("has ended");
}

#[test]
fn a_budget_without_a_unit_is_refused() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", TRAIN);
    for (budget, why) in [("cost=5", "has no unit"), ("time=2", "has no unit"), ("tokens=0", "more than 0")] {
        fanlight.say(&["run", "train.yaml", "--budget", budget]).exits(2).complains(why);
    }
    let said = fanlight.say(&["run", "train.yaml", "--sweep", "rate=1..4", "--budget", "cost=5usd,time=2h"]);
    said.exits(0);
}
