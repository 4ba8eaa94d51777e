//! What a command changed in its own copy or work tree.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::{await_clean, commit, git};
use crate::support::Fanlight;

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
fn links_are_judged_by_themselves_and_not_by_what_they_lead_to() {
    let edits = r#"nodes:
  edit:
    dir: { DIR, collect: files }
    run: |
      rm f
      echo new >> real/a
      rm -r old
      ln -sfn other turned
      ln -sfn kept again
      ln -s real fresh
outputs: { files: "${{ edit.files }}" }
"#;
    for dir in ["copy: ., exclude: .git", "worktree: HEAD"] {
        let fanlight = Fanlight::new();
        for name in ["f", "kept", "other", "real/a", "old/b"] {
            fs::create_dir_all(fanlight.path(name).parent().unwrap()).unwrap();
            fanlight.file(name, name);
        }
        for (to, link) in [("f", "l"), ("real", "rl"), ("old", "ol"), ("kept", "turned"), ("kept", "again")] {
            symlink(to, fanlight.path(link)).unwrap();
        }
        commit(&fanlight);
        fanlight.file("edit.yaml", &edits.replace("DIR", dir));
        fanlight.say(&["run", "edit.yaml", "--out", "out"]).exits(0);
        let files: Vec<(String, String)> = saved(&fanlight, "out")
            .into_iter()
            .map(|(name, bytes)| (name, String::from_utf8(bytes).unwrap()))
            .collect();
        // `fresh/a` and `real/a`, and what `turned` leads to now.
        let expected = [("a", "real/anew\n"), ("a", "real/anew\n"), ("turned", "other")];
        assert_eq!(files, expected.map(|(name, text)| (name.to_owned(), text.to_owned())), "{dir}");
        let log = fanlight.say(&["logs", "edit", "edit"]).exits(0).out;
        assert!(log.contains("does not say that the command removed 2 files"), "{log}");
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

/// Makes a repository in `top`, with uncommitted changes.
const DIRTY: &str = "git init -q top; cd top; git init -q deep; echo a > deep/a; git -C deep add .
git -C deep $who commit -qm a; echo a > a; echo '*.o' > .gitignore; echo h > hidden; git add a hidden .gitignore; git $who commit -qm a
git update-index --assume-unchanged hidden
echo b >> a; echo b >> deep/a";

#[test]
fn what_a_command_changes_in_a_repository_that_had_changes_before_is_not_missed() {
    let fanlight = project();
    let who = "who='-c user.name=a -c user.email=a@example.com'";
    let made =
        Command::new("sh").args(["-ec", &format!("{who}\n{DIRTY}")]).current_dir(fanlight.path("")).status();
    assert!(made.unwrap().success());
    let changes = [
        ("echo c >> top/a", true),
        ("echo c >> top/new", true),
        ("echo c >> top/deep/a", true),
        // The index hides these changes, from before or by the command.
        ("echo c >> top/hidden", true),
        ("git -C top update-index --skip-worktree a; echo c >> top/a", true),
        ("git -C top update-index --skip-worktree a", false),
        ("git -C top checkout -q a", true),
        ("git -C top $who commit -qam b", true),
        ("git clone -q top/deep top/other", true),
        ("rm -r top/deep", true),
        ("git -C top add a; echo c > top/a.o; echo c >> main.txt", false),
        ("rm -rf top", false),
        ("rm -rf top/.git top/deep/.git; echo c >> top/a", false),
    ];
    for (change, is_missed) in changes {
        let text = "nodes: { a: { dir: { copy: ., collect: patch }, run: \"WHO; CHANGE\" } }
outputs: { patch: '${{ a.patch }}' }
";
        fanlight.file("a.yaml", &text.replace("WHO", who).replace("CHANGE", change));
        let said = fanlight.say(&["run", "a.yaml"]);
        assert_eq!(said.code, i32::from(is_missed), "{change}: {said:?}");
        let why =
            "`top` is a repository of its own, which a patch can't hold; leave it out by `exclude` of `dir`";
        assert_eq!(said.err.contains(why), is_missed, "{change}: {}", said.err);
    }
    fanlight.file(
        "a.yaml",
        "nodes: { a: { dir: { copy: ., exclude: [top], collect: patch }, run: echo c >> main.txt } }\n",
    );
    fanlight.say(&["run", "a.yaml"]).exits(0);
}

#[test]
fn a_patch_has_changes_of_a_file_that_is_ignored_but_known_to_the_repository() {
    let fanlight = Fanlight::new();
    fanlight.file(".gitignore", "*.log\n").file("kept.log", "old\n");
    git(&fanlight, &["init", "-q"]);
    git(&fanlight, &["add", "--force", "."]);
    git(&fanlight, &["commit", "-qm", "begin"]);
    let text = "nodes: { a: { dir: { worktree: HEAD, collect: patch }, run: echo new > kept.log; echo new > other.log } }
outputs: { patch: '${{ a.patch }}' }
";
    fanlight.file("a.yaml", text).say(&["run", "a.yaml", "--out", "out"]).exits(0);
    let patch = String::from_utf8(saved(&fanlight, "out").remove(0).1).unwrap();
    assert!(patch.contains("+++ b/kept.log") && !patch.contains("other.log"), "{patch}");
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
