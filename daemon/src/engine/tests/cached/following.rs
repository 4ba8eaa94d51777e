//! Runs that follow others hold no slot.

use fanlight_shared::rpc::queue;
use fanlight_shared::run::RunStatus;

use super::{World, leader_and_follower, starts, story, until_starts};

const OTHER: &str = "nodes: { c: { run: hang } }";

/// Waits until this many runs hold a slot, and this many follow without one.
pub(super) async fn until_slots(world: &World, running: u32, following: u32) {
    world.until(|now| (now.running, now.following) == (running, following)).await;
}

#[tokio::test]
async fn an_unrelated_run_gets_the_slot_of_one_that_follows() {
    let world = World::with_cap(2).await;
    let [leader, follower] = leader_and_follower(&world, "hang hello").await;
    until_slots(&world, 1, 1).await;
    let other = world.start(OTHER).await;
    world.fake.until("start c").await;
    until_slots(&world, 2, 1).await;
    assert_eq!(world.ended(follower).run.state, RunStatus::Running, "it has started");
    world.fake.finish("a");
    world.until_state(follower, |state| state.status == RunStatus::Completed).await;
    assert_eq!(world.ended(leader).nodes(), "a completed, b completed");
    assert_eq!((world.ended(follower).nodes().as_str(), starts(&world)), ("a cached, b completed", 2));
    world.cancel(&[other.id]).await;
    world.idle().await;
}

#[tokio::test]
async fn followers_come_back_in_their_order_before_a_paused_queue() {
    let world = World::with_cap(2).await;
    let [leader, first] = leader_and_follower(&world, "hang hello").await;
    until_slots(&world, 1, 1).await;
    let second = world.start(&story("hang hello")).await.id;
    until_slots(&world, 1, 2).await;
    let others = [world.start(OTHER).await.id, world.start(OTHER).await.id];
    until_slots(&world, 2, 2).await;
    world.engine.set_queue(queue::Set { paused: Some(true), ..queue::Set::default() }).await.unwrap();
    world.cancel(&[leader]).await;
    until_starts(&world, 3).await;
    let attempts = |id| world.ended(id).state.nodes["a"].whole.attempt();
    world.until_stored(|_| attempts(first) == 1).await;
    assert_eq!(attempts(second), 0);
    until_slots(&world, 2, 1).await;
    world.fake.finish("a");
    world.until_state(second, |state| state.status == RunStatus::Completed).await;
    assert_eq!(world.ended(others[1]).run.state, RunStatus::Queued);
    world.cancel(&others).await;
    world.engine.set_queue(queue::Set { paused: Some(false), ..queue::Set::default() }).await.unwrap();
    world.idle().await;
}

#[tokio::test]
async fn a_run_that_takes_over_waits_for_a_slot_and_says_so() {
    let world = World::with_cap(2).await;
    let [leader, follower] = leader_and_follower(&world, "hang hello").await;
    until_slots(&world, 1, 1).await;
    // The second one gets the slot that the leader returns.
    let others = [world.start(OTHER).await.id, world.start(OTHER).await.id];
    until_slots(&world, 2, 1).await;
    world
        .engine
        .set_queue(queue::Set { max_concurrent_runs: Some(1), ..queue::Set::default() })
        .await
        .unwrap();
    world.cancel(&[leader]).await;
    until_slots(&world, 1, 1).await;
    let why = world.engine.why(fanlight_shared::rpc::why::Why { run: follower, node: None }).await.unwrap();
    let texts: Vec<&str> = why.iter().flat_map(|it| &it.reasons).map(|reason| reason.text.as_str()).collect();
    assert_eq!(texts[0], "waits for a slot: 1 at once", "{texts:?}");
    world.cancel(&others).await;
    until_starts(&world, 3).await;
    world.fake.finish("a");
    world.idle().await;
    assert_eq!(world.ended(follower).nodes(), "a completed, b completed");
}

#[tokio::test]
async fn a_run_that_follows_can_be_cancelled() {
    let world = World::with_cap(2).await;
    let [leader, follower] = leader_and_follower(&world, "hang hello").await;
    until_slots(&world, 1, 1).await;
    world.cancel(&[follower]).await;
    until_slots(&world, 1, 0).await;
    assert_eq!(world.ended(follower).run.state, RunStatus::Cancelled);
    let other = world.start("nodes: { c: { run: done } }").await.id;
    world.until_state(other, |state| state.status == RunStatus::Completed).await;
    world.fake.finish("a");
    world.idle().await;
    assert_eq!(world.ended(leader).nodes(), "a completed, b completed");
}

#[tokio::test]
async fn a_limit_of_the_workflow_counts_those_that_hold_a_slot() {
    let world = World::with_cap(8).await;
    let limited = |script: &str| format!("concurrency: 2\n{}", story(script));
    let runs: Vec<&[(&str, fanlight_shared::value::Value)]> = vec![&[]; 4];
    let runs = world.try_start(&limited("hang hello"), &runs).await.unwrap();
    until_slots(&world, 1, 3).await;
    world.fake.until("start a").await;
    world.fake.finish("a");
    world.idle().await;
    assert_eq!(starts(&world), 1);
    assert!(runs.iter().all(|run| world.ended(run.id).run.state == RunStatus::Completed));
}
