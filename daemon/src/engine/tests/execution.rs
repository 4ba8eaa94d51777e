//! Attempts in their executor.

use fanlight_shared::rpc::runs;
use fanlight_shared::run::{AttemptEnd, RunStatus};
use fanlight_shared::value::Value;

use super::world::World;
use crate::store::Op;

const HANG: &str = "nodes: { a: { run: hang } }";

#[tokio::test]
async fn an_attempt_is_prepared_started_collected_and_released_once() {
    let world = World::new().await;
    let ended = world.run("nodes: { a: { run: done hello } }\noutputs: { said: '${{ a.stdout }}' }").await;
    assert_eq!((ended.run.state, ended.output("said")), (RunStatus::Completed, Some(&Value::from("hello"))));
    world.fake.until("release").await;
    assert_eq!(world.fake.calls(), ["prepare a", "start a", "collect a", "release"]);
}

#[tokio::test]
async fn a_living_attempt_is_adopted_by_the_next_daemon_and_not_started_again() {
    let mut world = World::new().await;
    let run = world.start(HANG).await;
    world.fake.until("start a").await;
    world.restart().await;
    world.fake.until("adopt a").await;
    world.fake.finish("a");
    world.idle().await;
    let ended = world.ended(run.id);
    assert_eq!((ended.run.state, ended.state.nodes["a"].whole.attempts.len()), (RunStatus::Completed, 1));
    assert_eq!(world.fake.calls()[..4], ["prepare a", "start a", "adopt a", "collect a"]);
}

#[tokio::test]
async fn an_adopted_attempt_still_holds_its_lock() {
    let mut world = World::new().await;
    world.start("nodes: { a: { run: hang, lock: build } }").await;
    world.fake.until("start a").await;
    let other = |start: &mut runs::Start| start.path = Some(world.file("other.yaml"));
    world.submit("nodes: { b: { run: hang, lock: build } }", &[&[]], other).await.unwrap();
    world.restart().await;
    world.fake.until("adopt a").await;
    world.fake.finish("a");
    world.fake.until("start b").await;
    let calls = world.fake.calls();
    let place = |call: &str| calls.iter().position(|it| it == call);
    assert!(place("collect a") < place("prepare b"), "{calls:?}");
}

#[tokio::test]
async fn an_attempt_that_was_recorded_and_never_started_is_started_by_the_next_daemon() {
    let mut world = World::new().await;
    let run = world.start(HANG).await;
    world.fake.until("start a").await;
    world.restart_after(|world| world.fake.lose_everything()).await;
    world.fake.until_calls(5).await;
    assert_eq!(world.fake.calls()[2..], ["adopt a", "prepare a", "start a"]);
    world.fake.finish("a");
    world.idle().await;
    let ended = world.ended(run.id);
    assert_eq!((ended.run.state, ended.state.nodes["a"].whole.attempts.len()), (RunStatus::Completed, 1));
}

#[tokio::test]
async fn after_a_restart_of_the_machine_a_local_attempt_is_lost() {
    let mut world = World::new().await;
    let run = world.start(HANG).await;
    world.fake.until("start a").await;
    world
        .store
        .commit(vec![Op::Setting { name: "boot_id", value: Some("another boot".into()) }])
        .await
        .unwrap();
    world.restart().await;
    world.idle().await;
    let ended = world.ended(run.id);
    assert_eq!(ended.run.state, RunStatus::Failed);
    assert_eq!(ended.state.nodes["a"].whole.attempts[0].end, Some(AttemptEnd::Lost));
    assert!(!world.fake.calls().contains(&"adopt a".to_owned()));
}

#[tokio::test]
async fn a_cancelled_run_ends_when_its_attempt_has_ended() {
    let world = World::new().await;
    let run = world.start(HANG).await;
    world.fake.until("start a").await;
    world.cancel(&[run.id]).await;
    world.idle().await;
    assert_eq!(world.ended(run.id).run.state, RunStatus::Cancelled);
    world.fake.until("release").await;
    assert_eq!(world.fake.calls(), ["prepare a", "start a", "stop a", "collect a", "release"]);
}

#[tokio::test]
async fn an_attempt_over_its_time_limit_is_stopped_and_fails_with_its_outputs() {
    let world = World::new().await;
    let ended = world.run("nodes: { a: { run: hang half, timeout: 10ms } }").await;
    assert!(ended.error().contains("timed out after 10ms"), "{}", ended.error());
    assert_eq!(ended.state.nodes["a"].whole.outputs["stdout"], Value::from("half"));
}

#[tokio::test]
async fn a_lost_attempt_fails_its_node_unless_it_may_run_again() {
    let world = World::new().await;
    let ended = world.run("nodes: { a: { run: lost } }").await;
    assert!(ended.error().contains("nobody saw how it ended; it may have had effects"), "{}", ended.error());
    let ended = world.run("nodes: { a: { run: lost, effects: none } }").await;
    assert_eq!(ended.state.nodes["a"].whole.attempts.len(), 3, "{}", ended.error());
}
