//! Files of the home that were changed behind Fanlight's back.

use std::path::PathBuf;

use crate::support::{Fanlight, wait_for};

/// Returns the files of the store, with their content.
fn blobs(fanlight: &Fanlight) -> Vec<PathBuf> {
    let folders = std::fs::read_dir(fanlight.path("../h/data/blobs")).unwrap().flatten();
    let named = folders.filter(|it| it.file_name().len() == 2);
    named.flat_map(|it| std::fs::read_dir(it.path()).unwrap().flatten()).map(|it| it.path()).collect()
}

#[test]
fn files_of_a_lost_database_stay_and_can_be_imported() {
    let fanlight = Fanlight::new();
    let make =
        "nodes:\n  a: { run: 'head -c 300000 /dev/zero > f', outputs: { f: { path: f, type: file } } }\n";
    fanlight.file("make.yaml", make).say(&["run", "make.yaml"]).exits(0);
    fanlight.say(&["daemon", "stop"]).exits(0);
    assert_eq!(blobs(&fanlight).len(), 1);
    let database = fanlight.path("../h/data/fanlight.db");
    std::fs::write(&database, "NOT A DATABASE!! ".repeat(1000)).unwrap();
    fanlight.say(&["ps"]).exits(3).complains("is not a Fanlight database; move it away");
    std::fs::rename(&database, fanlight.path("saved.db")).unwrap();
    fanlight.say(&["ps"]).exits(0);
    assert_eq!(blobs(&fanlight).len(), 1, "nothing is removed next to a fresh database");
    wait_for("the daemon to say what it found", || {
        fanlight.say(&["daemon", "status"]).exits(0).err.contains("1 file (300000 bytes)")
    });
    let said = fanlight.say(&["doctor"]).exits(1);
    assert!(said.out.contains("1 file (300000 bytes)") && said.out.contains("--repair"), "{}", said.out);
    // The folders of attempts have no owner any more; whether their logs are still needed is for the user to decide.
    let said = fanlight.say(&["doctor", "--repair"]).exits(1);
    assert!(said.out.contains("1 folder of attempts in"), "{}", said.out);
    assert!(said.out.contains("imported 1 file: the assets of recovered#1"), "{}", said.out);
    let assets = fanlight.say(&["assets", "list", "--json"]).exits(0).json();
    fanlight.say(&["assets", "get", assets[0]["id"].as_str().unwrap(), "again"]).exits(0);
    assert_eq!(std::fs::read(fanlight.path("again")).unwrap(), vec![0; 300_000]);
}

const READER: &str = "nodes:
  a: { run: 'head -c 500000 /dev/zero | tr \"\\0\" a > f', outputs: { f: { path: f, type: file } } }
  b: { dir: ., with: { f: \"${{ a.f }}\" }, run: '[ -e go ] && head -c 3 \"$f\"' }
outputs: { b: \"${{ b.stdout }}\" }
";

#[test]
fn damaged_data_is_an_error_that_names_the_asset_and_never_a_result() {
    let fanlight = Fanlight::new();
    fanlight.file("reader.yaml", READER).say(&["run", "reader.yaml"]).exits(1);
    let blob = blobs(&fanlight).remove(0);
    let asset = fanlight.say(&["assets", "list", "--kind", "file", "--json"]).exits(0).json().remove(0);
    let asset = asset["id"].as_str().unwrap();
    fanlight.file("go", "");
    for damage in ["b".repeat(500_000), "short".to_owned()] {
        std::fs::write(&blob, damage).unwrap();
        fanlight.say(&["assets", "get", asset, "copy"]).exits(1).complains(asset);
        assert!(!fanlight.path("copy").exists());
        let said =
            fanlight.say(&["assets", "get", asset, "-"]).exits(1).complains(asset).complains("damaged");
        assert_eq!(said.out, "", "who reads a pipe can't give bytes back");
        fanlight.say(&["resume", "reader#1"]).exits(0);
        let said = fanlight.say(&["watch", "last"]).exits(1).complains("are damaged").complains(asset);
        assert!(!said.out.contains("bbb") && !said.out.contains("sho"), "{}", said.out);
        let said = fanlight.say(&["doctor", "--deep"]).exits(1);
        assert!(said.out.contains(asset), "{}", said.out);
        let said = fanlight.say(&["doctor"]);
        assert!(said.out.contains("by size; `--deep` also compares the contents"), "{}", said.out);
    }
    fanlight.say(&["run", "reader.yaml"]).exits(0);
    fanlight.say(&["assets", "get", asset, "copy"]).exits(0);
    assert_eq!(
        std::fs::read(fanlight.path("copy")).unwrap(),
        vec![b'a'; 500_000],
        "made anew, it is whole again"
    );
    fanlight.say(&["doctor", "--deep"]).exits(0);
}

/// Starts a daemon with this limit on open files. Returns its output.
fn with_open_files(fanlight: &Fanlight, limit: &str) -> (Option<i32>, String) {
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" ps"), env!("CARGO_BIN_EXE_fanlight")]);
    let plain = fanlight.command(&["ps"]);
    command.env_clear().envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let said = command.current_dir(fanlight.path(".")).output().unwrap();
    (said.status.code(), String::from_utf8_lossy(&said.stderr).into_owned())
}

#[test]
fn too_few_open_files_are_named_with_the_command_that_raises_the_limit() {
    let fanlight = Fanlight::new();
    let (code, err) = with_open_files(&fanlight, "64");
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("only 64 files may be open") && err.contains("ulimit -n 1024"), "{err}");
    let (code, err) = with_open_files(&fanlight, "300");
    assert_eq!(code, Some(0), "{err}");
}

#[test]
fn a_daemon_whose_stderr_is_closed_continues_and_can_be_stopped() {
    let fanlight = Fanlight::new();
    let mut daemon = fanlight.command(&["daemon"]);
    let mut daemon = daemon
        .env("FANLIGHT_LOG", "trace")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(daemon.stderr.take());
    crate::support::wait_for("the daemon", || fanlight.say(&["daemon", "status"]).code == 0);
    fanlight.file("seeded.yaml", crate::SEEDED).say(&["run", "seeded.yaml"]).exits(0);
    fanlight.say(&["daemon", "stop"]).exits(0);
    assert_eq!(daemon.wait().unwrap().code(), Some(0));
}

#[test]
fn a_stop_notices_that_the_daemon_was_killed_meanwhile() {
    let fanlight = Fanlight::new();
    let stubborn = "nodes:
  slow:
    dir: .
    run: |
      trap '' TERM
      echo begun
      until [ -e go ]; do sleep 0.05; done
";
    fanlight.file("stubborn.yaml", stubborn).say(&["run", "stubborn.yaml", "--detach"]).exits(0);
    crate::support::wait_for("the command's first line", || fanlight.say(&["logs", "last"]).out == "begun\n");
    let daemon = crate::process::daemon(&fanlight);
    // It waits for the command, and the stop waits for it.
    let stop = fanlight
        .command(&["daemon", "stop", "--cancel"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    fanlight.await_states(&["cancelling"]);
    crate::process::kill(daemon);
    let said = stop.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success(), "{err}");
    assert!(err.contains("it was killed before it could close its store"), "{err}");
    fanlight.file("go", "");
    fanlight.say(&["watch", "last"]).exits(1);
}
