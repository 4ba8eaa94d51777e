//! Attempts that have copies and work trees of their own.

#[path = "separate/changes.rs"]
mod changes;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::support::{Fanlight, wait_for};

/// Eight builds that write the same files at the same time.
const BUILDS: &str = r#"params: { n: { type: int, default: 1 } }
nodes:
  build:
    dir: { DIR }
    with: { n: "${{ params.n }}" }
    run: |
      mkdir build
      echo "$n" > build/object
      touch "$FANLIGHT_PROJECT/begun.$n"
      until [ "$(ls "$FANLIGHT_PROJECT"/begun.* | wc -l)" -ge 2 ]; do sleep 0.05; done
      cat main.txt build/object > program
    outputs:
      program: { path: program, type: text }
      made: { glob: "**/*", type: file }
outputs: { got: "${{ build.program }}", made: "${{ build.made }}" }
"#;

fn git(fanlight: &Fanlight, arguments: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
    let output = command.current_dir(fanlight.path("")).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn commit(fanlight: &Fanlight) {
    git(fanlight, &["init", "-q"]);
    git(fanlight, &["add", "."]);
    git(fanlight, &["commit", "-qm", "begin"]);
}

/// Waits until no attempt has a folder of its own, and the repository knows only the user's work tree.
fn await_clean(fanlight: &Fanlight) {
    wait_for("the folders to be removed", || {
        let attempts = fs::read_dir(fanlight.path("../h/state/attempts")).into_iter().flatten().flatten();
        let separate: Vec<PathBuf> =
            attempts.map(|it| it.path().join("dir")).filter(|it| it.exists()).collect();
        separate.is_empty() && git(fanlight, &["worktree", "list"]).lines().count() == 1
    });
}

#[test]
fn builds_of_a_sweep_that_would_collide_each_have_their_own_folder() {
    for dir in ["copy: ., exclude: [begun.*, ignored]", "worktree: HEAD"] {
        let fanlight = Fanlight::new();
        fanlight.file("main.txt", "main\n").file("build.yaml", &BUILDS.replace("DIR", dir));
        fs::create_dir(fanlight.path("ignored")).unwrap();
        fanlight.file("ignored/large", "x");
        commit(&fanlight);
        let said = fanlight.say(&["run", "build.yaml", "--sweep", "n=1..8", "--json"]).exits(0);
        let mut got: Vec<String> = Vec::new();
        for run in fanlight.runs() {
            let shown = fanlight.say(&["show", run["id"].as_str().unwrap(), "--json"]).exits(0).json();
            let outputs = &shown[0]["outputs"];
            assert_eq!(outputs["made"].as_array().map(Vec::len), Some(2), "{outputs} {}", said.out);
            got.push(outputs["got"].as_str().unwrap().replace('\n', " "));
        }
        got.sort();
        assert_eq!(got, (1..=8).map(|n| format!("main {n} ")).collect::<Vec<_>>(), "{dir}");
        assert!(!fanlight.path("build").exists() && !fanlight.path("program").exists());
        await_clean(&fanlight);
    }
}

#[test]
fn a_param_names_the_revision_and_a_bad_one_gets_a_sentence() {
    let fanlight = Fanlight::new();
    fanlight.file("main.txt", "old\n").file(
        "at.yaml",
        "params: { at: { type: text, default: HEAD } }
nodes: { show: { dir: { worktree: '${{ params.at }}' }, run: cat main.txt } }
outputs: { text: '${{ show.stdout }}' }
",
    );
    let outside = fanlight.say(&["run", "at.yaml"]).exits(1);
    assert!(outside.err.contains("is in no git repository"), "{}", outside.err);
    commit(&fanlight);
    git(&fanlight, &["tag", "v1"]);
    fanlight.file("main.txt", "new\n");
    git(&fanlight, &["commit", "-qam", "change"]);
    let said = fanlight.say(&["run", "at.yaml", "-p", "at=v1"]).exits(0);
    assert!(said.out.contains("old"), "{}", said.out);
    let unknown = fanlight.say(&["run", "at.yaml", "-p", "at=v2"]).exits(1);
    assert!(unknown.err.contains("has no revision `v2`"), "{}", unknown.err);
    let option = fanlight.say(&["run", "at.yaml", "-p", "at=--force"]).exits(1);
    assert!(option.err.contains("`--force` begins with `-`"), "{}", option.err);
}

#[test]
fn each_retry_has_a_fresh_copy() {
    let fanlight = Fanlight::new();
    fanlight.file(
        "again.yaml",
        "nodes:
  a:
    dir: { copy: . }
    retry: { times: 1, backoff: 1ms }
    run: |
      test ! -e left || exit 9
      touch left
      mkdir \"$FANLIGHT_PROJECT/tried\" || { ls; exit 0; }
      exit 1
outputs: { files: '${{ a.stdout }}' }
",
    );
    fanlight.say(&["run", "again.yaml"]).exits(0);
    let shown = fanlight.say(&["show", "again", "--json"]).exits(0).json();
    assert_eq!(shown[0]["outputs"]["files"], "again.yaml\nleft\ntried");
}

#[test]
fn a_command_keeps_its_folder_when_the_daemon_dies_and_the_next_one_cleans_up() {
    for dir in ["copy: .", "worktree: HEAD"] {
        let fanlight = Fanlight::new();
        let text = r#"nodes:
  a:
    dir: { DIR }
    run: |
      echo kept > state
      touch "$FANLIGHT_PROJECT/begun"
      until [ -e "$FANLIGHT_PROJECT/go" ]; do sleep 0.05; done
      cat state
    outputs: { state: { path: state, type: text } }
outputs: { state: "${{ a.state }}" }
"#;
        fanlight.file("long.yaml", &text.replace("DIR", dir));
        commit(&fanlight);
        fanlight.say(&["run", "long.yaml", "--detach"]).exits(0);
        wait_for("the command to begin", || fanlight.path("begun").exists());
        fanlight.kill_daemon();
        fanlight.file("go", "");
        fanlight.await_states(&["completed"]);
        let shown = fanlight.say(&["show", "long", "--json"]).exits(0).json();
        assert_eq!(shown[0]["outputs"]["state"], "kept\n");
        await_clean(&fanlight);
    }
}

#[test]
fn a_result_is_reused_until_a_file_of_the_copy_changes() {
    let fanlight = Fanlight::new();
    let text = r#"nodes:
  count:
    dir: { copy: src, exclude: [notes.txt], collect: patch }
    run: wc -l < main.txt | tee count.txt; echo run >> "$FANLIGHT_PROJECT/runs"
    remember: true
outputs: { said: "${{ count.stdout }}", patch: "${{ count.patch }}" }
"#;
    fs::create_dir(fanlight.path("src")).unwrap();
    fanlight.file("src/main.txt", "one\n").file("src/notes.txt", "mine\n").file("count.yaml", text);
    let runs = || fs::read_to_string(fanlight.path("runs")).unwrap().lines().count();
    let said = |expected: &str| {
        let said = fanlight.say(&["run", "count.yaml"]).exits(0);
        assert!(said.out.contains(&format!("said\t{expected}")), "{}", said.out);
    };
    said("1");
    said("1");
    fanlight.file("src/notes.txt", "changed\n");
    said("1");
    assert_eq!(runs(), 1);
    fanlight.file("src/main.txt", "one\ntwo\n");
    said("2");
    assert_eq!(runs(), 2);
    let why = fanlight.say(&["show", "last", "--cache"]).exits(0).out;
    assert!(why.contains("the copied file `main.txt` differs"), "{why}");
    fanlight.file("src/main.txt", "one\n");
    said("1");
    assert_eq!(runs(), 2);
    // A result of a file that was written meanwhile is not kept.
    let writes =
        text.replace("tee count.txt", "tee count.txt; echo three >> \"$FANLIGHT_PROJECT/src/main.txt\"");
    fanlight.file("count.yaml", &writes);
    said("1");
    fanlight.file("src/main.txt", "one\n");
    said("1");
    assert_eq!(runs(), 4);
}

#[test]
fn what_is_not_copied_is_said_in_the_log() {
    let fanlight = Fanlight::new();
    fanlight.file("a.yaml", "nodes: { a: { dir: { copy: . }, run: 'true' } }\n");
    assert!(Command::new("mkfifo").arg(fanlight.path("pipe")).status().unwrap().success());
    fanlight.say(&["run", "a.yaml"]).exits(0);
    let log = fanlight.say(&["logs", "a", "a"]).exits(0).out;
    assert!(log.contains("`pipe` is not copied: it is a fifo"), "{log}");
}
