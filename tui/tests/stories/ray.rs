//! Commands on a Ray cluster, whose head has bad days.

#[path = "ray/check.rs"]
mod check;
#[path = "ray/cluster.rs"]
mod cluster;
#[path = "ray/head.rs"]
mod head;

use std::fs;

use crate::support::wait_for;
use cluster::{Cluster, command};
use head::Mood;

/// A command that waits for the file `go`.
const WAITS: &str = "echo ran >> \"$FANLIGHT_PROJECT/runs\"\necho begun\nuntil [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.05; \
                     done\necho done\ntouch \"$FANLIGHT_PROJECT/ended\"";
/// A command that is seen to run once.
const RUNS_ONCE: &str = "echo ran >> \"$FANLIGHT_PROJECT/runs\"";

#[test]
fn a_command_runs_on_the_cluster_and_its_files_come_back() {
    let cluster = Cluster::new();
    let fanlight = &cluster.fanlight;
    let file = "params:\n  place: { type: text, default: Kew }\nengine: ray\nnodes:\n  draw:\n    run: |\n      \
                echo \"drawing $place ${RAY_JOB:-elsewhere} ${FANLIGHT_JOB:-}\"\n      echo oops >/dev/stderr\n      echo \"$place\" > out.txt\n      \
                echo '{\"type\":\"metric\",\"name\":\"loss\",\"value\":0.5}' >> \"$FANLIGHT_EVENTS\"\n    with: { place: \"${{ \
                params.place }}\" }\n    outputs:\n      text: { path: out.txt, type: text }\n  here:\n    engine: local\n    \
                run: echo \"here ${RAY_JOB:-without a job}\"\noutputs:\n  said: ${{ draw.stdout }}\n  text: ${{ draw.text \
                }}\n  here: ${{ here.stdout }}\n";
    let said = fanlight.file("w.yaml", file).say(&["run", "w.yaml", "-p", "place=it's Hove"]).exits(0);
    for text in ["drawing it's Hove 1", "text\tit's Hove", "here without a job"] {
        assert!(said.out.contains(text), "{}", said.out);
    }
    let log = fanlight.say(&["logs", "last", "draw"]).exits(0).out;
    assert!(log.contains("drawing it's Hove") && log.contains("oops"), "{log}");
    assert!(fanlight.say(&["metrics", "last"]).exits(0).out.contains("loss"));
    wait_for("its files to be removed", || fs::read_dir(fanlight.path("../cluster")).unwrap().count() == 0);
    wait_for("its job to be removed from the head", || cluster.head.jobs().is_empty());
}

#[test]
fn a_command_that_fails_has_its_exit_code() {
    let cluster = Cluster::new();
    cluster.submit("echo broken >&2\nexit 7");
    cluster.fanlight.await_states(&["failed"]);
    assert_eq!(cluster.error(), "exit code 7");
}

#[test]
fn a_node_says_what_it_waits_for_and_where_it_ran() {
    let cluster = Cluster::new();
    let fanlight = &cluster.fanlight;
    cluster.head.turns(Mood::Hold);
    cluster.submit("echo done");
    let job = cluster.head.job();
    let reason = format!("waits (resources) as job {job} on `ray`");
    wait_for("the reason of the head", || fanlight.say(&["why", "last"]).out.contains(&reason));
    cluster.head.recovers(Mood::Hold);
    fanlight.await_states(&["completed"]);
    let shown = fanlight.say(&["show", "last"]).out;
    assert!(shown.contains("ray on ") && shown.contains(&format!(" as job {job}")), "{shown}");
    let listed = fanlight.say(&["engine", "list"]).exits(0).out;
    assert!(listed.contains("ray") && listed.contains("http://127.0.0.1:"), "{listed}");
}

#[test]
fn resources_are_asked_of_the_cluster_and_not_of_this_machine() {
    let cluster = Cluster::new();
    let large = command("true")
        .replace("    run:", "    resources: { cpus: 4096, memory: 900 TB, gpus: 2 }\n    run:");
    cluster.fanlight.file("w.yaml", &large).say(&["run", "w.yaml"]).exits(0);
    let requests = cluster.head.requests().join("\n");
    for text in [
        "\"entrypoint_num_cpus\":4096.0",
        "\"entrypoint_num_gpus\":2",
        "\"entrypoint_memory\":900000000000000",
    ] {
        assert!(requests.contains(text), "{requests}");
    }
}

#[test]
fn cancelling_ends_a_running_command_and_all_that_it_started() {
    let cluster = Cluster::new();
    // One of them leaves the group and the session, and so Ray's sight.
    cluster.submit(
        "echo begun\n(setsid sleep 1001 & echo $! > \"$FANLIGHT_PROJECT/away\")\nsleep 1001 &\necho $! > \
         \"$FANLIGHT_PROJECT/pid\"\nwait",
    );
    cluster.await_log("begun");
    let pid = |name: &str| fs::read_to_string(cluster.fanlight.path(name)).unwrap_or_default();
    wait_for("both processes", || !pid("pid").is_empty() && !pid("away").is_empty());
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"]);
    for name in ["pid", "away"] {
        wait_for("the end of what it started", || !crate::alive::is_alive(pid(name).trim()));
    }
}

#[test]
fn cancelling_ends_a_command_that_wants_to_stay() {
    let cluster = Cluster::new();
    cluster.submit("trap '' TERM\necho begun\nwhile :; do sleep 1; done");
    cluster.await_log("begun");
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"]);
}

#[test]
fn a_job_that_waits_is_cancelled_at_once_and_never_runs() {
    let cluster = Cluster::new();
    // Ray ends such a job only once it has place.
    cluster.head.turns(Mood::Hold);
    cluster.submit(RUNS_ONCE);
    wait_for("its job", || !cluster.fanlight.runs()[0]["waits_for"].is_null());
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"]);
    cluster.head.recovers(Mood::Hold);
    wait_for("the end of its job", || {
        !cluster.head.jobs().iter().any(|state| state == "RUNNING" || state == "PENDING")
    });
    assert_eq!(cluster.runs(), "");
}

#[test]
fn somebody_else_who_stops_a_job_fails_its_node_for_good() {
    let cluster = Cluster::new();
    let retried = command("echo begun\nsleep 1000").replace("    run:", "    retry: { times: 3 }\n    run:");
    cluster.fanlight.file("w.yaml", &retried).say(&["run", "w.yaml", "--detach"]).exits(0);
    cluster.await_log("begun");
    cluster.head.stops();
    cluster.fanlight.await_states(&["failed"]);
    assert!(cluster.error().contains("somebody cancelled the job fanlight-"), "{}", cluster.error());
    assert_eq!(cluster.submissions(), 1);
}

#[test]
fn a_full_head_is_waited_for() {
    let cluster = Cluster::new();
    cluster.head.turns(Mood::Busy);
    cluster.submit("echo ran");
    wait_for("the reason", || {
        let reason = cluster.fanlight.runs()[0]["waits_for"].as_str().unwrap_or_default().to_owned();
        reason.contains("takes more jobs") && reason.contains("answered 503")
    });
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"]);
}

#[test]
fn a_lost_answer_submits_nothing_twice() {
    let cluster = Cluster::new();
    cluster.head.turns(Mood::Mute);
    cluster.submit(RUNS_ONCE);
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!((cluster.runs().as_str(), cluster.submissions()), ("ran\n", 1));
}

#[test]
fn a_head_that_is_down_fails_nothing() {
    let cluster = Cluster::new();
    cluster.submit(WAITS);
    cluster.await_log("begun");
    cluster.head.turns(Mood::Down);
    wait_for("the reason", || {
        cluster.fanlight.say(&["why", "last"]).out.contains("waits for the controller of `ray`")
    });
    // What the runner writes is read meanwhile, and success needs no head.
    cluster.fanlight.file("go", "");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.log(), "begun\ndone\n");
}

#[test]
fn a_daemon_that_is_killed_while_it_submits_finds_its_job() {
    let cluster = Cluster::new();
    cluster.head.turns(Mood::Slow);
    cluster.submit(WAITS);
    cluster.await_file("runs");
    cluster.fanlight.kill_daemon();
    cluster.head.recovers(Mood::Slow);
    cluster.fanlight.file("go", "");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!((cluster.runs().as_str(), cluster.submissions()), ("ran\n", 1));
}

#[test]
fn a_job_outlives_the_daemon_and_a_head_that_forgets_it() {
    let cluster = Cluster::new();
    cluster.submit(WAITS);
    cluster.await_log("begun");
    cluster.fanlight.kill_daemon();
    cluster.fanlight.file("go", "");
    cluster.await_file("ended");
    wait_for("the end of the job", || cluster.head.jobs() == ["SUCCEEDED"]);
    cluster.head.forgets();
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!((cluster.log().as_str(), cluster.submissions()), ("begun\ndone\n", 1));
}

#[test]
fn a_waiting_job_that_the_head_forgot_is_submitted_again_and_runs_once() {
    let cluster = Cluster::new();
    cluster.head.turns(Mood::Hold);
    cluster.submit(RUNS_ONCE);
    let job = cluster.head.job();
    cluster.head.forgets();
    cluster.head.recovers(Mood::Hold);
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!((cluster.runs().as_str(), cluster.submissions()), ("ran\n", 2));
    assert!(cluster.fanlight.say(&["show", "last"]).out.contains(&job), "it has the same id");
}

#[test]
fn a_running_job_that_the_head_forgot_is_known_by_what_its_runner_writes() {
    let cluster = Cluster::new();
    cluster.submit(WAITS);
    cluster.await_log("begun");
    cluster.head.forgets();
    let polls = cluster.head.asked("GET /api/jobs/ ");
    wait_for("polls without it", || cluster.head.asked("GET /api/jobs/ ") > polls + 5);
    cluster.fanlight.file("go", "");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!((cluster.runs().as_str(), cluster.submissions()), ("ran\n", 1));
}

#[test]
fn a_job_that_ray_gave_up_because_it_waited_for_long_is_submitted_again() {
    let cluster = Cluster::new();
    cluster.head.turns(Mood::Expires);
    cluster.submit(RUNS_ONCE);
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.runs(), "ran\n");
}

#[test]
fn a_job_that_lost_its_node_before_it_began_is_a_failure_of_the_cluster() {
    let cluster = Cluster::new();
    cluster.head.turns(Mood::LosesNode);
    let repeatable = command(RUNS_ONCE).replace("    run:", "    effects: none\n    run:");
    cluster.fanlight.file("w.yaml", &repeatable).say(&["run", "w.yaml", "--detach"]).exits(0);
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.runs(), "ran\n");
    // The second attempt has a job of its own.
    assert_eq!(cluster.submissions(), 2);
}

#[test]
fn a_command_whose_node_lost_touch_runs_to_its_end_once() {
    let cluster = Cluster::new();
    cluster.submit(WAITS);
    cluster.await_log("begun");
    let polls = cluster.head.asked("GET /api/jobs/ ");
    cluster.head.loses_node();
    wait_for("polls that see it", || cluster.head.asked("GET /api/jobs/ ") > polls + 5);
    cluster.fanlight.file("go", "");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!((cluster.runs().as_str(), cluster.submissions()), ("ran\n", 1));
}

#[test]
fn a_token_reaches_the_head_and_nothing_else() {
    let cluster = Cluster::with("token_env = \"RAY_AUTH_TOKEN\"\n");
    let fanlight = &cluster.fanlight;
    cluster.head.wants("hunter2hunter2");
    let printing = command("env\ncat ../runner.sh ../prelude ../started ../job.log");
    fanlight.file("w.yaml", printing.split("outputs:").next().unwrap());
    let mut run = fanlight.command(&["run", "w.yaml"]);
    let said = run.env("RAY_AUTH_TOKEN", "hunter2hunter2").output().unwrap();
    let out = String::from_utf8_lossy(&said.stdout).into_owned() + &String::from_utf8_lossy(&said.stderr);
    assert!(said.status.success() && !out.contains("hunter2"), "{out}");
    assert!(!cluster.head.requests().join("\n").contains("hunter2"), "it is in a header only");
    let printed = cluster.log();
    assert!(!printed.contains("hunter2") && printed.contains("RAY_AUTH_TOKEN=***"), "{printed}");
    let log = fs::read_to_string(fanlight.path("../h/state/daemon.log")).unwrap_or_default();
    assert!(!log.contains("hunter2"), "{log}");
}

#[test]
fn a_head_that_refuses_the_token_is_named_with_what_to_do() {
    let cluster = Cluster::new();
    cluster.head.wants("hunter2hunter2");
    cluster.submit("true");
    cluster.fanlight.await_states(&["failed"]);
    assert!(cluster.error().contains("wants a token: set `token`"), "{}", cluster.error());
}
