//! Sweeps as objects.

use crate::support::Fanlight;

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
