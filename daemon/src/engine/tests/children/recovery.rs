//! Children and their parents after the daemon died between any two commits.

use super::*;

#[tokio::test]
async fn the_next_daemon_continues_parent_and_child() {
    let mut world = World::with_cap(1).await;
    three_levels(&world);
    let run = start(&world, PARENT).await.id;
    world.fake.until("start work").await;
    world.restart().await;
    world.until(|now| now.running == 1).await;
    world.fake.finish("work");
    world.idle().await;
    let ended = world.ended(run);
    assert_eq!(ended.output("said"), Some(&Value::from("said said hello Eve")));
    assert_eq!(ended.state.nodes["child"].whole.attempts.len(), 1, "it is the same attempt");
    assert_eq!(children(&world, run).len(), 1);
}

#[tokio::test]
async fn a_child_that_ended_before_its_parent_heard_of_it_is_taken_by_the_next_daemon() {
    let mut world = World::with_cap(1).await;
    write(&world, "child.yaml", GREETING);
    let run = start(&world, PARENT).await.id;
    world.idle().await;
    world.restart_after(|world| world.tamper(&parent_back())).await;
    world.idle().await;
    let ended = world.ended(run);
    assert_eq!(ended.output("said"), Some(&Value::from("said hello Ada")));
    assert_eq!(children(&world, run).len(), 1, "it was not run again");
}

#[tokio::test]
async fn a_child_that_was_stored_and_not_started_is_started_by_the_next_daemon() {
    let mut world = World::with_cap(1).await;
    write(&world, "child.yaml", GREETING);
    let run = start(&world, PARENT).await.id;
    world.idle().await;
    let child = children(&world, run)[0];
    let child_back = "
        DELETE FROM event WHERE run = (SELECT key FROM run WHERE parent IS NOT NULL);
        DELETE FROM value WHERE run = (SELECT key FROM run WHERE parent IS NOT NULL);
        UPDATE run SET status = 0, ended_at = NULL, started_at = NULL, start_order = NULL, nodes_done = 0 \
         WHERE parent IS NOT NULL;";
    world.restart_after(|world| world.tamper(&(parent_back() + child_back))).await;
    world.idle().await;
    assert_eq!(world.ended(run).output("said"), Some(&Value::from("said hello Ada")));
    assert_eq!(children(&world, run), [child]);
}

/// Takes the parent back to the moment when its node had just begun, as if the daemon had been killed before its next
/// commit.
fn parent_back() -> String {
    let parent = "(SELECT key FROM run WHERE parent IS NULL)";
    let began = format!(
        "(SELECT seq FROM event WHERE run = {parent} AND json_extract(body, '$.node') = 'child' \
          AND json_extract(body, '$.status') = 'running')"
    );
    format!(
        "DELETE FROM event WHERE run = {parent} AND seq > {began};
         DELETE FROM value WHERE run = {parent} AND node <> 'before';
         DELETE FROM asset;
         UPDATE run SET status = 1, ended_at = NULL WHERE parent IS NULL;"
    )
}

#[tokio::test]
async fn a_child_whose_parent_has_ended_is_cancelled_by_the_next_daemon() {
    let mut world = World::with_cap(1).await;
    write(&world, "child.yaml", SLOW);
    let run = start(&world, PARENT).await.id;
    world.fake.until("start work").await;
    let child = children(&world, run)[0];
    // A file that the next daemon can't read fails the parent.
    let damage =
        "UPDATE version SET document = 'nodes: 1' WHERE key = (SELECT version FROM run WHERE parent IS NULL)";
    world.restart_after(|world| world.tamper(damage)).await;
    world.idle().await;
    assert_eq!(world.ended(run).run.state, RunStatus::Failed);
    assert_eq!(world.ended(child).run.state, RunStatus::Cancelled);
}
