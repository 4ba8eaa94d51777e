//! A home that is removed or moved away while its daemon runs.

use std::path::Path;
use std::process::Stdio;

use crate::alive::is_alive;
use crate::process::{daemon, helpers, status};
use crate::support::{Fanlight, wait_for};

/// Removes a home whose daemon may still write to it.
fn remove(home: &Path) {
    wait_for("the home to be removed", || {
        let _ = std::fs::remove_dir_all(home);
        !home.exists()
    });
}

#[test]
fn a_daemon_whose_home_is_removed_ends_with_its_commands_and_says_why() {
    let fanlight = Fanlight::new();
    let foreground = fanlight.command(&["daemon"]).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the daemon", || fanlight.say(&["daemon", "status"]).code == 0);
    let tree = "nodes:
  tree:
    dir: .
    run: |
      trap '' TERM
      setsid sh -c 'echo $$ > child.pid; exec sleep 1000' &
      echo $$ > main.pid
      until [ -s child.pid ]; do sleep 0.05; done
      echo up
      while :; do sleep 1000; done
";
    fanlight.file("tree.yaml", tree);
    let running = fanlight.start(&["run", "tree.yaml"]);
    wait_for("the whole tree", || fanlight.say(&["logs", "last"]).out == "up\n");
    wait_for("the follower", || status(&fanlight)["clients"].as_u64() >= Some(2));
    let pids = ["main.pid", "child.pid"].map(|name| std::fs::read_to_string(fanlight.path(name)).unwrap());

    let home = fanlight.path("../h").canonicalize().unwrap();
    remove(&home);
    let ended = foreground.wait_with_output().unwrap();
    let err = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{err}");
    let why = format!("the home {} was removed or replaced while the daemon ran", home.display());
    assert!(err.contains(&format!("error: {why}")), "{err}");
    running.ends().exits(3).complains(&why).complains("they are gone with their home");
    for pid in pids {
        assert!(!is_alive(pid.trim()), "{pid} is left");
    }
    assert!(!home.exists(), "it left nothing behind");

    fanlight.file("say.yaml", "nodes:\n  say: { run: echo said }\n");
    fanlight.say(&["run", "say.yaml"]).exits(0).complains("started a daemon");
    assert_eq!(fanlight.runs().len(), 1);
    fanlight.say(&["doctor", "--deep"]).exits(0);
    assert_eq!(helpers(None, "supervisor", &home.display().to_string()).len(), 1);
}

#[test]
fn the_first_command_after_a_home_was_moved_away_has_a_daemon_of_a_new_home() {
    let fanlight = Fanlight::new();
    fanlight.file("say.yaml", "nodes:\n  say: { run: echo said }\n");
    fanlight.say(&["run", "say.yaml", "--label", "before"]).exits(0);
    let old = daemon(&fanlight);
    let (home, moved) = (fanlight.path("../h"), fanlight.path("../moved"));
    std::fs::rename(&home, &moved).unwrap();
    fanlight.say(&["run", "say.yaml", "--label", "after"]).exits(0).complains("started a daemon");
    let labels = |runs: Vec<serde_json::Value>| -> Vec<String> {
        runs.iter().map(|run| run["label"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(labels(fanlight.runs()), ["after"]);
    wait_for("the end of the old daemon", || !is_alive(old.as_raw_nonzero()));
    fanlight.say(&["run", "say.yaml", "--label", "later"]).exits(0);
    assert_eq!(labels(fanlight.runs()), ["later", "after"], "the old daemon left its socket alone");
    fanlight.say(&["doctor", "--deep"]).exits(0);

    let ask = |arguments: &[&str]| {
        let said = crate::support::output(fanlight.command(arguments).env("FANLIGHT_HOME", &moved));
        assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        String::from_utf8(said.stdout).unwrap()
    };
    let runs = ask(&["ps", "--all", "--json"]);
    assert_eq!(labels(runs.lines().map(|line| serde_json::from_str(line).unwrap()).collect()), ["before"]);
    ask(&["daemon", "stop"]);
}
