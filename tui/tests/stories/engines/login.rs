//! A cluster that is used through `ssh`.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::Cluster;
use crate::support::wait_for;

impl Cluster {
    /// Makes `ssh` fail with these words.
    pub(super) fn ssh_says(&self, words: &str) {
        fs::write(self.fanlight.programs().join("says"), format!("255\n{words}\n")).unwrap();
    }

    /// Makes the login node answer every command with these words and this exit code, as during a maintenance.
    pub(super) fn login_answers(&self, code: u8, words: &str) {
        fs::write(self.fanlight.programs().join("says"), format!("answers {code}\n{words}\n")).unwrap();
    }

    /// Lets the maintenance end, but for the connection that was opened during it.
    pub(super) fn login_answers_new_connections(&self, code: u8, words: &str) {
        fs::write(self.fanlight.programs().join("says"), format!("stale {code}\n{words}\n")).unwrap();
    }

    pub(super) fn ssh_works(&self) {
        fs::remove_file(self.fanlight.programs().join("says")).unwrap();
    }
}

#[test]
fn a_command_runs_on_a_cluster_that_ssh_reaches() {
    let cluster = Cluster::elsewhere();
    let listed = cluster.fanlight.say(&["engine", "list"]).exits(0).out;
    assert!(listed.contains("ssh://ada@login"), "{listed}");
    cluster.submit("echo \"in job $SLURM_JOB_ID\"");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.log(), "in job 1\n");
    let checked = cluster.fanlight.say(&["engine", "check", "cluster"]).exits(0).out;
    assert!(checked.contains("`ada@login` runs commands") && checked.contains("✓ cancel"), "{checked}");
    let calls = fs::read_to_string(cluster.fanlight.programs().join("calls")).unwrap();
    assert!(calls.lines().all(|call| call.contains("ControlMaster=auto") && call.contains("BatchMode=yes")));
    cluster.submit("echo begun\nsleep 1000");
    cluster.await_log("begun");
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"]);
}

#[test]
fn a_login_node_that_is_away_fails_nothing_and_is_waited_for() {
    let cluster = Cluster::elsewhere();
    cluster.submit("echo begun\nuntil [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.05; done\nexit 3");
    cluster.await_log("begun");
    cluster.ssh_says("ssh: connect to host login port 22: Connection refused");
    let why = "waits for the controller of `cluster`: `ada@login` can't be reached through `ssh`";
    wait_for("the reason", || cluster.fanlight.say(&["why", "last"]).out.contains(why));
    cluster.fanlight.file("go", "");
    cluster.fanlight.await_states(&["running"]);
    cluster.ssh_works();
    cluster.fanlight.await_states(&["failed"]);
    assert_eq!(cluster.error(), "exit code 3");
}

#[test]
fn a_job_is_submitted_when_the_login_node_runs_commands_again() {
    let cluster = Cluster::elsewhere();
    // As a shell ends that finds no program.
    cluster.login_answers(127, "under maintenance until 18:00");
    cluster.submit("echo ran");
    let why = "waits until `cluster` takes more jobs: `ada@login` did not run the command: under maintenance until 18:00";
    wait_for("the reason", || cluster.fanlight.say(&["why", "last"]).out.contains(why));
    cluster.fanlight.await_states(&["running"]);
    cluster.ssh_works();
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.calls("sbatch"), 1);
}

#[test]
fn a_check_says_how_to_log_in_and_what_the_login_node_lacks() {
    let cluster = Cluster::elsewhere();
    let check = || cluster.fanlight.say(&["engine", "check", "cluster"]).exits(1).out;
    cluster.ssh_says("ada@login: Permission denied (publickey).");
    let said = check();
    assert!(said.contains("✗ login") && said.contains("`ssh ssh://ada@login` must work first"), "{said}");
    cluster.ssh_works();
    // As a shell ends that finds no program; the machine of this test may have one of this name elsewhere.
    fs::remove_file(cluster.file("squeue")).unwrap();
    fs::write(cluster.file("squeue"), "#!/bin/sh\nexit 127\n").unwrap();
    fs::set_permissions(cluster.file("squeue"), fs::Permissions::from_mode(0o700)).unwrap();
    let said = check();
    assert!(said.contains("✗ programs") && said.contains("no program `squeue`"), "{said}");
}

#[test]
fn a_connection_that_was_opened_during_maintenance_is_left_after_it() {
    let cluster = Cluster::elsewhere();
    cluster.login_answers(1, "under maintenance until 18:00");
    cluster.submit("echo ran");
    wait_for("the words of the login node", || {
        cluster.fanlight.say(&["why", "last"]).out.contains("under maintenance until 18:00")
    });
    cluster.login_answers_new_connections(1, "under maintenance until 18:00");
    wait_for("another connection", || !cluster.fanlight.programs().join("says").exists());
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.log(), "ran\n");
}
