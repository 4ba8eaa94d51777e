//! What the next daemon finds.

use fanlight_shared::id::AttemptId;
use fanlight_shared::rpc::{queue, runs};
use fanlight_shared::run::{AttemptEnd, RunStatus};

use super::world::World;
use crate::store::Op;

const LONG: &str = "
nodes:
  before: { uses: text.template, with: { template: fine } }
  wait: { uses: util.sleep, needs: before, with: { seconds: 3600 } }
";

#[tokio::test]
async fn running_runs_go_on_and_waiting_runs_wait_again() {
    let mut world = World::with_cap(1).await;
    let running = world.start(LONG).await;
    let waiting = world.start(LONG).await;
    world.until(|now| now.running == 1 && now.queued == 1).await;
    world.restart().await;
    world.until(|now| now.running == 1 && now.queued == 1).await;
    world.until_attempt(running.id, "wait", 2).await;
    let taken_up = world.ended(running.id);
    let attempts = &taken_up.state.nodes["wait"].whole.attempts;
    assert_eq!(attempts[0].end, Some(AttemptEnd::Lost));
    assert_eq!(taken_up.nodes(), "before completed, wait running");
    assert_eq!(taken_up.state.nodes["before"].whole.attempts.len(), 1, "what finished is not done again");
    assert_eq!(world.ended(waiting.id).run.state, RunStatus::Queued);
}

#[tokio::test]
async fn after_three_interruptions_a_node_fails() {
    let mut world = World::new().await;
    let run = world.start(LONG).await;
    for attempt in 1..=3 {
        world.until_attempt(run.id, "wait", attempt).await;
        world.restart().await;
    }
    world.idle().await;
    let ended = world.ended(run.id);
    assert_eq!(ended.run.state, RunStatus::Failed);
    assert!(ended.error().contains("interrupted"), "{}", ended.error());
}

#[tokio::test]
async fn items_of_an_each_go_on_where_they_were() {
    let mut world = World::new().await;
    let run = world
        .start(
            "
nodes:
  slow: { uses: util.sleep, each: '${{ [0, 3600] }}', with: { seconds: '${{ item }}', value: '${{ item }}' } }
  after: { uses: text.template, each: '${{ slow.value }}', with: { template: 'after {{ v }}', v: '${{ item }}' } }
",
        )
        .await;
    world
        .until_state(run.id, |state| {
            state.nodes["after"].items.get(&0).is_some_and(|it| it.status.is_ended())
        })
        .await;
    world.restart().await;
    world
        .until_state(run.id, |state| state.nodes["slow"].items.get(&1).is_some_and(|it| it.attempt() == 2))
        .await;
    let state = world.ended(run.id).state;
    assert_eq!(state.nodes["slow"].items[&0].attempts.len(), 1);
    assert_eq!(state.nodes["after"].items[&0].attempts.len(), 1);
}

#[tokio::test]
async fn a_cancel_before_the_crash_holds_after_it() {
    let mut world = World::new().await;
    let run = world.start(LONG).await;
    world.until(|now| now.running == 1).await;
    world.cancel(&[run.id]).await;
    world.restart().await;
    world.idle().await;
    assert_eq!(world.ended(run.id).run.state, RunStatus::Cancelled);
}

#[tokio::test]
async fn the_queues_settings_are_kept() {
    let mut world = World::with_cap(8).await;
    let set = queue::Set { max_concurrent_runs: Some(3), paused: Some(true) };
    world.engine.set_queue(set).await.unwrap();
    world.restart().await;
    let queue = world.engine.queue().await.unwrap();
    assert_eq!((queue.max_concurrent_runs, queue.paused), (3, true));
}

#[tokio::test]
async fn a_deleted_run_is_gone_and_its_assets_stay() {
    let world = World::new().await;
    let document = "
nodes: { a: { uses: text.template, with: { template: fine } } }
outputs: { a: '${{ a.text }}' }
";
    let ended = world.run(document).await;
    let running = world.start(LONG).await;
    let delete = |run| runs::Delete { runs: vec![run], assets: false };
    assert!(world.engine.delete(delete(running.id)).await.unwrap_err().message.contains("cancel it first"));
    world.engine.delete(delete(ended.run.id)).await.unwrap();
    assert!(world.store.listed(ended.run.id).is_err());
    assert_eq!(world.store.assets(&fanlight_shared::rpc::assets::List::default()).unwrap().rows.len(), 1);
}

/// An ended run, with an attempt that its executor has something left of.
async fn with_leftovers(world: &World) -> (fanlight_shared::id::RunId, AttemptId) {
    let ended = world.run("nodes: { a: { run: done } }").await;
    let attempt = ended.state.nodes["a"].whole.attempts[0].id.unwrap();
    world.fake.leave(attempt, true);
    (ended.run.id, attempt)
}

#[tokio::test]
async fn a_daemon_that_dies_in_a_deletion_leaves_nothing_to_stay() {
    let mut world = World::new().await;
    let (deleted, attempt) = with_leftovers(&world).await;
    let (kept, other) = with_leftovers(&world).await;
    // As far as it got: the deletion is committed, what the attempt left is still there.
    world.store.commit(vec![Op::DeleteRun { run: deleted, assets: false }]).await.unwrap();
    world.restart().await;
    world.until_stored(|store| store.going().unwrap().is_empty()).await;
    assert!(!world.fake.has(attempt));
    assert!(world.fake.has(other), "the other run was not deleted");

    world.engine.delete(runs::Delete { runs: vec![kept], assets: false }).await.unwrap();
    assert!(!world.fake.has(other));
    assert!(world.store.going().unwrap().is_empty());
}

#[tokio::test]
async fn what_could_not_be_removed_is_looked_after_by_the_next_daemon() {
    let mut world = World::new().await;
    let (run, attempt) = with_leftovers(&world).await;
    world.fake.leave(attempt, false);
    world.engine.delete(runs::Delete { runs: vec![run], assets: false }).await.unwrap();
    assert_eq!(world.store.going().unwrap(), [attempt]);
    world.fake.leave(attempt, true);
    world.restart().await;
    world.until_stored(|store| store.going().unwrap().is_empty()).await;
    assert!(!world.fake.has(attempt));
}
