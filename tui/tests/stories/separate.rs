//! Attempts that have copies and work trees of their own.

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
fn what_is_not_copied_is_said_in_the_log() {
    let fanlight = Fanlight::new();
    fanlight.file("a.yaml", "nodes: { a: { dir: { copy: . }, run: 'true' } }\n");
    assert!(Command::new("mkfifo").arg(fanlight.path("pipe")).status().unwrap().success());
    fanlight.say(&["run", "a.yaml"]).exits(0);
    let log = fanlight.say(&["logs", "a", "a"]).exits(0).out;
    assert!(log.contains("`pipe` is not copied: it is a fifo"), "{log}");
}

/// Changes a file, makes a text and a binary one, one that is ignored, and removes one.
const EDITS: &str = r#"nodes:
  edit:
    dir: { DIR }
    run: |
      echo new >> main.txt
      printf '\000\001\377' > "odd name.bin"
      echo log > build.log
      rm gone.txt
outputs:
"#;

/// Returns a project that is a repository.
fn project() -> Fanlight {
    let fanlight = Fanlight::new();
    fanlight.file("main.txt", "main\n").file("gone.txt", "gone\n").file(".gitignore", "*.log\n");
    commit(&fanlight);
    fanlight
}

/// Returns the paths and the content of the files of an output of the newest run of `edit`.
fn saved(fanlight: &Fanlight, name: &str) -> Vec<(String, Vec<u8>)> {
    let top = fanlight.path(name);
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut ahead = vec![top.clone()];
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
            if entry.is_dir() {
                ahead.push(entry);
            } else {
                let name = entry.file_name().unwrap().to_string_lossy().into_owned();
                files.push((name, fs::read(&entry).unwrap()));
            }
        }
    }
    files.sort();
    files
}

#[test]
fn what_a_command_changed_is_a_patch_that_git_applies() {
    for (number, dir) in ["copy: ., exclude: .git", "worktree: HEAD"].into_iter().enumerate() {
        let fanlight = project();
        let text = EDITS.replace("DIR", &format!("{dir}, collect: patch"));
        fanlight.file("edit.yaml", &format!("{text}  patch: \"${{{{ edit.patch }}}}\"\n"));
        fanlight.say(&["run", "edit.yaml", "--out", "out"]).exits(0);
        let shown = fanlight.say(&["show", "edit", "--json"]).exits(0).json();
        let media = shown[0]["outputs"]["patch"].to_string();
        assert!(media.contains("text/x-diff"), "{media}");
        let patch = saved(&fanlight, "out").remove(0);
        let status = git(&fanlight, &["status", "--porcelain"]);
        assert_eq!(status, "?? edit.yaml\n?? out/\n", "{number}: the project is as it was");
        fs::write(fanlight.path("../the.patch"), &patch.1).unwrap();
        git(&fanlight, &["apply", "../the.patch"]);
        assert_eq!(fs::read_to_string(fanlight.path("main.txt")).unwrap(), "main\nnew\n");
        assert_eq!(fs::read(fanlight.path("odd name.bin")).unwrap(), b"\0\x01\xff");
        assert!(!fanlight.path("gone.txt").exists() && !fanlight.path("build.log").exists());
        await_clean(&fanlight);
    }
}

#[test]
fn changed_and_new_files_are_a_folder() {
    for dir in ["copy: .", "worktree: HEAD"] {
        let fanlight = project();
        let text = EDITS.replace("DIR", &format!("{dir}, collect: files"));
        fanlight.file("edit.yaml", &format!("{text}  files: \"${{{{ edit.files }}}}\"\n"));
        fanlight.say(&["run", "edit.yaml", "--out", "out"]).exits(0);
        let files = saved(&fanlight, "out");
        let names: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["build.log", "main.txt", "odd name.bin"], "{dir}");
        assert_eq!(files[1].1, b"main\nnew\n");
        let log = fanlight.say(&["logs", "edit", "edit"]).exits(0).out;
        assert!(log.contains("does not say that the command removed 1 file"), "{log}");
    }
}

#[test]
fn a_branch_has_what_a_command_changed_and_the_users_work_tree_is_as_it_was() {
    let fanlight = project();
    let text = EDITS.replace("DIR", "worktree: HEAD, collect: [branch, patch]");
    fanlight.file("edit.yaml", &format!("{text}  branch: \"${{{{ edit.branch }}}}\"\n"));
    fanlight.file("main.txt", "mine\n").file("staged.txt", "staged\n");
    git(&fanlight, &["add", "staged.txt"]);
    // A branch of the same name is not overwritten.
    git(&fanlight, &["branch", "fanlight/edit-2-edit"]);
    let before =
        (git(&fanlight, &["status", "--porcelain", "--branch"]), git(&fanlight, &["rev-parse", "HEAD"]));
    for expected in ["fanlight/edit-1-edit", "fanlight/edit-2-edit-2"] {
        fanlight.say(&["run", "edit.yaml"]).exits(0);
        let shown = fanlight.say(&["show", "edit", "--json"]).exits(0).json();
        assert_eq!(shown[0]["outputs"]["branch"], expected);
        let changed = git(&fanlight, &["diff", "--name-status", "HEAD", expected]);
        assert_eq!(changed, "D\tgone.txt\nM\tmain.txt\nA\todd name.bin\n");
        assert_eq!(git(&fanlight, &["show", &format!("{expected}:main.txt")]), "main\nnew\n");
    }
    let after =
        (git(&fanlight, &["status", "--porcelain", "--branch"]), git(&fanlight, &["rev-parse", "HEAD"]));
    assert_eq!(after, before);
    assert_eq!(fs::read_to_string(fanlight.path("main.txt")).unwrap(), "mine\n");
}

#[test]
fn a_command_that_fails_leaves_its_patch_and_no_branch() {
    let fanlight = project();
    fanlight.file(
        "edit.yaml",
        "nodes:
  edit:
    dir: { worktree: HEAD, collect: [patch, branch] }
    run: echo new >> main.txt; exit 3
    allow_failure: true
  after:
    if: always()
    with: { patch: '${{ edit.patch }}', branch: '${{ edit.branch }}' }
    run: 'grep -c +new \"$patch\"; echo \"branch: $branch\"'
outputs: { said: '${{ after.stdout }}' }
",
    );
    fanlight.say(&["run", "edit.yaml"]).exits(0);
    let shown = fanlight.say(&["show", "edit", "--json"]).exits(0).json();
    assert_eq!(shown[0]["outputs"]["said"], "1\nbranch: ", "{}", shown[0]);
    assert!(shown[0].to_string().contains("exit code 3"), "{}", shown[0]);
    assert_eq!(git(&fanlight, &["branch", "--list", "fanlight/*"]), "");
}

#[test]
fn a_command_that_removes_its_repository_gets_no_wrong_patch_and_no_wrong_branch() {
    // The home is within the user's repository, to which git would climb.
    for collect in ["patch", "branch"] {
        let fanlight = project();
        let top = fanlight.path("..");
        let init = Command::new("git").args(["init", "-q"]).current_dir(&top).status().unwrap();
        assert!(init.success());
        let text = "nodes: { a: { dir: { worktree: HEAD, collect: COLLECT }, run: 'rm -rf .git; echo new > main.txt' } }
outputs: { made: '${{ a.COLLECT }}' }
";
        fanlight.file("a.yaml", &text.replace("COLLECT", collect));
        let said = fanlight.say(&["run", "a.yaml"]);
        match collect {
            "patch" => {
                assert!(said.err.contains("can't be recorded: fatal: not a git repository"), "{said:?}")
            }
            // Its record in the repository is enough.
            _ => {
                assert_eq!(said.code, 0, "{said:?}");
                assert_eq!(git(&fanlight, &["diff", "--name-only", "HEAD", "fanlight/a-1-a"]), "main.txt\n");
            }
        }
    }
}

#[test]
fn changes_in_a_repository_below_the_folder_are_an_error_instead_of_a_patch_without_them() {
    for (dir, input) in [("worktree: HEAD", "worktree: HEAD"), ("copy: .", "folder: ., copy: true")] {
        let fanlight = project();
        let text = r#"nodes:
  command:
    dir: { DIR, collect: patch }
    run: echo new > main.txt; git clone -q "$FANLIGHT_PROJECT" sub
  agent:
    uses: agent.command
    with:
      INPUT
      agent: plain
      command: [sh, -c, 'echo new > main.txt; git clone -q "$FANLIGHT_PROJECT" sub; echo "{\"type\":\"result\"}"']
      prompt: clone it
    allow_failure: true
  after:
    if: always()
    with: { patch: "${{ agent.patch }}" }
    run: grep '^[+]new' "$patch"
outputs: { said: "${{ after.stdout }}" }
"#;
        let text = text.replace("DIR", dir).replace("INPUT", &input.replace(", ", "\n      "));
        fanlight.file("nested.yaml", &text);
        fanlight.say(&["run", "nested.yaml"]).exits(1);
        let shown = fanlight.say(&["show", "nested", "--json"]).exits(0).json()[0].to_string();
        assert!(shown.contains("`sub` is a repository of its own, which a patch can't hold"), "{shown}");
        assert!(shown.contains("`sub` is a repository of its own, which the patch doesn't hold"), "{shown}");
        // What else the agent changed is kept.
        assert!(shown.contains("+new"), "{shown}");
    }
}

#[test]
fn agents_that_get_one_bug_each_mend_it_in_a_folder_of_their_own() {
    for input in ["worktree: HEAD", "folder: ., copy: true"] {
        let fanlight = project();
        let text = r#"nodes:
  mend:
    each: [one, two, three]
    uses: agent.command
    with:
      INPUT
      agent: plain
      command: [sh, -c, 'cat main.txt > seen.txt; echo "$who" > main.txt; echo "{\"type\":\"result\"}"']
      prompt: mend it
      env: { who: "${{ item }}" }
  apply:
    each: "${{ mend.patch }}"
    with: { patch: "${{ item }}" }
    run: grep '^[+]' "$patch"
outputs: { said: "${{ apply.stdout }}" }
"#;
        fanlight.file("mend.yaml", &text.replace("INPUT", &input.replace(", ", "\n      ")));
        fanlight.say(&["run", "mend.yaml"]).exits(0);
        let shown = fanlight.say(&["show", "mend", "--json"]).exits(0).json();
        let said = &shown[0]["outputs"]["said"];
        for (number, who) in ["one", "two", "three"].iter().enumerate() {
            let patch = format!("+++ b/main.txt\n+{who}\n+++ b/seen.txt\n+main");
            assert_eq!(said[number], patch.as_str(), "{input}");
        }
        assert_eq!(git(&fanlight, &["status", "--porcelain"]), "?? mend.yaml\n");
        await_clean(&fanlight);
    }
}
