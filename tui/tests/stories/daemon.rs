//! The daemon: started, queried and stopped.

use crate::gated;
use crate::support::{Fanlight, wait_for};

#[test]
fn the_daemon_can_be_started_queried_and_stopped() {
    let fanlight = Fanlight::new();
    fanlight.say(&["daemon", "start"]).exits(0);
    let status = &fanlight.say(&["daemon", "status", "--json"]).exits(0).json()[0];
    for key in ["pid", "version", "home", "socket", "running", "queued"] {
        assert!(status.get(key).is_some(), "{key}: {status}");
    }
    fanlight.say(&["daemon", "start"]).exits(0);
    assert_eq!(fanlight.say(&["daemon", "status", "--json"]).json()[0]["pid"], status["pid"], "one per home");
    fanlight.say(&["doctor"]).exits(0);
    fanlight.say(&["daemon", "stop"]).exits(0);
    fanlight.say(&["daemon", "status"]).exits(3);
    fanlight.say(&["doctor"]).exits(0);
}

#[test]
fn a_stopped_daemon_leaves_commands_to_the_next_one() {
    let fanlight = gated();
    fanlight.say(&["run", "gated.yaml", "--detach"]).exits(0);
    fanlight.await_states(&["running"]);
    wait_for("the command's first line", || fanlight.say(&["logs", "last"]).out == "begun 1\n");
    fanlight.say(&["daemon", "stop"]).exits(0).complains("supervisor");
    fanlight.file("go", "");
    fanlight.say(&["watch", "last"]).exits(0).complains("started a daemon");
    assert_eq!(fanlight.say(&["logs", "last"]).exits(0).out, "begun 1\n", "once, with its whole log");
}

#[test]
fn commands_say_that_the_daemon_does_not_respond_and_wait_for_it() {
    use rustix::process::{Pid, Signal, kill_process};
    let fanlight = gated();
    fanlight.say(&["run", "gated.yaml", "--detach"]).exits(0);
    let status = fanlight.say(&["daemon", "status", "--json"]).exits(0).json();
    let pid = status[0]["pid"].as_i64().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?)).unwrap();
    let mut logs = fanlight.start(&["logs", "last", "-f"]);
    logs.writes_a_line();
    let mut said = logs.complaints();
    let mut until = |text: &str| assert!(said.any(|line| line.contains(text)), "{text}");
    // The one that follows a run expects events, the other one a connection.
    kill_process(pid, Signal::STOP).unwrap();
    let mut ps = fanlight.start(&["ps", "--json"]);
    ps.complains_once();
    until("the daemon doesn't respond");
    kill_process(pid, Signal::CONT).unwrap();
    until("the daemon responds again");
    assert_eq!(ps.ends().exits(0).json().len(), 1);
    fanlight.file("go", "");
    logs.ends().exits(0);
}

#[test]
fn stopping_the_daemon_names_the_nodes_that_fail_for_it() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", server.local_addr().unwrap());
    let fanlight = Fanlight::new();
    let document = "name: Send\nnodes: { send: { uses: http.request, with: { url: URL, method: POST, local: true } } }\n";
    fanlight.file("send.yaml", &document.replace("URL", &format!("'{url}'")));
    fanlight.say(&["run", "send.yaml", "--detach"]).exits(0);
    let _connection = server.accept().unwrap();
    fanlight.say(&["daemon", "stop"]).exits(0).complains("`send` of send#1 was interrupted and fails");
    fanlight.say(&["watch", "last"]).exits(1).complains("it may have had effects");
}

#[test]
fn homes_with_one_database_have_one_daemon_wherever_their_state_is() {
    let fanlight = Fanlight::new();
    let with_state = |name: &str, arguments: &[&str]| {
        let mut command = fanlight.command(arguments);
        command.env_remove("FANLIGHT_HOME");
        for (variable, folder) in [("XDG_DATA_HOME", "x-data"), ("XDG_CONFIG_HOME", "x-config")] {
            command.env(variable, fanlight.path(folder));
        }
        command.env("XDG_STATE_HOME", fanlight.path(name));
        command.output().expect("the command runs")
    };
    assert!(with_state("one", &["daemon", "start"]).status.success());
    let second = with_state("two", &["daemon"]);
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    let stopped = with_state("two", &["daemon", "stop"]);
    assert_eq!(second.status.code(), Some(75), "{said}");
    assert!(said.contains("a daemon already runs for this home"), "{said}");
    assert!(stopped.status.success(), "it still has its socket: {stopped:?}");
}
