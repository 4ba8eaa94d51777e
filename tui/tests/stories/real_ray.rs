//! Commands on a real Ray, which `.ci/ray` installs and starts.

use std::fs;

use crate::alive::is_alive;
use crate::support::{Fanlight, wait_for};

/// Returns a Fanlight with the engine `ray`, which is the running Ray.
fn cluster() -> Fanlight {
    let fanlight = Fanlight::new();
    let of = |name: &str| std::env::var(name).unwrap();
    fanlight.file("../token", &of("RAY_AUTH_TOKEN"));
    fanlight.config(&format!(
        "max_concurrent_runs = 50\n[engine.ray]\nkind = \"ray\"\naddress = \"{}\"\ntoken_file = \"{}\"\nworkdir = \"{}\"\npoll = \
         \"500ms\"\n",
        of("FANLIGHT_RAY"),
        fanlight.path("../token").display(),
        fanlight.path("../cluster").display()
    ));
    fanlight
}

/// Submits a run of a command on the cluster.
fn submit(fanlight: &Fanlight, script: &str, more: &[&str]) {
    let script = script.replace('\n', "\n      ");
    let file = format!(
        "params:\n  n: {{ type: int, default: 0 }}\nengine: ray\nnodes:\n  work:\n    run: |\n      {script}\n    with: {{ n: \"${{{{ params.n }}}}\" }}\n"
    );
    fanlight.file("w.yaml", &file).say(&[&["run", "w.yaml", "--detach"], more].concat()).exits(0);
}

fn log(fanlight: &Fanlight) -> String {
    fanlight.say(&["logs", "last", "work"]).out
}

#[test]
#[ignore = "needs a real Ray: see .ci/ray"]
fn a_check_finds_that_everything_works() {
    let fanlight = cluster();
    let said = fanlight.say(&["engine", "check", "ray", "--gpu"]).exits(0).out;
    assert!(said.contains("✓ cancel") && said.contains("was given the GPU 0"), "{said}");
}

#[test]
#[ignore = "needs a real Ray: see .ci/ray"]
fn a_sweep_runs_each_command_once_while_the_daemon_is_killed() {
    let fanlight = cluster();
    let ran = fanlight.path("ran");
    submit(
        &fanlight,
        "echo \"$n\" >> \"$FANLIGHT_PROJECT/ran\"\nsleep 1\nexit $((n == 3))",
        &["--sweep", "n=1..6"],
    );
    wait_for("a command", || ran.exists());
    fanlight.kill_daemon();
    let states: Vec<&str> = (1..=6).rev().map(|n| if n == 3 { "failed" } else { "completed" }).collect();
    fanlight.await_states(&states);
    let text = fs::read_to_string(ran).unwrap();
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["1", "2", "3", "4", "5", "6"]);
}

#[test]
#[ignore = "needs a real Ray: see .ci/ray"]
fn cancelling_ends_a_command_with_all_that_it_started_and_a_job_that_waits() {
    let fanlight = cluster();
    submit(
        &fanlight,
        "echo begun\n(setsid sleep 1001 & echo $! > \"$FANLIGHT_PROJECT/away\")\nsleep 1001",
        &[],
    );
    wait_for("its output", || log(&fanlight).contains("begun"));
    assert!(!log(&fanlight).contains(&std::env::var("RAY_AUTH_TOKEN").unwrap()));
    fanlight.say(&["cancel", "last"]).exits(0);
    fanlight.await_states(&["cancelled"]);
    let away = fs::read_to_string(fanlight.path("away")).unwrap();
    wait_for("the end of what left its group", || !is_alive(away.trim()));

    let file = fs::read_to_string(fanlight.path("w.yaml")).unwrap();
    let large = file.replace("    run:", "    resources: { cpus: 4096 }\n    run:");
    fanlight.file("w.yaml", &large).say(&["run", "w.yaml", "--detach"]).exits(0);
    wait_for("the reason of the head", || {
        fanlight.say(&["why", "last"]).out.contains("waits (resources) as job")
    });
    fanlight.say(&["cancel", "last"]).exits(0);
    fanlight.await_states(&["cancelled", "cancelled"]);
}
