//! Commands on a real Slurm, which `.ci/slurm` installs and starts.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::alive::is_alive;
use crate::support::{Fanlight, wait_for};

/// Returns a Fanlight with the engine `cluster`, which is the running Slurm.
pub(crate) fn cluster() -> Fanlight {
    let fanlight = Fanlight::new();
    let config = config_of_slurm();
    for name in ["sbatch", "squeue", "scancel"] {
        let path = std::env::var_os("PATH").unwrap();
        let program = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|it| it.exists());
        let text = format!(
            "#!/bin/sh\necho \"{name} $*\" >>\"$0.calls\"\nSLURM_CONF={} exec {} \"$@\"\n",
            config.display(),
            program.unwrap().display()
        );
        let wrapper = fanlight.programs().join(name);
        fs::write(&wrapper, text).unwrap();
        fs::set_permissions(&wrapper, fs::Permissions::from_mode(0o700)).unwrap();
    }
    fanlight.config(&format!(
        "max_concurrent_runs = 50\n[engine.cluster]\nkind = \"slurm\"\nworkdir = \"{}\"\npoll = \"500ms\"\n",
        fanlight.path("../cluster").display()
    ));
    fanlight
}

pub(crate) fn config_of_slurm() -> PathBuf {
    std::env::var_os("SLURM_CONF").map(PathBuf::from).unwrap()
}

/// Submits a run of a command on the cluster.
fn submit(fanlight: &Fanlight, script: &str) {
    let script = script.replace('\n', "\n      ");
    let file = format!(
        "params:\n  n: {{ type: int, default: 0 }}\nengine: cluster\nnodes:\n  work:\n    run: |\n      {script}\n    with: {{ n: \"${{{{ params.n }}}}\" }}\n"
    );
    fanlight.file("w.yaml", &file).say(&["run", "w.yaml", "--detach"]).exits(0);
}

fn log(fanlight: &Fanlight) -> String {
    fanlight.say(&["logs", "last", "work"]).out
}

fn error(fanlight: &Fanlight) -> String {
    let shown = fanlight.say(&["show", "last", "--json"]).exits(0).json();
    shown[0]["nodes"][0]["error"]["message"].as_str().unwrap_or_default().to_owned()
}

/// Kills a process of this number in a file, as a crash does.
pub(crate) fn kill(file: &Path) {
    let pid = fs::read_to_string(file).unwrap().trim().parse().unwrap();
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[test]
#[ignore = "needs Slurm: .ci/slurm runs it"]
fn a_command_runs_on_a_node_and_fails_with_its_exit_code() {
    let fanlight = cluster();
    submit(&fanlight, "echo \"job $SLURM_JOB_ID on $SLURMD_NODENAME\"\necho oops >&2\nexit 7");
    fanlight.await_states(&["failed"]);
    assert_eq!(error(&fanlight), "exit code 7");
    let log = log(&fanlight);
    assert!(log.contains("on n") && log.contains("oops"), "{log}");
}

#[test]
#[ignore = "needs Slurm: .ci/slurm runs it"]
fn cancelling_leaves_nothing_alive() {
    let fanlight = cluster();
    submit(
        &fanlight,
        "trap '' TERM\n(setsid bash -c 'trap \"\" TERM; echo $$ > \"$FANLIGHT_PROJECT/stubborn\"; while :; do sleep 1; done' &)\nuntil [ -s \
         \"$FANLIGHT_PROJECT/stubborn\" ]; do sleep 0.1; done\necho begun\nwhile :; do sleep 1; done",
    );
    wait_for("the command", || log(&fanlight).contains("begun"));
    fanlight.say(&["cancel", "last"]).exits(0);
    fanlight.await_states(&["cancelled"]);
    let pid = fs::read_to_string(fanlight.path("stubborn")).unwrap().trim().parse().unwrap();
    // Without cgroups, Slurm does not find a process that left its session.
    if Path::new("/sys/fs/cgroup/freezer").exists() {
        assert!(!is_alive(pid));
    } else if let Some(pid) = rustix::process::Pid::from_raw(pid) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

#[test]
#[ignore = "needs Slurm: .ci/slurm runs it"]
fn when_the_controller_crashes_nothing_is_lost_or_doubled() {
    let fanlight = cluster();
    let controller = config_of_slurm().with_file_name("slurmctld.pid");
    submit(&fanlight, "echo \"$n\" >> \"$FANLIGHT_PROJECT/runs\"\nsleep 2\necho done");
    let runs = || fs::read_to_string(fanlight.path("runs")).unwrap_or_default();
    wait_for("the command", || !runs().is_empty());
    kill(&controller);
    fanlight.await_states(&["completed"]);
    assert_eq!(runs(), "0\n");
}

#[test]
#[ignore = "needs Slurm: .ci/slurm runs it"]
fn a_sweep_survives_daemons_that_are_killed_and_every_command_runs_once() {
    let fanlight = cluster();
    submit(&fanlight, "echo \"$n\" >> \"$FANLIGHT_PROJECT/runs\"\nsleep 0.5");
    fanlight.say(&["run", "w.yaml", "--detach", "--sweep", "n=1..30"]).exits(0);
    for least in [1, 8, 16] {
        wait_for("commands", || {
            // A daemon is there to submit more.
            fanlight.runs();
            let runs = fs::read_to_string(fanlight.path("runs")).unwrap_or_default();
            runs.lines().count() >= least
        });
        fanlight.kill_daemon();
    }
    fanlight.await_states(&["completed"; 31]);
    let runs = fs::read_to_string(fanlight.path("runs")).unwrap();
    let mut numbers: Vec<u32> = runs.lines().map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..=30).collect::<Vec<_>>());
}

#[test]
#[ignore = "needs Slurm: .ci/slurm runs it"]
fn the_items_of_a_node_are_one_array_and_each_runs_once_although_the_daemon_is_killed() {
    let fanlight = cluster();
    let file = "engine: cluster\nnodes:\n  work:\n    each: ${{ range(100) }}\n    with: { n: '${{ item }}' }\n    run: echo \"$n\" \
                | tee -a \"$FANLIGHT_PROJECT/runs\"\noutputs:\n  said: ${{ work.stdout }}\n";
    fanlight.file("w.yaml", file).say(&["run", "w.yaml", "--detach"]).exits(0);
    let runs = || fs::read_to_string(fanlight.path("runs")).unwrap_or_default();
    wait_for("commands", || runs().lines().count() > 10);
    fanlight.kill_daemon();
    fanlight.await_states(&["completed"]);
    let mut numbers: Vec<usize> = runs().lines().map(|line| line.parse().unwrap()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    let shown = fanlight.say(&["show", "last", "--json"]).exits(0).json();
    let said: Vec<usize> = shown[0]["outputs"]["said"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it.as_str().unwrap().parse().unwrap())
        .collect();
    assert_eq!(said, (0..100).collect::<Vec<_>>());
    let calls = fs::read_to_string(fanlight.programs().join("sbatch.calls")).unwrap();
    assert!(calls.lines().count() < 10 && calls.contains("--array=0-"), "{calls}");
}

#[test]
#[ignore = "needs Slurm: .ci/slurm runs it"]
fn elements_of_an_array_are_cancelled_one_by_one() {
    let fanlight = cluster();
    let script = "echo \"$n\" >> \"$FANLIGHT_PROJECT/runs\"\nsleep 600";
    submit(&fanlight, script);
    fanlight.say(&["cancel", "last"]).exits(0);
    fanlight.say(&["run", "w.yaml", "--detach", "--sweep", "n=1..30"]).exits(0);
    let calls = || fs::read_to_string(fanlight.programs().join("sbatch.calls")).unwrap_or_default();
    wait_for("an array", || calls().contains("--array=0-"));
    wait_for("an element", || {
        fs::read_to_string(fanlight.path("runs")).is_ok_and(|runs| runs.lines().count() > 3)
    });
    fanlight.say(&["cancel", "w#2"]).exits(0);
    let cancelled = || fanlight.runs().iter().filter(|run| run["state"] == "cancelled").count();
    wait_for("its end", || cancelled() == 2);
    fanlight.say(&["cancel", "--all"]).exits(0);
    fanlight.await_states(&["cancelled"; 31]);
}
