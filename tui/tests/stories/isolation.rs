//! Runs that share a folder.

use std::collections::HashSet;

use crate::support::{Fanlight, Said};

/// Six runs race for one file: at least two have written it before one of them ends. More may have to wait for a
/// process.
const RACE: &str = "params: { n: { type: int, default: 1 } }
nodes:
  build:
    dir: .
    with: { n: \"${{ params.n }}\" }
    run: |
      echo \"$n\" > result.txt
      touch \"begun.$n\"
      until [ \"$(ls begun.* | wc -l)\" -ge 2 ]; do sleep 0.05; done
    outputs: { r: { path: result.txt, type: text } }
outputs: { got: \"${{ build.r }}\" }
";

/// Six runs take turns.
const TURNS: &str = "params: { n: { type: int, default: 1 } }
nodes:
  build:
    dir: .
    KEY
    with: { n: \"${{ params.n }}\" }
    run: echo \"$n\" > result.txt; sleep 0.05; cat result.txt
    outputs: { r: { path: result.txt, type: text } }
outputs: { got: \"${{ build.r }}\" }
";

const MAKE: &str = "nodes:
  build:
    dir: .
    run: test -e built || echo bytes > built
    outputs: { bin: { path: built, type: file } }
  test: { with: { bin: \"${{ build.bin }}\" }, run: 'cat \"$bin\"' }
outputs: { said: \"${{ test.stdout }}\" }
";

fn outputs(said: &Said) -> Vec<&str> {
    let mut outputs: Vec<&str> = said.out.lines().filter_map(|line| line.split('\t').nth(2)).collect();
    outputs.sort_unstable();
    outputs
}

#[test]
fn runs_that_race_for_a_file_never_complete_with_the_bytes_of_another() {
    let fanlight = Fanlight::new();
    fanlight.file("race.yaml", RACE);
    let said = fanlight.say(&["run", "race.yaml", "--sweep", "n=1..6"]).exits(1);
    for run in fanlight.runs() {
        let completed = run["state"] == "completed";
        let shown = fanlight.say(&["show", run["id"].as_str().unwrap(), "--json"]).exits(0).json();
        let own = run["params"]["n"].to_string() + "\n";
        assert!(
            !completed || shown[0]["outputs"]["got"] == own.as_str(),
            "{run} has {}",
            shown[0]["outputs"]
        );
    }
    // Any of them may have written last, and that one completes.
    let runs = fanlight.runs();
    let error = runs.iter().find_map(|run| run["error"].as_str()).unwrap_or_default();
    for part in
        ["`result.txt` changed while `build` of race#", "lock: NAME", "concurrency: 1", "without `dir:`"]
    {
        assert!(error.contains(part), "{error}");
    }
    assert!(said.err.contains("result.txt"), "{}", said.err);
}

#[test]
fn a_lock_or_a_limit_makes_runs_take_turns() {
    for (file, text) in [
        ("locked.yaml", TURNS.replace("KEY", "lock: result")),
        ("limited.yaml", format!("concurrency: 1\n{}", TURNS.replace("    KEY\n", ""))),
    ] {
        let fanlight = Fanlight::new();
        fanlight.file(file, &text);
        let said = fanlight.say(&["run", file, "--sweep", "n=1..6"]).exits(0);
        assert_eq!(outputs(&said).into_iter().collect::<HashSet<_>>().len(), 6, "{}", said.out);
    }
}

#[test]
fn an_unchanged_file_is_collected_and_marked_as_unchanged() {
    let fanlight = Fanlight::new();
    fanlight.file("ci.yaml", MAKE);
    for run in ["ci#1", "ci#2"] {
        let said = fanlight.say(&["run", "ci.yaml"]).exits(0);
        assert_eq!(outputs(&said), ["bytes"]);
        let shown = fanlight.say(&["show", run, "--json"]).exits(0).json();
        let unchanged = if run == "ci#1" { serde_json::json!([]) } else { serde_json::json!(["bin"]) };
        assert_eq!(shown[0]["nodes"][0]["unchanged"], unchanged, "{run}");
    }
    let shown = fanlight.say(&["show", "ci#2"]).exits(0);
    assert!(shown.out.contains("(unchanged)"), "{}", shown.out);
}

#[test]
fn changed_files_of_an_attempt_are_known_after_the_daemon_was_killed() {
    let fanlight = Fanlight::new();
    let both = "params: { n: { type: int, default: 1 } }
nodes:
  build:
    dir: .
    on_interrupt: again
    with: { n: \"${{ params.n }}\" }
    run: |
      echo \"$n\" > result.txt
      touch \"begun.$n\"
      until [ -e \"go.$n\" ]; do sleep 0.05; done
    outputs: { r: { path: result.txt, type: text } }
";
    fanlight.file("both.yaml", both);
    fanlight.say(&["run", "both.yaml", "--sweep", "n=1..2", "--detach"]).exits(0);
    crate::support::wait_for("both to write", || {
        fanlight.path("begun.1").exists() && fanlight.path("begun.2").exists()
    });
    fanlight.file("go.1", "");
    fanlight.await_states(&["running", "failed"]);
    // Only the daemon's memory had the change of the second run's file.
    fanlight.kill_daemon();
    fanlight.file("go.2", "");
    fanlight.await_states(&["failed", "failed"]);
    let error = fanlight.runs()[0]["error"].as_str().unwrap_or_default().to_owned();
    assert!(error.contains("`build` of both#1 was running"), "{error}");
}

#[test]
fn a_run_above_the_limit_of_its_workflow_says_so_and_blocks_no_other_run() {
    let fanlight = Fanlight::new();
    let gated = "concurrency: 1
params: { n: { type: int, default: 1 } }
nodes:
  build: { dir: ., run: 'until [ -e go ]; do sleep 0.05; done' }
outputs: { n: \"${{ params.n }}\" }
";
    fanlight.file("gated.yaml", gated).file("other.yaml", "nodes: { a: { run: 'true' } }\n");
    fanlight.say(&["run", "gated.yaml", "--sweep", "n=1..2", "--detach"]).exits(0);
    fanlight.await_states(&["queued", "running"]);
    let listed = fanlight.say(&["ps"]).exits(0);
    assert!(listed.out.contains("queued 1 (limit 1)"), "{}", listed.out);
    assert!(fanlight.say(&["show", "gated#2"]).exits(0).out.contains("(limit 1)"));
    fanlight.say(&["run", "other.yaml"]).exits(0);
    fanlight.await_states(&["completed", "queued", "running"]);
    fanlight.file("go", "");
    fanlight.await_states(&["completed", "completed", "completed"]);
}
