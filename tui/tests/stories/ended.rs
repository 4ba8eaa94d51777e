//! Reports about ended runs: dropped items, errors, and resumes.

use crate::support::{Fanlight, wait_for};

/// Odd items fail and are dropped.
const DROPS: &str = "nodes:
  numbers: { uses: list.range, with: { from: 1, to: 5 } }
  even:
    each: \"${{ numbers.items }}\"
    on_item_error: drop
    with: { n: \"${{ item }}\" }
    run: 'test $((n % 2)) = 0 || { echo \"$n is odd\" >&2; exit 3; }; echo $n'
outputs: { even: \"${{ even.stdout }}\" }
";

#[test]
fn dropped_items_are_listed_with_their_reasons() {
    let fanlight = Fanlight::new();
    fanlight.file("drops.yaml", DROPS);
    fanlight.say(&["run", "drops.yaml"]).exits(0).complains("even dropped 3 of 5 items");
    let shown = fanlight.say(&["show", "last"]).exits(0).out;
    for part in ["even: 3 of 5 items dropped", "[0]  exit code 3 (1 is odd)", "[4]  exit code 3 (5 is odd)"] {
        assert!(shown.contains(part), "no `{part}` in:\n{shown}");
    }
    assert!(shown.contains("output even[0]  2\n") && shown.contains("output even[1]  4\n"), "{shown}");
    let json = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
    let even = json["nodes"].as_array().unwrap().iter().find(|node| node["name"] == "even").unwrap();
    assert_eq!(
        (&even["items"], &even["items_failed"], &even["items_dropped"]),
        (&5.into(), &3.into(), &3.into())
    );
    let errors = even["item_errors"].as_array().unwrap();
    assert_eq!(errors.iter().map(|it| it["item"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 2, 4]);
    assert_eq!((&errors[1]["exit_code"], &errors[1]["last_line"]), (&3.into(), &"3 is odd".into()));
}

#[test]
fn a_failed_run_shows_the_last_lines_of_its_command_and_how_to_read_the_others() {
    let fanlight = Fanlight::new();
    let failing = "nodes:
  allowed: { run: 'echo harmless >&2; exit 1', allow_failure: true }
  train: { run: 'for i in $(seq 30); do echo line $i >&2; done; echo out; exit 3' }
";
    fanlight.file("failing.yaml", failing);
    let said = fanlight.say(&["run", "failing.yaml"]).exits(1);
    for part in
        ["failing#1 train wrote:", "  line 21\n", "  line 30\n", "`fanlight logs 'failing#1' 'train'`"]
    {
        assert!(said.err.contains(part), "no `{part}` in:\n{}", said.err);
    }
    assert!(!said.err.contains("line 20\n") && !said.err.contains("harmless"), "{}", said.err);
}

/// A step that counts how often it ran, and one with a slip in it.
const SLIP: &str = "params: { v: { type: int, default: 0 } }
nodes:
  slow: { dir: ., run: 'echo once >> slow.txt; echo data' }
  step:
    with: { v: \"${{ params.v }}\", d: \"${{ slow.stdout }}\" }
    run: '[ \"$v\" -lt 3 ] || exti 7; echo ok $v $d'
outputs: { said: \"${{ step.stdout }}\" }
";

#[test]
fn a_repaired_file_is_used_by_resume_and_what_it_does_not_touch_is_kept() {
    let fanlight = Fanlight::new();
    fanlight.file("slip.yaml", SLIP);
    fanlight.say(&["run", "slip.yaml", "--sweep", "v=2..4"]).exits(1);
    fanlight.file("slip.yaml", &SLIP.replace("exti 7", "exit 0"));
    let hint = "hint: ";
    fanlight.say(&["resume", "slip#2"]).exits(0).complains(hint).complains("--new-version 'slip#2'");
    fanlight.await_states(&["failed", "failed", "failed", "completed"]);
    let said = fanlight.say(&["resume", "--failed", "--workflow", "slip", "--new-version"]).exits(0);
    // Of runs 2, 3 and 4, the second was already resumed as run 4.
    assert_eq!(said.out, "slip#5\nslip#6\n");
    let plan = said.err.find("slip#3: keeps slow; runs step again").unwrap();
    assert!(plan < said.err.find("slip#5 continues where slip#3 ended").unwrap(), "{}", said.err);
    fanlight.await_states(&["completed", "completed"]);
    assert_eq!(std::fs::read_to_string(fanlight.path("slow.txt")).unwrap(), "once\n".repeat(3));
    fanlight.say(&["resume", "--workflow", "slip"]).exits(0).complains("nothing to resume");
}

#[test]
fn a_queued_run_has_no_log_because_it_is_queued() {
    let fanlight = Fanlight::new();
    fanlight.file("drops.yaml", DROPS);
    fanlight.say(&["queue", "--pause"]).exits(0);
    fanlight.say(&["run", "drops.yaml", "--detach"]).exits(0);
    fanlight.say(&["logs", "last"]).exits(0).complains("drops#1 is queued: nothing of it has run yet");
}

#[test]
fn what_a_cancelled_run_made_is_kept() {
    let fanlight = Fanlight::new();
    let training = "nodes:
  train:
    run: 'echo partial > checkpoint.txt; touch \"$FANLIGHT_PROJECT/saved\"; sleep 600'
    outputs: { checkpoint: { path: checkpoint.txt, type: file } }
outputs: { checkpoint: \"${{ train.checkpoint }}\" }
";
    fanlight.file("training.yaml", training);
    fanlight.say(&["run", "training.yaml", "--detach"]).exits(0);
    wait_for("the checkpoint", || fanlight.path("saved").exists());
    assert_eq!(fanlight.say(&["cancel", "last", "--wait"]).exits(0).out, "training#1\tcancelled\n");
    let run = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
    assert_eq!(run["outputs"]["checkpoint"]["name"], "checkpoint.txt");
    let asset = &fanlight.say(&["assets", "list", "--json"]).exits(0).json()[0];
    fanlight.say(&["assets", "get", asset["id"].as_str().unwrap(), "got.txt"]).exits(0);
    assert_eq!(std::fs::read_to_string(fanlight.path("got.txt")).unwrap(), "partial\n");
}

#[test]
fn a_checkpoint_of_a_failed_attempt_outlives_attempts_that_fail_sooner() {
    let fanlight = Fanlight::new();
    let train = "nodes:
  train:
    allow_failure: true
    retry: { times: 2, backoff: 1ms }
    run: |
      if mkdir \"$FANLIGHT_PROJECT/begun\"; then head -c 100000 /dev/zero > ckpt; fi
      exit 1
    outputs: { ckpt: { path: ckpt, type: file } }
  next:
    if: always()
    with: { ckpt: \"${{ train.ckpt }}\" }
    run: wc -c < \"$ckpt\"
outputs: { bytes: \"${{ next.stdout }}\" }
";
    fanlight.file("train.yaml", train).say(&["run", "train.yaml"]).exits(0);
    let shown = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
    assert_eq!(shown["outputs"]["bytes"].as_str().unwrap().trim(), "100000");
    let assets = fanlight.say(&["assets", "list", "--json"]).exits(0).json();
    let kept: Vec<_> = assets.iter().filter(|asset| asset["name"] == "ckpt").collect();
    assert_eq!(kept.len(), 1, "{assets:?}");
    fanlight.say(&["assets", "get", kept[0]["id"].as_str().unwrap(), "kept"]).exits(0);
    assert_eq!(std::fs::read(fanlight.path("kept")).unwrap(), vec![0; 100_000]);
    fanlight.say(&["doctor", "--deep"]).exits(0);
}
