//! `fanlight engine check` with the head of a Ray cluster.

use super::{Cluster, Mood};

/// Checks the engine. Returns the results of its steps, and all messages and hints.
fn check(cluster: &Cluster) -> (Vec<String>, String) {
    let steps = cluster.fanlight.say(&["engine", "check", "ray", "--json", "--timeout", "20s"]).json();
    let word = |step: &serde_json::Value, key: &str| step[key].as_str().unwrap_or_default().to_owned();
    let results =
        steps.iter().map(|step| format!("{} {}", word(step, "step"), word(step, "result"))).collect();
    let said =
        steps.iter().map(|step| format!("{}: {}\n", word(step, "message"), word(step, "hint"))).collect();
    (results, said)
}

#[test]
fn a_check_tries_every_step_and_leaves_nothing_behind() {
    let cluster = Cluster::new();
    let (results, said) = check(&cluster);
    let steps = ["reach", "token", "version", "workdir", "submit", "start", "output", "cancel"];
    let wanted: Vec<String> =
        steps.iter().map(|step| format!("{step} ok")).chain(["gpu skipped".to_owned()]).collect();
    assert_eq!(results, wanted, "{said}");
    assert!(said.contains("2.60.0") && said.contains("was ended while it ran"), "{said}");
    crate::support::wait_for("its jobs to be removed", || cluster.head.jobs().is_empty());
    assert_eq!(std::fs::read_dir(cluster.fanlight.path("../cluster")).unwrap().count(), 0);
}

#[test]
fn a_step_that_fails_says_what_to_do() {
    let cluster = Cluster::new();
    cluster.head.turns(Mood::Down);
    let (results, said) = check(&cluster);
    assert_eq!(results[0], "reach failed", "{said}");
    assert!(said.contains("can't be reached") && said.contains("set `address` in `[engine.ray]`"), "{said}");
    cluster.head.recovers(Mood::Down);
    cluster.head.wants("hunter2hunter2");
    let (results, said) = check(&cluster);
    assert_eq!(results[..3], ["reach ok", "token failed", "version skipped"], "{said}");
    assert!(said.contains("wants a token"), "{said}");
}
