//! One daemon for a home, started when it is needed.

use crate::process::status;
use crate::seeded;
use crate::support::Fanlight;

#[test]
fn a_second_daemon_is_refused_and_the_first_continues() {
    let fanlight = seeded();
    fanlight.say(&["daemon", "start"]).exits(0);
    let first = status(&fanlight);
    fanlight.say(&["daemon"]).complains(&format!("process {}", first["pid"]));
    assert_eq!(status(&fanlight)["pid"], first["pid"]);
}

#[test]
fn the_next_command_after_a_stop_has_a_daemon() {
    let fanlight = seeded();
    for _ in 0..5 {
        fanlight.say(&["run", "seeded.yaml"]).exits(0);
        fanlight.say(&["daemon", "stop"]).exits(0);
    }
    assert_eq!(fanlight.runs().len(), 5);
}

#[test]
fn a_background_daemon_holds_no_open_file_of_the_process_that_started_it() {
    let fanlight = Fanlight::new();
    // A shell passes its open descriptors on; a lock on one would last as long as the daemon.
    let mut shell = fanlight.command(&[]);
    let exe = shell.get_program().to_owned();
    let mut command = std::process::Command::new("sh");
    for (name, value) in shell.get_envs() {
        if let Some(value) = value {
            command.env(name, value);
        }
    }
    let script = "exec 7>held; exec \"$0\" daemon start";
    command.args(["-c", script]).arg(exe).current_dir(shell.get_current_dir().unwrap());
    assert!(command.status().unwrap().success());
    let folder = format!("/proc/{}/fd", status(&fanlight)["pid"]);
    for open in std::fs::read_dir(folder).unwrap().flatten() {
        let target = std::fs::read_link(open.path()).unwrap_or_default();
        assert_ne!(target, fanlight.path("held"));
    }
    shell.args(["daemon", "stop"]);
    assert!(shell.output().unwrap().status.success());
}
