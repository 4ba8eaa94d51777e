//! Equal attempts that are submitted together: one array.

use std::fs;

use super::Cluster;
use crate::support::wait_for;

/// How many there are.
const COUNT: usize = 25;

/// A workflow with this command for each of many items.
fn items(script: &str) -> String {
    format!(
        "engine: cluster\nnodes:\n  work:\n    each: ${{{{ range({COUNT}) }}}}\n    with: {{ n: '${{{{ item }}}}' }}\n    run: |\n      \
         {}\noutputs:\n  said: ${{{{ work.stdout }}}}\n",
        script.replace('\n', "\n      ")
    )
}

impl Cluster {
    /// Submits a run with this command for each of many items.
    fn submit_items(&self, script: &str) {
        self.fanlight.file("w.yaml", &items(script)).say(&["run", "w.yaml", "--detach"]).exits(0);
    }

    /// Submits as many runs with this command, which wait in the queue of the cluster as one array.
    fn submit_runs(&self, script: &str) {
        let config = fs::read_to_string(self.fanlight.path("../h/config/config.toml")).unwrap();
        self.fanlight.config(&format!("max_concurrent_runs = {COUNT}\n{config}"));
        self.turns("hold", "Priority");
        let file = format!("params:\n  n: {{ type: int, default: 0 }}\n{}", super::command(script))
            .replace("    run:", "    with: { n: \"${{ params.n }}\" }\n    run:");
        let sweep = format!("n=1..{COUNT}");
        self.fanlight.file("w.yaml", &file).say(&["run", "w.yaml", "--detach", "--sweep", &sweep]).exits(0);
        wait_for("elements that are known", || {
            self.fanlight
                .runs()
                .iter()
                .all(|run| run["waits_for"].as_str().is_some_and(|it| it.contains("1_")))
        });
    }

    /// Returns the lines that the commands wrote, in order.
    fn ran(&self) -> Vec<usize> {
        let text = fs::read_to_string(self.fanlight.path("runs")).unwrap_or_default();
        let mut ran: Vec<usize> = text.lines().map(|line| line.parse().unwrap()).collect();
        ran.sort_unstable();
        ran
    }

    fn scancel(&self, ids: impl IntoIterator<Item = String>) {
        assert!(std::process::Command::new(self.file("scancel")).args(ids).status().unwrap().success());
    }
}

#[test]
fn equal_commands_are_submitted_in_one_call_and_find_the_same_as_each_alone() {
    let cluster = Cluster::new();
    cluster.submit_items("echo \"$n ${SLURM_ARRAY_TASK_ID-alone} $PWD\"; echo \"{\\\"type\\\":\\\"metric\\\",\\\"name\\\":\\\"loss\\\",\\\"value\\\":$n}\" >> \"$FANLIGHT_EVENTS\"");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.calls("sbatch"), 1);
    let calls = fs::read_to_string(cluster.file("calls")).unwrap();
    assert!(calls.contains(&format!(" --array=0-{} ", COUNT - 1)), "{calls}");
    let shown = cluster.fanlight.say(&["show", "last", "--json"]).exits(0).json();
    let said = shown[0]["outputs"]["said"].as_array().unwrap();
    assert_eq!(said.len(), COUNT);
    for (index, text) in said.iter().enumerate() {
        assert!(text.as_str().unwrap().starts_with(&format!("{index} alone /")), "{text}");
    }
    let left = || fs::read_dir(cluster.fanlight.path("../cluster")).unwrap().count();
    wait_for("their files on the cluster to be removed", || left() == 0);
}

#[test]
fn a_daemon_that_is_killed_while_it_submits_an_array_finds_its_elements() {
    let cluster = Cluster::new();
    cluster.turns("slow", "");
    cluster.submit_items("echo $n >> \"$FANLIGHT_PROJECT/runs\"");
    wait_for("all commands", || cluster.ran().len() == COUNT);
    cluster.fanlight.kill_daemon();
    cluster.recovers("slow");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.ran(), (0..COUNT).collect::<Vec<_>>());
    assert_eq!(cluster.calls("sbatch"), 1);
}

#[test]
fn a_lost_answer_about_an_array_submits_nothing_twice() {
    let cluster = Cluster::new();
    cluster.turns("mute", "");
    cluster.submit_items("echo $n >> \"$FANLIGHT_PROJECT/runs\"");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.ran(), (0..COUNT).collect::<Vec<_>>());
    assert_eq!(cluster.calls("sbatch"), 1);
}

#[test]
fn an_array_that_the_controller_forgot_is_submitted_again() {
    let cluster = Cluster::new();
    cluster.turns("crash", "");
    cluster.submit_items("echo $n >> \"$FANLIGHT_PROJECT/runs\"");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.ran(), (0..COUNT).collect::<Vec<_>>());
}

#[test]
fn one_element_is_cancelled_and_the_others_go_on() {
    let cluster = Cluster::new();
    cluster.submit_runs("echo $n >> \"$FANLIGHT_PROJECT/runs\"");
    assert_eq!(cluster.calls("sbatch"), 1);
    cluster.fanlight.say(&["cancel", "w#7"]).exits(0);
    let count = |state: &str| cluster.fanlight.runs().iter().filter(|run| run["state"] == state).count();
    wait_for("the cancelled one", || count("cancelled") == 1);
    cluster.scancel(["1_3".to_owned()]);
    wait_for("the one that somebody cancelled", || count("failed") == 1);
    cluster.recovers("hold");
    wait_for("the others", || count("completed") == COUNT - 2);
    assert_eq!(cluster.ran().len(), COUNT - 2);
    assert_eq!(cluster.calls("sbatch"), 1);
}

#[test]
fn elements_that_the_controller_has_forgotten_are_explained_by_the_accounting() {
    let cluster = Cluster::new();
    cluster.submit_runs("echo ran");
    cluster.fanlight.kill_daemon();
    cluster.scancel((0..COUNT).map(|index| format!("1_{index}")));
    cluster.turns("purged", "");
    cluster.fanlight.await_states(&["failed"; COUNT]);
    assert!(cluster.error().contains("somebody cancelled the job 1_"), "{}", cluster.error());
    assert_eq!(cluster.calls("sbatch"), 1);
}

#[test]
fn a_cluster_that_takes_no_such_array_gets_jobs() {
    let cluster = Cluster::new();
    cluster.turns("arrays", "20");
    cluster.submit_items("echo $n >> \"$FANLIGHT_PROJECT/runs\"");
    cluster.fanlight.await_states(&["completed"]);
    assert_eq!(cluster.ran(), (0..COUNT).collect::<Vec<_>>());
    assert_eq!(cluster.calls("sbatch"), COUNT + 1);
}

#[test]
fn a_cluster_with_place_for_some_gets_these() {
    let cluster = Cluster::new();
    cluster.turns("room", "22");
    cluster.turns("hold", "Priority");
    cluster.submit_items("echo $n");
    let jobs = || fs::read_dir(cluster.file("jobs")).map_or(0, Iterator::count);
    wait_for("some jobs", || jobs() > 15);
    assert!(jobs() <= 22);
    cluster.fanlight.say(&["cancel", "last"]).exits(0);
    cluster.fanlight.await_states(&["cancelled"]);
}
