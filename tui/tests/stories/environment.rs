//! The environment that a submission carries.

use std::os::unix::fs::PermissionsExt as _;

use crate::support::Fanlight;

/// Returns a home with a program `mytool` that prints its input, in a folder that isn't on the `PATH`, and a `PATH`
/// that has it.
fn with_tool() -> (Fanlight, String) {
    let fanlight = Fanlight::new();
    std::fs::create_dir(fanlight.path("tools")).unwrap();
    fanlight.file("tools/mytool", "#!/bin/sh\necho \"tool ${TOKEN:-none} ${CC:-none}\"\n");
    let tool = fanlight.path("tools/mytool");
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", fanlight.path("tools").display(), std::env::var("PATH").unwrap());
    (fanlight, path)
}

const TOOL: &str = "nodes:
  e: { run: mytool }
outputs: { o: \"${{ e.stdout }}\" }
";

const ASKS: &str = "pass_env: [CC]
nodes:
  asks: { run: mytool, pass_env: [TOKEN] }
  other: { run: mytool }
outputs: { asks: \"${{ asks.stdout }}\", other: \"${{ other.stdout }}\" }
";

fn output(said: &crate::support::Said, name: &str) -> String {
    let line = said.out.lines().find(|line| line.split('\t').nth(1) == Some(name));
    line.and_then(|line| line.split('\t').nth(2)).unwrap_or_default().to_owned()
}

#[test]
fn commands_use_the_path_of_the_submitter_and_say_so_if_they_find_nothing() {
    let (fanlight, path) = with_tool();
    fanlight.file("tool.yaml", TOOL);
    fanlight.say(&["daemon", "start"]).exits(0);
    let own = std::env::var("PATH").unwrap();
    let missing = fanlight.say(&["run", "tool.yaml"]).exits(1);
    assert!(missing.err.contains("127") && missing.err.contains(&own), "{}", missing.err);
    let found = crate::support::output(fanlight.command(&["run", "tool.yaml"]).env("PATH", &path));
    assert_eq!(String::from_utf8(found.stdout).unwrap(), "tool#2\to\ttool none none\n");

    // The ended run keeps its environment; a resumed run takes a new one if it is given.
    fanlight.say(&["resume", "tool#1"]).exits(0);
    fanlight.await_states(&["failed"]);
    fanlight.say(&["resume", "tool#1", "--env", &format!("PATH={path}")]).exits(0);
    fanlight.await_states(&["completed"]);
}

#[test]
fn variables_are_passed_by_name_and_only_to_commands_that_ask_for_them() {
    let (fanlight, path) = with_tool();
    fanlight.file("asks.yaml", ASKS);
    fanlight.say(&["daemon", "start"]).exits(0);
    let run = |arguments: &[&str]| {
        let mut line = vec!["run", "asks.yaml"];
        line.extend(arguments);
        let said = crate::support::output(fanlight.command(&line).envs([
            ("PATH", path.as_str()),
            ("TOKEN", "t0k3n"),
            ("CC", "clang"),
            ("OTHER", "x"),
        ]));
        crate::support::Said {
            code: said.status.code().unwrap(),
            out: String::from_utf8(said.stdout).unwrap(),
            err: String::from_utf8(said.stderr).unwrap(),
        }
    };
    let said = run(&[]).exits(0);
    assert_eq!(output(&said, "asks"), "tool t0k3n clang");
    assert_eq!(output(&said, "other"), "tool none clang");
    let said = run(&["--env", "CC=gcc", "--env", "TOKEN"]).exits(0);
    assert_eq!(output(&said, "asks"), "tool t0k3n gcc");
    run(&["--env", "NOWHERE"]).exits(2).complains("`NOWHERE` is not set here");
    run(&["--env", "FANLIGHT_KEY=1"]).exits(2).complains("Fanlight sets");

    // Names are shown, values never.
    let shown = fanlight.say(&["show", "asks#1", "--json"]).exits(0);
    assert_eq!(shown.json()[0]["environment"], serde_json::json!(["PATH", "CC", "TOKEN"]));
    assert!(!shown.out.contains(&path), "{}", shown.out);
}

#[test]
fn a_new_version_of_a_file_gets_the_variables_that_only_it_needs() {
    let (fanlight, path) = with_tool();
    fanlight.file("new.yaml", "nodes: { a: { run: exit 1 } }\n");
    crate::support::output(fanlight.command(&["run", "new.yaml"]).env("PATH", &path));
    fanlight.file("new.yaml", &ASKS.replace("[CC]", "[CC, PATH]"));
    let resumed = crate::support::output(fanlight.command(&["resume", "new#1", "--new-version"]).envs([
        ("PATH", "/usr/bin:/bin"),
        ("TOKEN", "t0k3n"),
        ("CC", "clang"),
    ]));
    assert!(resumed.status.success(), "{}", String::from_utf8_lossy(&resumed.stderr));
    fanlight.await_states(&["completed"]);
    let shown = fanlight.say(&["show", "new#2", "--json"]).exits(0).json();
    assert_eq!(shown[0]["outputs"]["asks"], "tool t0k3n clang", "the PATH of the ended run found the tool");
}

/// Returns the files below a folder that contain this text.
fn files_with(folder: &std::path::Path, text: &str) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            found.extend(files_with(&entry.path(), text));
        } else if kind.is_file() {
            let bytes = std::fs::read(entry.path()).unwrap();
            found.extend(bytes.windows(text.len()).any(|it| it == text.as_bytes()).then(|| entry.path()));
        }
    }
    found
}

/// Makes a picture, and succeeds only with a token.
const GUARDED: &str = "params: { seed: { type: int, default: 1 } }
pass_env: [TOKEN]
nodes:
  check: { run: 'case \"$TOKEN\" in t0k3n-*) ;; *) exit 1;; esac' }
  sky: { uses: image.generate, with: { width: 32, height: 16, seed: \"${{ params.seed }}\" } }
outputs: { sky: \"${{ sky.image }}\" }
";

#[test]
fn stored_variables_are_in_no_saved_file_and_no_report() {
    let fanlight = Fanlight::new();
    fanlight.file("guarded.yaml", GUARDED);
    let run = ["run", "guarded.yaml", "--env", "TOKEN=t0k3n-of-ada", "--sweep", "seed=1..2", "--out", "o"];
    fanlight.say(&run).exits(0);
    fanlight.say(&["report", "guarded/1", "page"]).exits(0);
    for folder in ["o", "page"] {
        assert_eq!(files_with(&fanlight.path(folder), "t0k3n-of-ada"), [] as [std::path::PathBuf; 0]);
    }
    let listed = fanlight.say(&["assets", "list", "--kind", "image", "--json"]).exits(0).json();
    let asset = listed[0]["id"].as_str().unwrap();
    let shown = fanlight.say(&["assets", "show", asset, "--json"]).exits(0).out;
    assert!(shown.contains("sky") && !shown.contains("t0k3n-of-ada"), "{shown}");
}

#[test]
fn variables_of_the_daemon_reach_commands_and_are_never_stored() {
    let fanlight = Fanlight::new();
    fanlight.config("pass_env = [\"TOKEN\"]\n");
    fanlight.file("guarded.yaml", &GUARDED.replace("pass_env: [TOKEN]\n", ""));
    let start = fanlight.command(&["daemon", "start"]).env("TOKEN", "t0k3n-of-ada").status().unwrap();
    assert!(start.success());
    fanlight.say(&["run", "guarded.yaml"]).exits(0);
    fanlight.say(&["daemon", "stop"]).exits(0);
    let home = fanlight.path("../h");
    assert_eq!(files_with(&home, "t0k3n-of-ada"), [] as [std::path::PathBuf; 0]);
    assert!(
        files_with(&home, "t0k3n-").iter().any(|file| file.ends_with("fanlight.db")),
        "the file is there"
    );
}
