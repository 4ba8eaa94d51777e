//! Pruning: ended runs go by age, count, size or state, and what is starred never goes.

use crate::support::{Fanlight, wait_for};

const SKY: &str = "params: { seed: { type: int, default: 1 } }
nodes:
  sky: { uses: image.generate, with: { width: 64, height: 64, seed: \"${{ params.seed }}\" } }
outputs: { sky: \"${{ sky.image }}\" }
";

const FAILING: &str = "nodes: { no: { uses: util.fail, with: { message: no } } }\n";

fn names(fanlight: &Fanlight) -> Vec<String> {
    let name = |run: serde_json::Value| {
        format!("{}#{}", run["workflow"].as_str().unwrap(), run["number"].as_u64().unwrap())
    };
    fanlight.runs().into_iter().map(name).collect()
}

#[test]
fn old_runs_go_and_starred_ones_stay() {
    let fanlight = Fanlight::new();
    fanlight.file("sky.yaml", SKY);
    fanlight.say(&["run", "sky.yaml", "--sweep", "seed=1..5"]).exits(0);
    let starred = fanlight.say(&["assets", "list", "--run", "sky#1", "--json"]).exits(0).json();
    let starred = starred[0]["id"].as_str().unwrap();
    fanlight.say(&["assets", "star", starred]).exits(0);

    fanlight.say(&["prune"]).exits(2);
    fanlight.say(&["prune", "--older-than", "3 weeks"]).exits(2).complains("`3 weeks` is not an age");
    fanlight.say(&["prune", "--older-than", "30d"]).exits(0).complains("nothing to prune");
    let dry = fanlight.say(&["prune", "--keep", "2", "--dry-run"]).exits(0);
    assert!(
        dry.out.contains("sky#2") && dry.out.contains("sky#3") && !dry.out.contains("sky#1"),
        "{}",
        dry.out
    );
    dry.complains("would delete 2 runs with 2 assets");
    assert_eq!(names(&fanlight).len(), 5);
    fanlight.say(&["prune", "--keep", "2"]).exits(2).complains("Delete 2 runs with 2 assets");
    let pruned = fanlight.say(&["prune", "--keep", "2", "--yes", "--json"]).exits(0).json().remove(0);
    assert_eq!((pruned["count"].as_u64(), pruned["assets"].as_u64()), (Some(2), Some(2)), "{pruned}");
    assert!(pruned["bytes"].as_u64().unwrap() > 0, "{pruned}");
    assert_eq!(names(&fanlight), ["sky#5", "sky#4", "sky#1"]);
    assert_eq!(fanlight.say(&["assets", "list", "--json"]).exits(0).json().len(), 3);
    fanlight.say(&["prune", "--keep", "2", "--yes"]).exits(0).complains("nothing to prune");

    fanlight.say(&["prune", "--max-size", "0", "--yes"]).exits(0).complains("deleted 2 runs and 2 assets");
    assert_eq!(names(&fanlight), ["sky#1"]);
    let sound = fanlight.say(&["doctor"]).exits(0).out;
    assert!(!sound.contains("wrong references"), "{sound}");
}

#[test]
fn failed_runs_go_without_their_workflows_other_runs() {
    let fanlight = Fanlight::new();
    fanlight.file("sky.yaml", SKY).file("fail.yaml", FAILING);
    fanlight.say(&["run", "sky.yaml"]).exits(0);
    fanlight.say(&["run", "fail.yaml", "--repeat", "2"]).exits(1);
    fanlight.say(&["prune", "--state", "failed", "--workflow", "sky", "--yes"]).exits(0).complains("nothing");
    fanlight.say(&["prune", "--state", "failed,cancelled", "--yes"]).exits(0).complains("deleted 2 runs");
    assert_eq!(names(&fanlight), ["sky#1"]);
    fanlight
        .say(&["prune", "--keep", "0", "--keep-assets", "--yes"])
        .exits(0)
        .complains("deleted 1 run and 0");
    assert_eq!(fanlight.say(&["assets", "list", "--json"]).exits(0).json().len(), 1);
}

#[test]
fn a_run_that_started_a_starred_one_stays() {
    let fanlight = Fanlight::new();
    fanlight
        .file("sky.yaml", SKY)
        .file("album.yaml", "nodes: { page: { uses: workflow.run, with: { workflow: sky.yaml } } }\n");
    fanlight.say(&["run", "album.yaml", "--repeat", "2"]).exits(0);
    let asset = fanlight.say(&["assets", "list", "--run", "sky#1", "--json"]).exits(0).json();
    fanlight.say(&["assets", "star", asset[0]["id"].as_str().unwrap()]).exits(0);
    fanlight.say(&["prune", "--keep", "0", "--yes"]).exits(0).complains("deleted 2 runs");
    let sky = fanlight.say(&["show", "sky#1", "--json"]).exits(0).json().remove(0);
    let mut left = names(&fanlight);
    left.sort();
    // Either of them may have started the first.
    assert_eq!(left, [sky["parent"]["name"].as_str().unwrap(), "sky#1"]);
}

#[test]
fn the_daemon_prunes_by_itself_if_the_config_says_so() {
    let fanlight = Fanlight::new();
    fanlight.file("sky.yaml", SKY);
    fanlight.say(&["run", "sky.yaml", "--sweep", "seed=1..3"]).exits(0);
    fanlight.say(&["daemon", "stop"]).exits(0);
    fanlight.config("[prune]\nkeep = 1\n");
    fanlight.say(&["daemon", "start"]).exits(0);
    wait_for("the runs to be pruned", || names(&fanlight) == ["sky#3"]);
}
