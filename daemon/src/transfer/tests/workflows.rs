//! Workflows of an archive, and those that are here.

use fanlight_shared::id::WorkflowId;

use super::*;

/// Submits a run of `poster`, one of `sea`, and another one of `poster`, as if the files of both had the same path.
fn of_two_workflows() -> (Fixture, Vec<Run>) {
    let at = Fixture::new();
    let poster = submission(1);
    let path = Some("/home/ada/sea.yaml".to_owned());
    let sea = Submit { workflow_id: Some(WorkflowId::new()), path, slug: "sea".into(), ..submission(1) };
    let runs: Vec<Run> =
        [poster, sea, submission(1)].map(|it| at.submit_with(it).runs.remove(0)).into_iter().collect();
    for run in &runs {
        at.completes(run, b"picture");
    }
    at.tamper("UPDATE workflow SET path = '/home/ada/poster.yaml'");
    (at, runs)
}

fn names(outcome: &Outcome) -> Vec<&str> {
    outcome.imported.runs.iter().map(|run| run.name.as_str()).collect()
}

#[test]
fn workflows_that_become_one_share_its_numbers() {
    let (one, runs) = of_two_workflows();
    let other = Fixture::new();
    other.submit(1);
    let outcome = other.imports(&one.exported(&ids(&runs))).unwrap();
    assert_eq!(names(&outcome), ["poster#2", "poster#3", "poster#4"]);
}

#[test]
fn a_workflow_that_is_here_is_not_taken_for_another_one_of_the_archive() {
    let (one, runs) = of_two_workflows();
    let (empty, other) = (Fixture::new(), Fixture::new());
    let outcome = empty.imports(&one.exported(&ids(&runs))).unwrap();
    assert_eq!(names(&outcome), ["poster#1", "sea#1", "poster#2"]);
    other.imports(&one.exported(&[runs[0].id])).unwrap();
    let outcome = other.imports(&one.exported(&ids(&runs))).unwrap();
    assert_eq!(names(&outcome), ["sea#1", "poster#2"]);
}
