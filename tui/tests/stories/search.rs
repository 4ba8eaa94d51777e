//! Searches: sweeps whose runs are proposed one after the other.

use crate::support::{Fanlight, wait_for};

/// The loss is smallest at 3 with `b`. A run waits for a file, if it is to.
const FIT: &str = "params:
  x: { type: float, default: 0 }
  kind: { type: choice, choices: [a, b], default: a }
search:
  space: { x: 0..10, kind: [a, b] }
  minimize: loss
  trials: 6
nodes:
  fit:
    dir: .
    with: { x: \"${{ params.x }}\", kind: \"${{ params.kind }}\" }
    run: |
      test ! -e slow || while ! test -e go; do sleep 0.05; done
      awk -v x=\"$x\" -v k=\"$kind\" 'BEGIN { printf \"{\\\"loss\\\": %.6f}\\n\", (x - 3) ^ 2 + (k == \"a\") }'
    outputs: { loss: { json: loss, type: float } }
outputs: { loss: \"${{ fit.loss }}\" }
";

fn show(fanlight: &Fanlight, sweep: &str) -> serde_json::Value {
    fanlight.say(&["sweep", "show", sweep, "--json"]).exits(0).json().remove(0)
}

/// Returns the params of the runs of a sweep, in the order of their numbers.
fn params(fanlight: &Fanlight, sweep: &str) -> Vec<serde_json::Value> {
    let mut runs = fanlight.say(&["ps", "--all", "--sweep", sweep, "--json"]).exits(0).json();
    runs.sort_by_key(|run| run["number"].as_u64());
    runs.into_iter().map(|run| run["params"].clone()).collect()
}

#[test]
fn a_search_finds_the_best_params_and_says_them() {
    let fanlight = Fanlight::new();
    fanlight.file("fit.yaml", FIT);
    let line = ["run", "fit.yaml", "--search", "x=0..8", "--trials", "25", "--seed", "3", "--parallel", "1"];
    let said = fanlight.say(&line).exits(0);
    let said = said.complains("best: fit#").complains("kind=b");
    assert_eq!(said.out.lines().count(), 25, "{}", said.out);
    let found = show(&fanlight, "fit/1");
    assert_eq!((&found["state"], &found["search"]["completed"]), (&"ended".into(), &25.into()));
    assert!(found["found"]["best"][0]["values"]["loss"].as_f64().unwrap() < 0.2, "{found}");
    let text = fanlight.say(&["sweep", "show", "fit/1"]).exits(0).out;
    for part in
        ["minimize loss; sampler tpe, seed 3", "25 of 25 proposed; runs: 25 completed", "best", "kind=b"]
    {
        assert!(text.contains(part), "no `{part}` in:\n{text}");
    }
}

#[test]
fn the_outputs_of_a_search_are_in_the_order_of_its_runs() {
    let fanlight = Fanlight::new();
    fanlight.file("fit.yaml", FIT);
    let said = fanlight.say(&["run", "fit.yaml", "--search", "--trials", "9", "--parallel", "3"]).exits(0);
    let runs: Vec<&str> = said.out.lines().filter_map(|line| line.split('\t').next()).collect();
    let wanted: Vec<String> = (1..=9).map(|number| format!("fit#{number}")).collect();
    assert_eq!(runs, wanted);
}

#[test]
fn a_killed_daemon_changes_no_decision_of_a_search() {
    let (killed, whole) = (Fanlight::new(), Fanlight::new());
    let line = ["run", "fit.yaml", "--search", "--trials", "14", "--parallel", "1", "--detach"];
    for fanlight in [&killed, &whole] {
        fanlight.file("fit.yaml", FIT);
    }
    killed.file("slow", "");
    killed.say(&line).exits(0).complains("the search `fit/1` continues");
    killed.await_states(&["running"]);
    killed.kill_daemon();
    killed.file("go", "");
    wait_for("some trials", || show(&killed, "fit/1")["runs"]["completed"].as_u64() >= Some(5));
    killed.kill_daemon();
    wait_for("the end", || show(&killed, "fit/1")["state"] == "ended");
    whole.say(&line[..line.len() - 1]).exits(0);
    assert_eq!(params(&killed, "fit/1"), params(&whole, "fit/1"));
    assert_eq!(show(&killed, "fit/1")["found"]["best"][0], show(&whole, "fit/1")["found"]["best"][0]);
}

#[test]
fn what_no_search_can_do_is_refused_before_anything_runs() {
    let fanlight = Fanlight::new();
    fanlight.file("fit.yaml", FIT);
    let other = FIT.lines().filter(|line| !line.starts_with("search:") && !line.starts_with("  space"));
    let other = other.filter(|line| !line.starts_with("  minimize") && !line.starts_with("  trials"));
    fanlight.file("plain.yaml", &other.map(|line| format!("{line}\n")).collect::<String>());
    for (line, why) in [
        (&["plain.yaml", "--search"][..], "the file has no `search:`"),
        (&["plain.yaml", "--search", "x=0..1", "--trials", "3"], "the search has no objective"),
        (&["plain.yaml", "--search", "x=0..1", "--minimize", "loss"], "the search has no number of trials"),
        (&["fit.yaml", "--search", "x=5..1"], "`5..1` is empty"),
        (&["fit.yaml", "--search", "y=1..5"], "no param `y`"),
        (&["fit.yaml", "--search", "x=log:0..1"], "begins above 0"),
        (&["fit.yaml", "--search", "-p", "x=1", "-p", "kind=a"], "no params to choose"),
        (&["fit.yaml", "--search", "--sampler", "cmaes"], "there is no sampler `cmaes`"),
        (&["fit.yaml", "--search", "--sweep", "x=1..3"], "--sweep"),
        (&["fit.yaml", "--trials", "3"], "--search"),
    ] {
        fanlight.say(&[&["run"], line].concat()).exits(2).complains(why);
    }
    assert_eq!(fanlight.runs().len(), 0);
}

#[test]
fn a_search_for_an_unknown_metric_stops_after_its_first_run() {
    let fanlight = Fanlight::new();
    fanlight.file("fit.yaml", FIT);
    let line = ["run", "fit.yaml", "--search", "--minimize", "los", "--parallel", "1"];
    let said = fanlight.say(&line).exits(1);
    said.complains("its runs complete without a value")
        .complains("fit#1 has no output `los`, and no metrics");
    assert_eq!((fanlight.runs().len(), &show(&fanlight, "fit/1")["state"]), (1, &"paused".into()));
    let said = fanlight.say(&["cancel", "--sweep", "fit/1"]).exits(0);
    said.complains("ended the search after 1 of ");
    assert_eq!(show(&fanlight, "fit/1")["state"], "ended");
}

/// Reports a loss that falls to `x`, and then waits for a while.
const CURVE: &str = "params: { x: { type: float, default: 0 } }
search: { space: { x: 0..1 }, minimize: loss, trials: 9, pruner: asha, sampler: random, seed: 5 }
nodes:
  train:
    with: { x: \"${{ params.x }}\" }
    shell: python
    run: |
      import json, os, time
      for step in range(1, 33):
          with open(os.environ['FANLIGHT_EVENTS'], 'a') as events:
              value = float(os.environ['x']) + 1 / step
              events.write(json.dumps({'type': 'metric', 'name': 'loss', 'value': value, 'step': step}) + '\\n')
          time.sleep(0.4 if step in (1, 4, 16) else 0)
";

#[test]
fn a_pruned_run_is_cancelled_with_its_reason_and_does_not_affect_the_exit_code() {
    let fanlight = Fanlight::new();
    fanlight.file("curve.yaml", CURVE);
    fanlight.say(&["run", "curve.yaml", "--search", "--parallel", "1"]).exits(0).complains("best: curve#");
    let found = show(&fanlight, "curve/1");
    let pruned = found["search"]["pruned"].as_u64().unwrap();
    assert!(pruned > 0 && found["search"]["completed"].as_u64().unwrap() + pruned == 9, "{found}");
    let runs = fanlight.say(&["ps", "--all", "--json"]).exits(0).json();
    let cancelled: Vec<&str> = runs
        .iter()
        .filter(|run| run["state"] == "cancelled")
        .filter_map(|run| run["error"].as_str())
        .collect();
    assert_eq!(cancelled.len() as u64, pruned);
    assert!(cancelled.iter().all(|why| why.starts_with("pruned at step")), "{cancelled:?}");
}

#[test]
fn a_search_whose_values_are_no_numbers_or_whose_pruner_had_nothing_to_do_says_so() {
    let fanlight = Fanlight::new();
    let nan = FIT.replace("%.6f}", "NaN}").replace(", (x - 3) ^ 2 + (k == \"a\")", "");
    assert!(nan.contains("NaN}\\n\" }'"), "{nan}");
    fanlight.file("none.yaml", &nan);
    fanlight
        .say(&["run", "none.yaml", "--search", "--trials", "2"])
        .exits(1)
        .complains("the search found nothing: in every run that completed, `loss` is NaN");
    fanlight.file("fit.yaml", FIT);
    let idle = "no run reported the metric `loss` at step 4 or later, so the pruner decided nothing";
    fanlight
        .say(&["run", "fit.yaml", "--search", "--trials", "2", "--pruner", "asha:4"])
        .exits(0)
        .complains(idle);
    assert!(fanlight.say(&["sweep", "show", "fit/1"]).exits(0).out.contains("so the pruner decided nothing"));
}
