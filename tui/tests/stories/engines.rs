//! Commands on an engine: a cluster in a folder that has bad days.

#[path = "engines/apart.rs"]
mod apart;
#[path = "engines/arrays.rs"]
mod arrays;
#[path = "engines/check.rs"]
mod check;
#[path = "engines/cluster.rs"]
mod cluster;
#[path = "engines/login.rs"]
mod login;
#[path = "engines/separate.rs"]
mod separate;

use std::fs;
use std::path::PathBuf;

use crate::support::wait_for;
use cluster::{Cluster, command};

#[test]
fn a_command_runs_on_the_cluster_with_its_inputs_and_its_files_come_back() {
    let cluster = Cluster::new();
    let fanlight = &cluster.fanlight;
    let file = "params:\n  place: { type: text, default: Kew }\nengine: cluster\nnodes:\n  draw:\n    run: |\n      \
                echo \"drawing $place in job $SLURM_JOB_ID\"\n      echo oops >/dev/stderr\n      echo \"$place\" > out.txt\n      \
                echo '{\"type\":\"metric\",\"name\":\"loss\",\"value\":0.5}' >> \"$FANLIGHT_EVENTS\"\n    with: { place: \"${{ \
                params.place }}\" }\n    outputs:\n      text: { path: out.txt, type: text }\n  here:\n    engine: local\n    \
                run: echo \"here ${SLURM_JOB_ID:-without a job}\"\noutputs:\n  said: ${{ draw.stdout }}\n  text: ${{ draw.text \
                }}\n  here: ${{ here.stdout }}\n";
    let said = fanlight.file("w.yaml", file).say(&["run", "w.yaml", "-p", "place=it's Hove"]).exits(0);
    for text in ["drawing it's Hove in job 1", "text\tit's Hove", "here without a job"] {
        assert!(said.out.contains(text), "{}", said.out);
    }
    let log = fanlight.say(&["logs", "last", "draw"]).exits(0).out;
    assert!(log.contains("drawing it's Hove") && log.contains("oops"), "{log}");
    assert!(fanlight.say(&["metrics", "last"]).exits(0).out.contains("loss"));
    let left = || fs::read_dir(fanlight.path("../cluster")).unwrap().count();
    wait_for("its files on the cluster to be removed", || left() == 0);
}

#[test]
fn a_name_that_is_not_declared_is_refused_with_a_near_match() {
    let cluster = Cluster::new();
    let fanlight =
        cluster.fanlight.file("w.yaml", &command("true").replace("engine: cluster", "engine: clutser"));
    fanlight.say(&["run", "w.yaml"]).exits(2).complains("did you mean `cluster`?");
    fanlight.file("w.yaml", &command("true"));
    fanlight
        .say(&["run", "w.yaml", "--engine", "nowhere"])
        .exits(2)
        .complains("does not declare the engine `nowhere`");
    fanlight.say(&["run", "w.yaml", "--engine", "local"]).exits(0);
    assert_eq!(cluster.calls("sbatch"), 0);
}

#[test]
fn a_command_that_fails_has_its_exit_code_and_a_refused_one_the_words_of_the_cluster() {
    let cluster = Cluster::new();
    cluster.submit("echo broken >&2\nexit 7");
    cluster.fanlight.await_states(&["failed"]);
    assert_eq!(cluster.error(), "exit code 7");
    let config = fs::read_to_string(cluster.fanlight.path("../h/config/config.toml")).unwrap();
    cluster.fanlight.config(&(config + "partition = \"nowhere\"\n"));
    cluster.fanlight.say(&["daemon", "stop"]).exits(0);
    cluster.submit("true");
    cluster.fanlight.await_states(&["failed"]);
    assert_eq!(cluster.error(), "`sbatch`: invalid partition specified: nowhere");
}

#[test]
fn a_waiting_job_starts_when_the_cluster_has_place_and_a_cancelled_one_never() {
    let cluster = Cluster::new();
    cluster.turns("hold", "Resources");
    cluster.submit("touch ran\necho ran");
    cluster.await_call("squeue");
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"]);
    cluster.submit("echo ran");
    cluster.await_call("sbatch");
    cluster.recovers("hold");
    cluster.fanlight.await_states(&["completed", "cancelled"]);
}

#[test]
fn cancelling_ends_a_running_command() {
    let cluster = Cluster::new();
    cluster.submit("echo begun\nsleep 1000");
    cluster.await_log("begun");
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"]);
}

#[test]
fn somebody_else_who_cancels_a_job_fails_its_node_for_good() {
    let cluster = Cluster::new();
    let retried = command("echo begun\nsleep 1000").replace("    run:", "    retry: { times: 3 }\n    run:");
    cluster.fanlight.file("w.yaml", &retried).say(&["run", "w.yaml", "--detach"]).exits(0);
    cluster.await_log("begun");
    std::process::Command::new(cluster.file("scancel")).arg("1").status().unwrap();
    cluster.fanlight.await_states(&["failed"]);
    assert!(cluster.error().contains("somebody cancelled the job 1"), "{}", cluster.error());
    assert_eq!(cluster.calls("sbatch"), 1);
}

#[test]
fn jobs_that_are_cancelled_at_once_are_named_in_one_call() {
    let cluster = Cluster::new();
    cluster.turns("hold", "Priority");
    let file = format!("params:\n  n: {{ type: int, default: 0 }}\n{}", command("echo $n"))
        .replace("    run:", "    with: { n: \"${{ params.n }}\" }\n    run:");
    cluster.fanlight.file("w.yaml", &file).say(&["run", "w.yaml", "--detach", "--sweep", "n=1..8"]).exits(0);
    wait_for("eight jobs", || cluster.calls("sbatch") == 8);
    wait_for("jobs that are known", || cluster.fanlight.runs().iter().all(|run| !run["waits_for"].is_null()));
    cluster.fanlight.say(&["cancel", "--all"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"; 8]);
    assert!(cluster.calls("scancel") < 4, "{} calls", cluster.calls("scancel"));
}

#[test]
fn a_job_that_the_controller_has_forgotten_is_explained_by_the_accounting() {
    let cluster = Cluster::new();
    cluster.submit("echo begun\nsleep 1000");
    cluster.await_log("begun");
    // Nothing of it is alive, and nobody wrote how it ended.
    let pid = fs::read_to_string(cluster.file("jobs/1/pid")).unwrap().trim().parse().unwrap();
    let group = rustix::process::Pid::from_raw(pid).unwrap();
    rustix::process::kill_process_group(group, rustix::process::Signal::KILL).unwrap();
    cluster.turns("jobs/1/state", "TIMEOUT|None");
    cluster.turns("purged", "");
    cluster.fanlight.await_states(&["failed"]);
    assert_eq!(cluster.error(), "the job 1 reached its time limit of 01:00:00 after 00:00:42");
}

#[test]
fn a_waiting_job_that_somebody_cancelled_long_ago_is_not_submitted_again() {
    let cluster = Cluster::new();
    cluster.turns("hold", "Priority");
    cluster.submit("echo ran");
    wait_for("its job", || !cluster.fanlight.runs()[0]["waits_for"].is_null());
    cluster.fanlight.kill_daemon();
    std::process::Command::new(cluster.file("scancel")).arg("1").status().unwrap();
    cluster.turns("purged", "");
    cluster.fanlight.await_states(&["failed"]);
    assert!(cluster.error().contains("somebody cancelled the job 1"), "{}", cluster.error());
    assert_eq!(cluster.calls("sbatch"), 1);
}

#[test]
fn a_full_cluster_is_waited_for() {
    let cluster = Cluster::new();
    cluster.turns("busy", "");
    cluster.submit("echo ran");
    cluster.await_call("sbatch");
    cluster.fanlight.await_states(&["running"]);
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"]);
}

#[test]
fn a_controller_that_is_down_fails_nothing() {
    let cluster = Cluster::new();
    cluster.submit("echo begun\nuntil [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.05; done\necho done");
    cluster.await_log("begun");
    cluster.turns("down", "");
    let polls = cluster.calls("squeue");
    wait_for("polls that fail", || cluster.calls("squeue") > polls + 2);
    // What the runner writes is read meanwhile, and success needs no controller.
    cluster.fanlight.file("go", "");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.log(), "begun\ndone\n");
}

#[test]
fn a_lost_answer_submits_nothing_twice() {
    let cluster = Cluster::new();
    cluster.turns("mute", "");
    cluster.submit("echo ran >> \"$FANLIGHT_PROJECT/runs\"");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(fs::read_to_string(cluster.fanlight.path("runs")).unwrap(), "ran\n");
    assert_eq!(cluster.calls("sbatch"), 1);
}

#[test]
fn a_job_that_the_controller_forgot_is_submitted_again_although_another_one_has_its_number() {
    let cluster = Cluster::new();
    let other = cluster.file("other");
    fs::write(&other, "sleep 1000").unwrap();
    cluster.turns("crash", &other.to_string_lossy());
    cluster.submit("echo ran >> \"$FANLIGHT_PROJECT/runs\"");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(fs::read_to_string(cluster.fanlight.path("runs")).unwrap(), "ran\n");
    assert!(!cluster.file("jobs/1/code").exists(), "the other job with its number lives on");
    std::process::Command::new(cluster.file("scancel")).arg("1").status().unwrap();
}

#[test]
fn an_end_that_shows_before_the_command_has_written_it_is_no_end() {
    let cluster = Cluster::new();
    cluster.submit("echo begun\nuntil [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.01; done\necho done");
    cluster.await_log("begun");
    let polls = cluster.calls("squeue");
    cluster.turns("late", "");
    wait_for("a poll that sees its end", || cluster.calls("squeue") > polls + 1);
    cluster.fanlight.file("go", "");
    cluster.fanlight.await_states(&["completed"]);
}

#[test]
fn a_daemon_that_is_killed_while_it_submits_finds_its_job() {
    let cluster = Cluster::new();
    cluster.turns("slow", "");
    cluster.submit("echo ran >> \"$FANLIGHT_PROJECT/runs\"\ntouch \"$FANLIGHT_PROJECT/begun\"");
    cluster.await_file("begun");
    cluster.fanlight.kill_daemon();
    cluster.recovers("slow");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(fs::read_to_string(cluster.fanlight.path("runs")).unwrap(), "ran\n");
    assert_eq!(cluster.calls("sbatch"), 1);
}

#[test]
fn a_job_outlives_the_daemon_and_its_end_is_found_by_the_next_one() {
    let cluster = Cluster::new();
    cluster.submit(
        "echo begun\nuntil [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.05; done\necho done\ntouch \
         \"$FANLIGHT_PROJECT/ended\"",
    );
    cluster.await_log("begun");
    cluster.fanlight.kill_daemon();
    cluster.fanlight.file("go", "");
    cluster.await_file("ended");
    wait_for("the end of the job", || cluster.file("jobs/1/code").exists());
    // It is no longer remembered when the next daemon asks.
    fs::remove_dir_all(cluster.file("jobs/1")).unwrap();
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.log(), "begun\ndone\n");
}

#[test]
fn a_secret_reaches_the_command_and_nothing_else() {
    let cluster = Cluster::new();
    let fanlight = &cluster.fanlight;
    fs::write(fanlight.path("../token"), "hunter2hunter2").unwrap();
    let config = fs::read_to_string(fanlight.path("../h/config/config.toml")).unwrap();
    let source = format!(
        "[secrets]\ntoken = {{ command = [\"cat\", \"{}\"] }}\n",
        fanlight.path("../token").display()
    );
    fanlight.config(&(config + &source));
    let script = "until [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.05; done\necho \"it is $TOKEN\"";
    let file = command(script).replace("    run:", "    env: { TOKEN: \"${{ secrets.token }}\" }\n    run:");
    let file = file.split("outputs:").next().unwrap().to_owned();
    fanlight.file("w.yaml", &file).say(&["run", "w.yaml", "--detach"]).exits(0);
    wait_for("the command", || cluster.file("jobs/1/pid").exists());
    let job = PathBuf::from(fs::read_to_string(cluster.file("jobs/1/folder")).unwrap().trim());
    wait_for("the file of the secret to be removed", || {
        job.join("stdout").exists() && !job.join("start").exists()
    });
    // The next daemon asks for the secret again.
    fanlight.kill_daemon();
    fanlight.file("go", "");
    fanlight.await_states(&["completed"]);
    assert_eq!(cluster.log(), "it is ***\n");
    assert!(!fs::read_to_string(cluster.file("calls")).unwrap().contains("hunter2"));
}

#[test]
fn a_node_says_what_it_waits_for_and_where_it_ran() {
    let cluster = Cluster::new();
    let fanlight = &cluster.fanlight;
    cluster.turns("hold", "Priority");
    cluster.submit("echo done");
    wait_for("the reason of the cluster", || {
        fanlight.say(&["why", "last"]).out.contains("waits (Priority) as job 1 on `cluster`")
    });
    // The queue shows it too.
    assert_eq!(fanlight.runs()[0]["waits_for"], "waits (Priority) as job 1 on `cluster`");
    cluster.recovers("hold");
    fanlight.await_states(&["completed"]);
    assert!(fanlight.runs()[0]["waits_for"].is_null());
    assert!(fanlight.say(&["show", "last"]).out.contains("cluster job 1 on n1"));
    let shown = fanlight.say(&["show", "last", "--json"]).exits(0).json();
    let location = serde_json::json!({ "engine": "cluster", "job": "1", "host": "n1" });
    assert_eq!(shown[0]["nodes"][0]["location"], location);
}

#[test]
fn resources_are_asked_of_the_cluster_and_not_of_this_machine() {
    let cluster = Cluster::new();
    let large = command("true")
        .replace("    run:", "    resources: { cpus: 4096, memory: 900 TB, time: 10m }\n    run:");
    cluster.fanlight.file("w.yaml", &large).say(&["run", "w.yaml"]).exits(0);
    let calls = fs::read_to_string(cluster.file("calls")).unwrap();
    assert!(calls.contains("--cpus-per-task=4096") && calls.contains("--time=11"), "{calls}");
    cluster.fanlight.say(&["run", "w.yaml", "--engine", "local"]).exits(2);
}

#[test]
fn a_time_limit_does_not_count_the_time_in_the_queue() {
    let cluster = Cluster::new();
    cluster.turns("hold", "Priority");
    let limited = command("sleep 1000").replace("    run:", "    timeout: 300ms\n    run:");
    cluster.fanlight.file("w.yaml", &limited).say(&["run", "w.yaml", "--detach"]).exits(0);
    // Longer than its time limit.
    wait_for("many polls", || cluster.calls("squeue") > 10);
    cluster.fanlight.await_states(&["running"]);
    cluster.recovers("hold");
    cluster.fanlight.await_states(&["failed"]);
    assert_eq!(cluster.error(), "timed out after 300ms");
}
