//! Processes that are killed at work.

use rustix::process::{Signal, kill_process};

use crate::alive::is_alive;
use crate::process::{daemon, helpers, kill, kill_daemon};
use crate::support::{Fanlight, wait_for};
use crate::{GATED, begun, is_whole};

#[test]
fn a_command_outlives_a_killed_daemon_and_ends_once() {
    let fanlight = begun();
    kill_daemon(&fanlight);
    fanlight.file("go", "");
    fanlight.say(&["watch", "gated"]).exits(0).complains("completed");
    assert_eq!(fanlight.say(&["logs", "gated"]).exits(0).out, "begun\nended\n", "once, with its whole log");
    fanlight.say(&["run", "gated.yaml", "--out", "prints"]).exits(0);
    let assets = fanlight.say(&["assets", "list", "--json"]).exits(0).json();
    assert_eq!(assets.iter().filter(|it| it["run"] == "gated#1").count(), 1);
    is_whole(&fanlight);
}

#[test]
fn a_killed_supervisor_loses_its_commands_and_the_runs_say_so() {
    let fanlight = begun();
    let home = fanlight.path("../h").canonicalize().unwrap();
    let supervisor = helpers(None, "supervisor", &home.display().to_string());
    assert_eq!(supervisor.len(), 1);
    kill(supervisor[0]);
    fanlight.await_states(&["failed"]);
    fanlight.say(&["watch", "gated"]).exits(1).complains("nobody saw how the command ended");
    is_whole(&fanlight);
}

#[test]
fn a_lost_command_keeps_the_cost_and_the_tokens_that_it_reported() {
    let fanlight = Fanlight::new();
    let agent = r#"nodes:
  agent:
    run: |
      echo '{"type":"prediction","provider":"p","model":"m","input_tokens":9,"cost_usd":0.25}' >> "$FANLIGHT_EVENTS"
      echo begun
      until [ -e "$FANLIGHT_PROJECT/go" ]; do sleep 0.05; done
"#;
    fanlight.file("agent.yaml", agent).say(&["run", "agent.yaml", "--detach"]).exits(0);
    wait_for("the command's first line", || fanlight.say(&["logs", "last"]).out == "begun\n");
    let home = fanlight.path("../h").canonicalize().unwrap();
    kill(helpers(None, "supervisor", &home.display().to_string())[0]);
    fanlight.await_states(&["failed"]);
    let shown = fanlight.say(&["show", "agent", "--json"]).exits(0).json().remove(0);
    assert_eq!(
        shown["spent"].to_string(),
        r#"{"cost_usd":0.25,"input_tokens":9,"output_tokens":0,"unpriced":false}"#
    );
    is_whole(&fanlight);
}

#[test]
fn a_killed_worker_is_replaced() {
    let fanlight = Fanlight::new();
    let paint = "nodes:\n  paint: { uses: image.generate, with: { style: plasma, width: 64, height: 64 } }\n";
    fanlight.file("paint.yaml", paint).say(&["run", "paint.yaml"]).exits(0);
    for worker in helpers(Some(daemon(&fanlight)), "worker", "") {
        let _ = kill_process(worker, Signal::KILL);
    }
    fanlight.say(&["run", "paint.yaml"]).exits(0);
    is_whole(&fanlight);
}

#[test]
fn cancel_ends_grandchildren_too() {
    let fanlight = Fanlight::new();
    let tree = "nodes:
  tree:
    dir: .
    run: |
      setsid sh -c 'echo $$ > one.pid; exec sleep 1000' &
      setsid -f sh -c 'setsid -f sh -c \"echo \\$\\$ > two.pid; exec sleep 1000\"'
      until [ -s one.pid ] && [ -s two.pid ]; do sleep 0.05; done
      echo up
      sleep 1000
";
    fanlight.file("tree.yaml", tree).say(&["run", "tree.yaml", "--detach"]).exits(0);
    wait_for("the whole tree", || fanlight.say(&["logs", "last"]).out == "up\n");
    fanlight.say(&["cancel", "tree"]).exits(0);
    fanlight.await_states(&["cancelled"]);
    for name in ["one.pid", "two.pid"] {
        let number: i32 = std::fs::read_to_string(fanlight.path(name)).unwrap().trim().parse().unwrap();
        assert!(!is_alive(number), "{name} is left");
    }
}

#[test]
fn a_killed_worker_is_an_interruption_and_its_work_is_done_again() {
    let fanlight = Fanlight::new();
    let paint = "nodes:
  paint:
    uses: image.generate
    with: { style: plasma, width: 600, height: 600 }
  say: { run: echo fine }
outputs:
  said: \"${{ say.stdout }}\"
";
    fanlight.file("paint.yaml", paint);
    fanlight.say(&["daemon", "start"]).exits(0);
    let strike = |file: &str| {
        let daemon = daemon(&fanlight);
        let mut workers = Vec::new();
        fanlight.say(&["run", file, "--detach"]).exits(0);
        wait_for("the work to be with a worker and the other node to end", || {
            workers = helpers(Some(daemon), "worker", "");
            // A stopped worker keeps its work until it is killed.
            workers.iter().for_each(|it| _ = kill_process(*it, Signal::STOP));
            let shown = fanlight.say(&["show", "last", "--json"]).exits(0).json().remove(0);
            let is = |name: &str, state: &str| {
                shown["nodes"].as_array().unwrap().iter().any(|it| it["name"] == name && it["state"] == state)
            };
            !workers.is_empty() && is("paint", "running") && is("say", "completed")
        });
        workers.iter().for_each(|it| kill(*it));
        fanlight.say(&["watch", "last"])
    };
    strike("paint.yaml").exits(0);
    is_whole(&fanlight);
}

#[test]
fn following_a_run_continues_with_the_next_daemon() {
    let fanlight = Fanlight::new();
    let running = fanlight.file("gated.yaml", GATED).start(&["run", "gated.yaml"]);
    wait_for("the command's first line", || fanlight.say(&["logs", "last"]).out == "begun\n");
    let mut reading = fanlight.start(&["logs", "last", "-f"]);
    let mut lines = reading.lines();
    assert_eq!(lines.next().unwrap(), "slow | begun");
    for _ in 0..2 {
        wait_for("a daemon", || fanlight.say(&["daemon", "status"]).code == 0);
        kill_daemon(&fanlight);
    }
    fanlight.file("go", "");
    let said = running.ends().exits(0).complains("connecting again").complains("completed");
    assert!(said.out.starts_with("gated#1\tout\t"), "{}", said.out);
    assert_eq!(lines.collect::<Vec<_>>(), ["slow | ended"], "nothing twice, nothing left out");
    reading.ends().exits(0);
}

#[test]
fn following_a_run_fails_if_no_daemon_can_be_started() {
    let fanlight = begun();
    let (watching, reading) = (fanlight.start(&["watch", "last"]), fanlight.start(&["logs", "last", "-f"]));
    wait_for("both to be connected", || {
        crate::process::status(&fanlight)["clients"].as_u64().is_some_and(|clients| clients >= 3)
    });
    let config = fanlight.path("../h/config");
    std::fs::create_dir_all(&config).unwrap();
    let killed = daemon(&fanlight);
    std::fs::write(config.join("config.toml"), "no such setting = 1\n").unwrap();
    kill(killed);
    for follower in [watching, reading] {
        follower
            .ends()
            .exits(3)
            .complains("5 attempts to reconnect failed")
            .complains("fanlight watch 'gated#1'");
    }
    std::fs::remove_file(config.join("config.toml")).unwrap();
    fanlight.file("go", "");
    fanlight.say(&["watch", "gated#1"]).exits(0).complains("completed");
}

#[test]
fn the_next_daemon_cleans_up_after_a_killed_one() {
    let fanlight = Fanlight::new();
    fanlight.file("say.yaml", "nodes:\n  say: { run: echo said }\n").say(&["run", "say.yaml"]).exits(0);
    fanlight.say(&["daemon", "stop"]).exits(0);
    let attempts = fanlight.path("../h/state/attempts");
    let attempt = std::fs::read_dir(&attempts).unwrap().flatten().next().unwrap().path();
    // As left by a daemon that is killed right after it commits the end.
    std::fs::create_dir_all(attempt.join("work/deep")).unwrap();
    std::fs::write(attempt.join("work/deep/large"), "x").unwrap();
    fanlight.say(&["daemon", "start"]).exits(0);
    wait_for("the work folder to go", || !attempt.join("work").exists());
    assert_eq!(fanlight.say(&["logs", "last"]).exits(0).out, "said\n", "its log stays");
}
