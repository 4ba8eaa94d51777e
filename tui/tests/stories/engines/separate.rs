//! Copies and work trees for commands on an engine.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use super::Cluster;
use crate::support::wait_for;

impl Cluster {
    fn git(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
        let output = command.current_dir(self.fanlight.path("")).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Makes the project a repository with a file.
    fn commit(&self) {
        self.fanlight.file("main.txt", "main\n");
        self.git(&["init", "-q"]);
        self.git(&["add", "main.txt"]);
        self.git(&["commit", "-qm", "begin"]);
    }

    /// Waits until nothing of any attempt is left on the cluster, and the repository knows only the user's work tree.
    fn await_clean(&self, workdir: &str) {
        let left = || fs::read_dir(self.fanlight.path(workdir)).unwrap().count();
        wait_for("the files on the cluster to be removed", || left() == 0);
        wait_for("the work tree to be forgotten", || self.git(&["worktree", "list"]).lines().count() == 1);
    }
}

/// A command that changes a file and makes another one.
const EDITS: &str = "engine: cluster
nodes:
  edit:
    dir: { DIR }
    run: |
      case $PWD in */cluster/*) ;; *) exit 9 ;; esac
      GATE
      echo \"job $SLURM_JOB_ID\" >> main.txt
      echo new > new.txt
    outputs: { made: { glob: '*.txt', type: text } }
outputs: { patch: '${{ edit.patch }}', made: '${{ edit.made }}', OUTPUT }
";

fn edits(dir: &str, gate: &str, output: &str) -> String {
    EDITS.replace("DIR", dir).replace("GATE", gate).replace("OUTPUT", output)
}

#[test]
fn a_command_on_the_cluster_has_a_copy_or_a_work_tree_of_its_own() {
    for (dir, output) in [
        ("copy: ., exclude: [.git, '*.yaml'], collect: [patch, files]", "files: '${{ edit.files }}'"),
        ("worktree: HEAD, collect: [patch, branch]", "branch: '${{ edit.branch }}'"),
    ] {
        let cluster = Cluster::new();
        cluster.commit();
        let fanlight = cluster.fanlight.file("w.yaml", &edits(dir, ":", output));
        fanlight.say(&["run", "w.yaml", "--out", "../out"]).exits(0);
        let shown = fanlight.say(&["show", "w", "--json"]).exits(0).json();
        let made = &shown[0]["outputs"]["made"];
        assert_eq!(made, &serde_json::json!(["main\njob 1\n", "new\n"]), "{dir}");
        assert_eq!(fs::read_to_string(fanlight.path("main.txt")).unwrap(), "main\n");
        let mut found = Command::new("find");
        found.args(["../out", "-type", "f", "-name", "*patch*"]);
        let patch = found.current_dir(fanlight.path("")).output().unwrap().stdout;
        cluster.git(&["apply", String::from_utf8(patch).unwrap().trim()]);
        assert_eq!(fs::read_to_string(fanlight.path("new.txt")).unwrap(), "new\n");
        if dir.starts_with("worktree") {
            assert_eq!(cluster.git(&["show", "fanlight/w-1-edit:main.txt"]), "main\njob 1\n");
        }
        cluster.await_clean("../cluster");
    }
}

#[test]
fn a_work_tree_on_the_cluster_outlives_the_daemon_and_a_change_of_the_config() {
    let cluster = Cluster::new();
    cluster.commit();
    let gate =
        "touch \"$FANLIGHT_PROJECT/begun\"; until [ -e \"$FANLIGHT_PROJECT/go\" ]; do sleep 0.05; done";
    let text = edits("worktree: HEAD, collect: [patch, branch]", gate, "branch: '${{ edit.branch }}'");
    let fanlight = cluster.fanlight.file("w.yaml", &text);
    fanlight.say(&["run", "w.yaml", "--detach"]).exits(0);
    cluster.await_file("begun");
    fanlight.kill_daemon();
    let config = fs::read_to_string(fanlight.path("../h/config/config.toml")).unwrap();
    fs::create_dir(fanlight.path("../other")).unwrap();
    fanlight.config(&config.replace("/cluster\"", "/other\""));
    fanlight.file("go", "");
    fanlight.await_states(&["completed"]);
    assert_eq!(cluster.git(&["show", "fanlight/w-1-edit:new.txt"]), "new\n");
    cluster.await_clean("../cluster");
    cluster.await_clean("../other");
}

#[test]
fn nothing_is_left_of_a_work_tree_whose_job_never_ran() {
    let cluster = Cluster::new();
    cluster.commit();
    cluster.turns("hold", "Resources");
    cluster.fanlight.file("w.yaml", &edits("worktree: HEAD, collect: patch", ":", ""));
    cluster.fanlight.say(&["run", "w.yaml", "--detach"]).exits(0);
    cluster.await_call("sbatch");
    assert_eq!(cluster.git(&["worktree", "list"]).lines().count(), 2);
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"]);
    cluster.await_clean("../cluster");
}

#[test]
fn a_patch_without_git_on_the_cluster_is_an_error() {
    let cluster = Cluster::new();
    cluster.commit();
    let few = cluster.fanlight.path("../few");
    fs::create_dir(&few).unwrap();
    for name in ["bash", "sh", "mkdir"] {
        let found = Command::new("sh").args(["-c", &format!("command -v {name}")]).output().unwrap();
        symlink(String::from_utf8(found.stdout).unwrap().trim(), few.join(name)).unwrap();
    }
    let config = fs::read_to_string(cluster.fanlight.path("../h/config/config.toml")).unwrap();
    cluster.fanlight.config(&(config + &format!("prelude = \"export PATH={}\"\n", few.display())));
    cluster.fanlight.file("w.yaml", &edits("copy: ., collect: patch", ":", ""));
    cluster.fanlight.say(&["run", "w.yaml"]).exits(1);
    assert!(cluster.error().contains("git is not installed"), "{}", cluster.error());
}
