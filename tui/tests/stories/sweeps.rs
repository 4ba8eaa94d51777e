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
fn rows_from_a_file_are_run_and_what_has_a_result_is_skipped() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", TRAIN);
    fanlight.file("rows.csv", "rate\n2\n4\n5\n");
    let dry = fanlight.say(&["run", "train.yaml", "--rows", "rows.csv", "--dry-run"]).exits(0);
    assert_eq!(dry.out.split_whitespace().collect::<Vec<_>>(), ["rate", "2", "4", "5"]);
    dry.complains("3 runs; nothing was started");
    fanlight.file("bad.csv", "rate,rats\nx,1\n2,1\ny,1\n");
    let bad = fanlight.say(&["run", "train.yaml", "--rows", "bad.csv"]).exits(2);
    let bad = bad.complains("line 1: there is no param `rats`; did you mean `rate`?");
    bad.complains("line 2: param `rate`: `x` is not an int").complains("line 4: param `rate`");
    assert_eq!(fanlight.runs().len(), 0);
    fanlight.say(&["run", "train.yaml", "--rows", "rows.csv"]).exits(1);
    // The one that failed has no result.
    let again = ["run", "train.yaml", "--sweep", "rate=1..5", "--missing", "--json", "--dry-run"];
    let rates = |said: Vec<serde_json::Value>| -> Vec<i64> {
        said.iter().map(|params| params["rate"].as_i64().unwrap()).collect()
    };
    let said = fanlight.say(&again).exits(0);
    assert_eq!(rates(said.json()), [1, 3, 5]);
    said.complains("skipped 2 runs, which have a result already");
    fanlight.say(&["run", "train.yaml", "-p", "rate=4", "--missing"]).exits(0).complains("skipped 1 run");
    let twice = ["run", "train.yaml", "-p", "rate=4", "--repeat", "3", "--missing", "--dry-run", "--json"];
    assert_eq!(rates(fanlight.say(&twice).exits(0).json()), [4, 4], "each result stands for one run");
    fanlight.file("train.yaml", &TRAIN.replace("- 3", "- 2"));
    assert_eq!(rates(fanlight.say(&again).exits(0).json()), [1, 2, 3, 4, 5], "the file has changed");
}

#[test]
fn the_runs_of_a_paused_sweep_are_marked() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", FAILING);
    fanlight.say(&["queue", "--max", "1"]).exits(0);
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=3..5", "--fail-fast"]).exits(1);
    assert_eq!(fanlight.say(&["ps"]).exits(0).out.matches("queued (paused)").count(), 2);
    let listed = fanlight.say(&["ps", "--sweep", "last", "--json"]).exits(0).json();
    assert!(listed.iter().all(|run| run["paused"]["kind"] == "failures"), "{listed:?}");
}

#[test]
fn a_sweep_is_extended_with_its_own_version_and_params() {
    let fanlight = Fanlight::new();
    let document = TRAIN.replace(
        "rate: { type: int, default: 1 }",
        "rate: { type: int, default: 1 }, by: { type: int, default: 3 }",
    );
    fanlight.file(
        "train.yaml",
        &document
            .replace("rate - 3", "rate - by")
            .replace("params.rate }}\" }", "params.rate }}\", by: \"${{ params.by }}\" }"),
    );
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=1..2", "-p", "by=2"]).exits(0);
    fanlight.file("train.yaml", TRAIN);
    let extend = |more: &[&str]| fanlight.say(&[&["sweep", "extend", "train"], more].concat());
    extend(&[]).exits(2).complains("no new runs were given");
    let dry = extend(&["--sweep", "rate=2..4", "--missing", "--dry-run", "--json"]).exits(0);
    assert_eq!(dry.json().len(), 2);
    let said = extend(&["--sweep", "rate=2..4", "--missing"]).exits(0);
    assert_eq!(said.out, "train#3\tloss\t1.0\ntrain#4\tloss\t4.0\n");
    said.complains("has changed since; the new runs have the version of `train/1`");
    extend(&["-p", "rate=7", "-p", "by=7", "--detach"]).exits(0);
    fanlight.await_states(&["completed"; 5]);
    let shown = fanlight.say(&["sweep", "show", "train/1"]).exits(0).out;
    for part in ["5 runs: 5 completed", "5 values: 1, 2, 3, 4, 7", "2 values: 2, 7"] {
        assert!(shown.contains(part), "no `{part}` in:\n{shown}");
    }
    fanlight
        .say(&["sweep", "extend", "other", "-p", "rate=1"])
        .exits(1)
        .complains("there is no sweep `other`");
}

/// Reports its rate as a loss. If the rate is large, it stays until a file appears.
const STAYS: &str = "params: { rate: { type: int, default: 1 }, ends: { type: int, default: 0 } }
nodes:
  train:
    with: { rate: \"${{ params.rate }}\", ends: \"${{ params.ends }}\" }
    run: |
      if [ $rate != 9 ]; then
        echo '{\"type\": \"metric\", \"name\": \"loss\", \"value\": '$rate', \"step\": 7}' >> $FANLIGHT_EVENTS
      fi
      [ $rate -gt $ends ] || exit 0
      until [ -e $FANLIGHT_PROJECT/go ]; do sleep 0.05; done
";

#[test]
fn the_worst_runs_of_a_sweep_are_cancelled() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", STAYS);
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=3,1,9,2", "-p", "ends=2", "--detach"]).exits(0);
    let cull = |more: &[&str]| fanlight.say(&[&["sweep", "cull", "train"], more].concat());
    cull(&[]).exits(2).complains("--by");
    cull(&["--where", "loss > 2", "--yes"]).exits(2).complains("the names here are `params.NAME`");
    let best = ["--keep", "2", "--by", "loss"];
    let listed = || cull(&[&best[..], &["--minimize", "--dry-run"]].concat());
    wait_for("the metrics of three runs", || {
        let said = listed();
        said.out.contains("train#1") && said.err.contains("1 run has no value yet")
    });
    let said = listed().exits(0);
    assert_eq!(said.out.lines().count(), 2, "{}", said.out);
    let row: Vec<&str> = said.out.lines().nth(1).unwrap().split_whitespace().collect();
    assert_eq!(row[..4], ["train#1", "running", "3", "7"]);
    cull(&best).exits(2).complains("`--minimize` or `--maximize`");
    cull(&["--keep", "2", "--by", "los", "--minimize"]).exits(1).complains("did you mean `loss`?");
    cull(&[&best[..], &["--minimize"]].concat()).exits(2).complains("Nobody is there to answer");
    let both = |condition: &str| cull(&[&best[..], &["--minimize", "--yes", "--where", condition]].concat());
    both("params.rate > 3").exits(0).complains("no run is cancelled");
    both("params.rate > 2 and metrics.loss == 3").exits(0);
    fanlight.file("go", "");
    fanlight.await_states(&["completed", "completed", "completed", "cancelled"]);
    cull(&[&best[..], &["--minimize", "--yes"]].concat()).exits(0).complains("no run is cancelled");
}

#[test]
fn a_sweep_is_resumed_and_deleted_as_a_whole() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", FAILING);
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=1..4", "--name", "one"]).exits(1);
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=3..4", "--name", "two"]).exits(1);
    let resumed = fanlight.say(&["resume", "--sweep", "one"]).exits(0).out;
    assert_eq!(resumed.lines().count(), 2, "{resumed}");
    fanlight.say(&["resume", "--sweep", "one"]).exits(0).complains("there is nothing to resume");
    fanlight.say(&["sweep", "rm", "one"]).exits(2).complains("Delete the 4 runs of `one` (assets stay)");
    let said = fanlight.say(&["sweep", "rm", "one", "--yes"]).exits(0).out;
    assert_eq!(said, "one\tdeleted 4 runs\n");
    fanlight.say(&["sweep", "show", "one"]).exits(1).complains("there is no sweep `one`");
    fanlight.say(&["sweep", "show", "two"]).exits(0);
    fanlight.file("stays.yaml", STAYS);
    fanlight.say(&["run", "stays.yaml", "--name", "three", "--detach"]).exits(0);
    fanlight.say(&["sweep", "rm", "three", "--yes"]).exits(1).complains("1 run of `three` has not ended");
}

#[test]
fn waiting_runs_are_moved_and_stay_there_when_the_daemon_dies() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", STAYS);
    fanlight.say(&["queue", "--max", "1"]).exits(0);
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=1..4", "--detach"]).exits(0);
    fanlight.say(&["run", "train.yaml", "--detach"]).exits(0);
    let order = || waiting(&fanlight);
    assert_eq!(order(), [2, 5, 3, 4]);
    fanlight.say(&["queue", "next", "train#4"]).exits(0);
    fanlight.say(&["queue", "later", "train#2", "train#1"]).exits(0);
    fanlight.say(&["queue", "later", "train#1"]).exits(1).complains("1 run does not wait");
    assert_eq!(order(), [4, 5, 3, 2]);
    fanlight.kill_daemon();
    assert_eq!(order(), [4, 3, 5, 2], "a new daemon begins to count the rounds");
    fanlight.say(&["run", "train.yaml", "--detach"]).exits(0);
    assert_eq!(order(), [4, 3, 5, 6, 2]);
    fanlight.say(&["queue", "next", "--sweep", "train/1"]).exits(0);
    assert_eq!(order(), [2, 3, 4, 5, 6]);
    fanlight.file("go", "");
    fanlight.await_states(&["completed"; 6]);
}

#[test]
fn runs_of_a_higher_priority_start_first_also_after_the_daemon_died() {
    let fanlight = Fanlight::new();
    fanlight.file("train.yaml", STAYS);
    fanlight.say(&["queue", "--max", "1"]).exits(0);
    fanlight.say(&["run", "train.yaml", "--detach"]).exits(0);
    fanlight.say(&["run", "train.yaml", "--sweep", "rate=1..3", "--priority", "-5", "--detach"]).exits(0);
    fanlight.say(&["run", "train.yaml", "--detach"]).exits(0);
    fanlight.say(&["run", "train.yaml", "--priority", "7", "--detach"]).exits(0);
    let order = || waiting(&fanlight);
    assert_eq!(order(), [6, 5, 2, 3, 4]);
    let listed = fanlight.say(&["ps"]).exits(0).out;
    assert!(
        listed.contains("queued 1 (priority 7)") && listed.contains("queued 3 (priority -5)"),
        "{listed}"
    );
    let why = fanlight.say(&["why", "train#6"]).exits(0).out;
    assert!(why.contains("waits for a slot: 1 at once; its priority is 7"), "{why}");
    let moved = fanlight.say(&["queue", "priority", "7", "train#3", "train#1"]).exits(0).out;
    assert_eq!(moved, "train#3\tpriority 7\ntrain#1\tdoes not wait\n");
    assert_eq!(order(), [6, 3, 5, 2, 4]);
    // Further runs of a sweep take the priority of its newest run.
    fanlight.say(&["sweep", "extend", "train/1", "--sweep", "rate=4", "--detach"]).exits(0);
    assert_eq!(order(), [6, 3, 5, 2, 4, 7]);
    fanlight.kill_daemon();
    assert_eq!(order(), [6, 3, 5, 2, 4, 7]);
    fanlight.say(&["queue", "priority", "0", "--sweep", "train/1"]).exits(0);
    assert_eq!(order(), [6, 5, 2, 3, 4, 7]);
    let refused = "is not in -100..=100";
    fanlight.say(&["run", "train.yaml", "--priority", "101"]).exits(2).complains(refused);
    fanlight.file("go", "");
    fanlight.await_states(&["completed"; 7]);
}

#[test]
fn a_sweep_with_a_file_is_extended_with_the_same_content() {
    let fanlight = Fanlight::new();
    let nodes = "nodes: { read: { run: 'cat \"$words\"', with: { words: '${{ params.words }}' } } }\noutputs: { said: '${{ read.stdout }}' }\n";
    let params = "params: { words: { type: file, default: words.txt }, n: { type: int, default: 1 } }\n";
    fanlight
        .file("read.yaml", &format!("{params}{nodes}"))
        .file("words.txt", "first")
        .file("other.txt", "second");
    fanlight.say(&["run", "read.yaml", "--sweep", "n=1..2", "--name", "default"]).exits(0);
    fanlight
        .say(&["run", "read.yaml", "-p", "words=other.txt", "--sweep", "n=1..2", "--name", "given"])
        .exits(0);
    let extend = |sweep: &str| fanlight.say(&["sweep", "extend", sweep, "--sweep", "n=3"]);
    assert_eq!(extend("default").exits(0).out, "read#5\tsaid\tfirst\n");
    assert_eq!(extend("given").exits(0).out, "read#6\tsaid\tsecond\n");
    let labels: Vec<_> =
        fanlight.runs().iter().map(|run| run["label"].as_str().unwrap().to_owned()).collect();
    assert!(!labels.iter().any(|label| label.contains("words.txt")), "a default is not named: {labels:?}");
    // The daemon has the content, whatever the files hold now.
    fanlight.file("words.txt", "changed").file("other.txt", "changed");
    let extend = |sweep: &str| fanlight.say(&["sweep", "extend", sweep, "--sweep", "n=4"]);
    assert_eq!(extend("default").exits(0).out, "read#7\tsaid\tfirst\n");
    assert_eq!(extend("given").exits(0).out, "read#8\tsaid\tsecond\n");
    let other =
        fanlight.say(&["sweep", "extend", "given", "--sweep", "n=5", "-p", "words=other.txt"]).exits(0);
    assert_eq!(other.out, "read#9\tsaid\tchanged\n");
}

/// Returns the numbers of the waiting runs in their order.
fn waiting(fanlight: &Fanlight) -> Vec<i64> {
    let listed = fanlight.say(&["ps", "--json"]).exits(0).json();
    let mut waiting: Vec<(u64, i64)> = Vec::new();
    for run in listed.iter().filter(|run| run["state"] == "queued") {
        waiting.push((run["position"].as_u64().unwrap(), run["number"].as_i64().unwrap()));
    }
    waiting.sort_unstable();
    waiting.into_iter().map(|(_, number)| number).collect()
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
