//! The executable without a daemon: checks, help, wrong usage, and the files it doesn't touch.

#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/fanlight.rs"]
mod support;

use std::io::Read as _;
use std::process::Stdio;

use support::Fanlight;

const GOOD: &str = "params:
  seed: { type: int, default: 1 }
nodes:
  say:
    cmd: [echo, \"${{ params.seed }}\"]
outputs:
  said: \"${{ say.stdout }}\"
";

const BAD: &str = "nodes:
  sky:
    uses: imgae.generate
  say:
    run: echo ${{ sky.image }}
";

fn no_daemon(fanlight: &Fanlight) {
    fanlight.say(&["daemon", "status"]).exits(3).complains("no daemon runs");
}

#[test]
fn without_a_command_and_a_terminal_the_help_is_printed() {
    let said = Fanlight::new().say(&[]).exits(2).complains("Usage:").complains("fanlight run");
    assert_eq!(said.out, "");
}

#[test]
fn help_and_version_go_to_stdout() {
    let fanlight = Fanlight::new();
    assert!(fanlight.say(&["--version"]).exits(0).out.starts_with("fanlight "));
    let help = fanlight.say(&["--help"]).exits(0).out;
    assert!(
        help.contains("completions") && help.contains("secrets") && !help.contains("supervisor"),
        "{help}"
    );
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let fanlight = Fanlight::new();
    for line in [
        &["frobnicate"][..],
        &["run"],
        &["cancel"],
        &["queue", "--max", "0"],
        &["nodes", "image.genrate"],
        &["new", "x.yaml", "--from", "postre"],
        &["run", "nowhere.yaml"],
        &["run", "nowhere"],
        &["completions", "klingon"],
    ] {
        let said = fanlight.say(line).exits(2);
        assert!(said.err.contains("error:"), "{line:?}: {}", said.err);
        assert_eq!(said.out, "", "{line:?}");
    }
    no_daemon(&fanlight);
}

#[test]
fn features_of_later_versions_are_recognised() {
    let fanlight = Fanlight::new();
    fanlight.file("good.yaml", GOOD);
    fanlight.say(&["remember"]).exits(2).complains("is not in this version");
    no_daemon(&fanlight);
}

#[test]
fn a_good_file_passes() {
    let fanlight = Fanlight::new();
    let said = fanlight.file("good.yaml", GOOD).say(&["check", "good.yaml"]).exits(0);
    assert_eq!(said.out, "good.yaml: good: 1 param, 1 node, 1 output\n");
    assert_eq!(said.err, "");
}

#[test]
fn all_errors_of_a_file_are_shown_at_once_with_their_lines() {
    let fanlight = Fanlight::new();
    fanlight.file("bad.yaml", BAD);
    let said = fanlight.say(&["check", "bad.yaml"]).exits(2);
    let said =
        said.complains("image.generate").complains("bad.yaml:3").complains("bad.yaml:5").complains("^");
    assert_eq!(said.out, "");
    let problems = fanlight.say(&["check", "bad.yaml", "--json"]).exits(2).json();
    assert!(problems.len() >= 2, "{problems:?}");
    assert_eq!(problems[0]["span"]["start"]["line"], 3);
}

#[test]
fn an_invalid_file_starts_nothing() {
    let fanlight = Fanlight::new();
    fanlight.file("bad.yaml", BAD).file("good.yaml", GOOD);
    fanlight.say(&["run", "bad.yaml"]).exits(2).complains("image.generate");
    fanlight.say(&["run", "good.yaml", "-p", "seed=abc"]).exits(2).complains("abc");
    fanlight.say(&["run", "good.yaml", "-p", "sede=1"]).exits(2).complains("did you mean `seed`?");
    fanlight.say(&["run", "good.yaml", "--sweep", "nothing=1..3"]).exits(2).complains("nothing");
    fanlight.say(&["run", "good.yaml", "--out", "good.yaml"]).exits(2).complains("it is a file");
    no_daemon(&fanlight);
}

#[test]
fn a_typo_in_a_file_name_gets_a_suggestion() {
    let fanlight = Fanlight::new();
    fanlight.file("good.yaml", GOOD);
    fanlight.say(&["run", "godo.yaml"]).exits(2).complains("did you mean `good.yaml`?");
    fanlight.say(&["run", "postre"]).exits(2).complains("did you mean the example `poster`?");
}

#[test]
fn a_home_below_a_file_is_an_error() {
    let fanlight = Fanlight::new();
    fanlight.file("file", "").file("good.yaml", GOOD);
    let said = crate::support::output(
        fanlight.command(&["run", "good.yaml"]).env("FANLIGHT_HOME", fanlight.path("file/home")),
    );
    let err = String::from_utf8(said.stderr).unwrap();
    assert_eq!(said.status.code(), Some(3), "{err}");
    assert!(err.contains("error: ") && !err.contains("panicked"), "{err}");
}

#[test]
fn a_socket_path_that_is_too_long_is_an_error() {
    let fanlight = Fanlight::new();
    let long = fanlight.path(&"x".repeat(120));
    let said = crate::support::output(fanlight.command(&["ps"]).env("XDG_RUNTIME_DIR", long));
    assert_eq!(said.status.code(), Some(3));
    assert!(String::from_utf8(said.stderr).unwrap().contains("at most 100"));
}

#[test]
fn a_new_file_is_an_example_that_passes_and_is_never_overwritten() {
    let fanlight = Fanlight::new();
    fanlight.say(&["new", "mine.yaml", "--from", "train"]).exits(0);
    fanlight.say(&["check", "mine.yaml"]).exits(0);
    let before = std::fs::read(fanlight.path("mine.yaml")).unwrap();
    fanlight.say(&["new", "mine.yaml"]).exits(1).complains("exists already");
    assert_eq!(std::fs::read(fanlight.path("mine.yaml")).unwrap(), before);
    fanlight.say(&["new", "no/such/folder.yaml"]).exits(1).complains("mkdir");
}

#[test]
fn node_types_are_listed_and_described() {
    let fanlight = Fanlight::new();
    let listed = fanlight.say(&["nodes"]).exits(0).out;
    assert!(listed.contains("image.generate") && listed.contains("text.template"), "{listed}");
    let one = fanlight.say(&["nodes", "image.generate"]).exits(0).out;
    assert!(one.contains("seed") && one.contains("OUTPUT"), "{one}");
    let all = fanlight.say(&["nodes", "--json"]).exits(0).json();
    assert!(all.iter().any(|spec| spec["name"] == "image.generate"));
}

#[test]
fn the_schema_is_json_and_knows_the_node_types() {
    let said = Fanlight::new().say(&["schema"]).exits(0);
    let schema: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert!(schema["$schema"].is_string());
    assert!(said.out.contains("image.generate"));
}

#[test]
fn completions_contain_the_commands() {
    let fanlight = Fanlight::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = fanlight.say(&["completions", shell]).exits(0).out;
        assert!(script.contains("sweep") && script.contains("assets"), "{shell}");
    }
}

#[test]
fn a_pipe_has_no_colours_and_may_close_early() {
    let fanlight = Fanlight::new();
    assert!(!fanlight.say(&["nodes"]).out.contains('\u{1b}'));
    let mut child = fanlight
        .command(&["completions", "bash"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{err}");
    assert_eq!(err, "");
}

#[test]
fn status_stop_and_doctor_start_no_daemon() {
    let fanlight = Fanlight::new();
    no_daemon(&fanlight);
    fanlight.say(&["daemon", "stop"]).exits(0).complains("no daemon runs");
    assert!(fanlight.say(&["doctor"]).exits(0).out.contains("nothing is kept"));
    no_daemon(&fanlight);
}

/// The schema of `fanlight schema`, which editors use, checked against the examples with an independent validator.
#[test]
fn the_schema_takes_every_example_and_refuses_slips() {
    let schema = Fanlight::new().say(&["schema"]).exits(0).out;
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).unwrap()).unwrap();
    let complaints = |document: &serde_json::Value| {
        let said = validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path()));
        said.collect::<Vec<_>>()
    };
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../workflows");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let examples: Vec<_> = files.filter(|path| path.extension().is_some_and(|it| it == "yaml")).collect();
    assert!(examples.len() >= 7, "{examples:?}");
    for path in examples {
        let document = yaml_serde::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(complaints(&document), Vec::<String>::new(), "{}", path.display());
    }
    let slip: serde_json::Value = yaml_serde::from_str(BAD).unwrap();
    assert!(complaints(&slip).iter().any(|it| it.contains("imgae.generate")), "{:?}", complaints(&slip));
}
